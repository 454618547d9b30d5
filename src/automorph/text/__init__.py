"""Texts as arrays of words, and the operations on them (no torch)."""

from automorph.text.corpus import Corpus
from automorph.text.registry import KERNELS, Kernel, find_kernel
from automorph.text.tokens import Tokens, tokenise
from automorph.text.vocabulary import Vocabulary, is_word

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
