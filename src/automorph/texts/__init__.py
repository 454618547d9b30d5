"""Texts as arrays of words, and the operations on them (no torch)."""

from automorph.texts.corpus import Corpus
from automorph.texts.kernels import KERNELS, Kernel, find_kernel
from automorph.texts.tokens import Tokens, tokenise
from automorph.texts.vocabulary import Vocabulary, is_word

__all__ = [
    "KERNELS",
    "Corpus",
    "Kernel",
    "Tokens",
    "Vocabulary",
    "find_kernel",
    "is_word",
    "tokenise",
]
