"""Texts as arrays of words, and the operations on them (no torch)."""

from automorph.texts.kernels import KERNELS, Kernel
from automorph.texts.tokens import Tokens, tokenise
from automorph.texts.vocabulary import Vocabulary, is_word

__all__ = ["KERNELS", "Kernel", "Tokens", "Vocabulary", "is_word", "tokenise"]
