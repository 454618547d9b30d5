"""The catalogue of image operations: the declarations of the family files, by name.

Ranges are the widest useful ones; the named spaces narrow them. Every operation keeps the shape and
type of uint8 ``(H, W, C)`` images. Values that are a *share* are multiplied by the side along which
the operation moves. If torchvision has the operation, its result on PIL images is the reference.
"""

from __future__ import annotations

from automorph.operations import (
    blending,
    blurs,
    clahe,
    colour,
    crops,
    distortions,
    dropouts,
    elastic,
    erasing,
    filters,
    geometric,
    levels,
    photometric,
    resizing,
    several_moves,
    symmetries,
    warps,
)
from automorph.operations.kernels import Kernel
from automorph.operations.spec import Operation

_FAMILIES = (geometric, photometric, colour, filters, erasing, blending, resizing, warps)
_LIBRARIES = (
    symmetries, several_moves, crops, dropouts, levels, clahe, blurs, distortions, elastic,
)  # fmt: skip

CATALOGUE: tuple[Operation, ...] = tuple(
    operation for family in _FAMILIES for operation in family.FAMILY
)
"""Operations that keep labels."""
LIBRARY_OPERATIONS: tuple[Operation, ...] = tuple(
    operation for family in _LIBRARIES for operation in family.FAMILY
)
"""Operations drawn as other libraries draw them, from ranges of their own and without a magnitude.

Imported pipelines use them. They are in no named space, so that a space keeps its meaning.
"""
OPERATIONS: dict[str, Operation] = {
    operation.name: operation for operation in (*CATALOGUE, *LIBRARY_OPERATIONS, *blending.LABELS)
}
KERNELS: dict[str, Kernel] = {
    operation.kernel: kernel
    for family in (*(one.FAMILY for one in (*_FAMILIES, *_LIBRARIES)), blending.LABELS)
    for operation, kernel in family.items()
}
"""Implementations of the operations, by the name of the kernel."""

COMPILED: dict[str, int] = {
    name: kernel.native for name, kernel in KERNELS.items() if kernel.native is not None
}
"""The numbers of the compiled kernels."""
