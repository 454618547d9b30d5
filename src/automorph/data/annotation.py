"""What the examples of a data set are annotated with, if not with one class each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError, UsageError

TargetKind = Literal["classes", "labels", "values", "masks"]
TARGET_KINDS: tuple[TargetKind, ...] = get_args(TargetKind)
"""One class each, several labels, numbers, or a class for each pixel."""
_DTYPES = {"labels": np.uint8, "values": np.float64, "masks": np.uint8}


@dataclass(frozen=True)
class Annotation:
    """The meaning of ``Split.annotations``: their kind, and the name of each of their columns.

    - ``labels``: uint8 (n, k), 1 where an example has the label of that name.
    - ``values``: float64 (n, k), one or several numbers.
    - ``masks``: uint8 (n, H, W), positions in ``names``; ``ignore`` marks pixels that count
      neither in the loss nor in a metric.

    >>> Annotation("labels", ("open", "short")).width
    2
    """

    kind: TargetKind
    names: tuple[str, ...]
    ignore: int | None = None

    @property
    def width(self) -> int:
        """The number of outputs per example, or of masks per pixel."""
        return len(self.names)

    def check(self, annotations: NDArray[np.generic] | None, *, where: str) -> None:
        """Raise `DataError` unless annotations have the dtype and shape of their kind."""
        wanted = np.dtype(_DTYPES[self.kind])
        shape = "(n, H, W)" if self.kind == "masks" else f"(n, {self.width})"
        got = None if annotations is None else (annotations.dtype, annotations.shape)
        fits = annotations is not None and annotations.dtype == wanted and (
            annotations.ndim == 3
            if self.kind == "masks"
            else annotations.ndim == 2 and annotations.shape[1] == self.width
        )  # fmt: skip
        if not fits:
            found = "none" if got is None else f"{got[0]} {got[1]}"
            raise DataError(f"{where}: annotations are {found}; expected {wanted} {shape}")


def check_kind(kind: str) -> TargetKind:
    """Return the kind of target of this name. Raises `UsageError` for other names."""
    for known in TARGET_KINDS:
        if kind == known:
            return known
    raise UsageError(
        f"target={kind!r}; expected one of {', '.join(TARGET_KINDS)}: classes for one class per "
        "example, labels for several, values for numbers, masks for a class per pixel"
    )
