"""Operations, search spaces, sequences and the counter-based random numbers (no torch)."""

from automorph.space.images import CATALOGUE, OPERATIONS
from automorph.space.operations import Domain, Operation, operation
from automorph.space.random import Stream, normal, philox, unit_interval
from automorph.space.sequences import NOTHING, Sequences
from automorph.space.spaces import SearchSpace, find_operation, list_spaces, named_space, plain
from automorph.space.texts import (
    TEXT_OPERATIONS,
    masked_operation,
    paraphrase_operation,
    text_operation,
    translation_operation,
)

__all__ = [
    "CATALOGUE",
    "NOTHING",
    "OPERATIONS",
    "TEXT_OPERATIONS",
    "Domain",
    "Operation",
    "SearchSpace",
    "Sequences",
    "Stream",
    "find_operation",
    "list_spaces",
    "masked_operation",
    "named_space",
    "normal",
    "operation",
    "paraphrase_operation",
    "philox",
    "plain",
    "text_operation",
    "translation_operation",
    "unit_interval",
]
