"""Labels of batches in the form in which policies mix them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from automorph.errors import UsageError
from automorph.integrations.checks import checked_whole


def checked_classes(classes: Any) -> int | None:
    """Return the number of classes; raise ``UsageError`` for anything but a number or None."""
    return None if classes is None else checked_whole("classes", classes, 1)


def soft_labels(labels: Any, classes: int | None, n: int) -> Tensor:
    """Return the labels of ``n`` examples as float32 ``(n, classes)``.

    ``labels`` is a tensor of whole numbers ``(n,)`` or of soft labels. Raises ``UsageError`` for
    anything else.
    """
    if not isinstance(labels, Tensor):
        raise UsageError(
            f"got labels that are {_kind(labels)}; {_EXPECTED}. If classes are words, number them "
            "in the data set, for example by names.index(label)"
        )
    if len(labels.shape) == 0 or len(labels) != n:
        raise UsageError(f"got labels of shape {tuple(labels.shape)} for {n} images; {_EXPECTED}")
    if labels.ndim == 2 and labels.is_floating_point():
        if classes not in (None, labels.shape[1]):
            raise UsageError(
                f"got soft labels for {labels.shape[1]} classes and classes={classes}; expected "
                "the same number, or classes=None"
            )
        return labels.to(torch.float32)
    if labels.ndim != 1 or labels.is_floating_point() or classes is None:
        raise UsageError(
            f"got labels {str(labels.dtype).removeprefix('torch.')} of shape {tuple(labels.shape)} "
            f"and classes={classes}; {_EXPECTED}"
        )
    whole = labels.to(torch.int64)
    if whole.device.type == "cpu" and n:
        low, high = (int(side) for side in whole.aminmax())
        if low < 0 or high >= classes:
            raise UsageError(
                f"got labels from {low} to {high} and classes={classes}; expected labels from 0 to "
                f"{classes - 1}, or the number of all classes (classes=)"
            )
    # Compared, not scattered: this does not read labels back from an accelerator.
    return (whole[:, None] == torch.arange(classes, device=whole.device)).to(torch.float32)


_EXPECTED = (
    "to mix labels, expected a tensor of whole numbers (n,) and the number of classes (classes=), "
    "or soft labels (n, classes)"
)


def _kind(labels: Any) -> str:
    words = isinstance(labels, (list, tuple)) and bool(labels) and isinstance(labels[0], str)
    return f"words, such as {labels[0]!r:.40}" if words else f"a {type(labels).__name__}"
