"""Operations, search spaces, sequences and the counter-based random numbers (no torch)."""

from automorph.operations.images import CATALOGUE, OPERATIONS
from automorph.operations.random import Stream, normal, philox, stream_key, unit_interval, weighted
from automorph.operations.sequences import NOTHING, Sequences
from automorph.operations.spaces import (
    SPACES,
    SearchSpace,
    find_operation,
    list_spaces,
    named_space,
)
from automorph.operations.spec import Domain, Operation, operation
from automorph.operations.text import (
    EDA,
    TEXT_OPERATIONS,
    masked_operation,
    paraphrase_operation,
    text_operation,
    translation_operation,
)
from automorph.registry import plain

__all__ = [
    "CATALOGUE",
    "EDA",
    "NOTHING",
    "OPERATIONS",
    "SPACES",
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
    "stream_key",
    "text_operation",
    "translation_operation",
    "unit_interval",
    "weighted",
]
