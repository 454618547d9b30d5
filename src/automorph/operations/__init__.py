"""Operations, search spaces, sequences and the counter-based random numbers (no torch)."""

from automorph.operations.affine import (
    compose,
    fits_fixed_point,
    fixed_point,
    resample,
    unmoved,
)
from automorph.operations.catalogue import CATALOGUE, COMPILED, KERNELS, OPERATIONS
from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Images,
    Kernel,
    Matrices,
    Matrix,
    Places,
    Read,
    Size,
    TorchKernel,
    Values,
    Whole,
    truncated,
)
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
    "COMPILED",
    "EDA",
    "KERNELS",
    "NOTHING",
    "OPERATIONS",
    "SPACES",
    "TEXT_OPERATIONS",
    "Arguments",
    "Context",
    "DeviceContext",
    "Domain",
    "Images",
    "Kernel",
    "Matrices",
    "Matrix",
    "Operation",
    "Places",
    "Read",
    "SearchSpace",
    "Sequences",
    "Size",
    "Stream",
    "TorchKernel",
    "Values",
    "Whole",
    "compose",
    "find_operation",
    "fits_fixed_point",
    "fixed_point",
    "list_spaces",
    "masked_operation",
    "named_space",
    "normal",
    "operation",
    "paraphrase_operation",
    "philox",
    "plain",
    "resample",
    "stream_key",
    "text_operation",
    "translation_operation",
    "truncated",
    "unit_interval",
    "unmoved",
    "weighted",
]
