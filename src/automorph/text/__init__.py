"""Texts as arrays of words, and the operations on them (no torch)."""

from automorph.text.corpus import Corpus
from automorph.text.paraphrases import fits, read_paraphrases
from automorph.text.pretrained import loaded, on_this_machine
from automorph.text.protection import checked_patterns
from automorph.text.reading import tokenise
from automorph.text.registry import KERNELS, Kernel, find_kernel, runs_network
from automorph.text.rewrites import Wording, prompt_of
from automorph.text.spaceless import spaceless_share
from automorph.text.tokens import Tokens
from automorph.text.vocabulary import Vocabulary, is_word
from automorph.text.wordnet import find_wordnet

__all__ = [
    "KERNELS",
    "Corpus",
    "Kernel",
    "Tokens",
    "Vocabulary",
    "Wording",
    "checked_patterns",
    "find_kernel",
    "find_wordnet",
    "fits",
    "is_word",
    "loaded",
    "on_this_machine",
    "prompt_of",
    "read_paraphrases",
    "runs_network",
    "spaceless_share",
    "tokenise",
]
