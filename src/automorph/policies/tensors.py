"""Batch operations of policies, on NumPy arrays and torch tensors alike.

Images are ``(n, H, W, C)`` in arrays and ``(n, C, H, W)`` in tensors. Torch is imported only if a
tensor is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from automorph.engine import is_tensor
from automorph.errors import DataError


def as_array(values: Any) -> Any:
    """Convert numbers to a NumPy array, from any device."""
    return values.detach().cpu().numpy() if is_tensor(values) else values


def are_texts(examples: Any) -> bool:
    """Return whether a batch holds strings: a list, an array of any type, a column of a table.

    Raises DataError, with the rows, if only some are strings: NumPy would make a text of None.
    """
    if isinstance(examples, (list, tuple)):
        return _all_texts(examples)
    if len(getattr(examples, "shape", ())) != 1 or is_tensor(examples):
        return False
    values = np.asarray(examples)
    return _all_texts(values.tolist()) if values.dtype == object else values.dtype.kind in "UT"


def _all_texts(values: Sequence[Any]) -> bool:
    others = [row for row, value in enumerate(values) if not isinstance(value, str)]
    if len(others) == len(values):
        return False
    if others:
        rows = ", ".join(map(str, others[:5])) + (", ..." if len(others) > 5 else "")
        raise DataError(
            f"{len(others):,} of {len(values):,} texts are missing or no strings (rows {rows}, "
            f"such as {values[others[0]]!r:.40}); expected strings. Drop these rows or fill them, "
            "for example with an empty string"
        )
    return True


def as_texts(examples: Any) -> Any:
    """Convert a batch of strings (see `are_texts`) to NumPy's ``StringDType`` ``(n,)``."""
    values = examples if isinstance(examples, (list, tuple)) else np.asarray(examples)
    return np.asarray(values, np.dtypes.StringDType())


def beside(array: Any, examples: Any) -> Any:
    """Convert an array to a tensor on the device of the examples, if those are a tensor.

    The host does not wait for the device.
    """
    if not is_tensor(examples):
        return array
    from automorph.engine.torch import send

    [(there,)] = send([(array,)], examples.device)
    return there


def as_images(shape: Any, examples: Any) -> tuple[int, ...]:
    """Return the shape of a batch of images, with the channels last."""
    n, *sides = (int(side) for side in shape)
    return (n, *sides[1:], sides[0]) if is_tensor(examples) and len(sides) == 3 else (n, *sides)


def chosen(mask: Any, those: Any, others: Any) -> Any:
    """Return pixels of one batch where the mask ``(n, H, W, 1)`` is true, else of the other."""
    if not is_tensor(others):
        return np.where(mask, those, others)
    import torch

    return torch.where(beside(np.moveaxis(mask, 3, 1), others), those, others)


def rounded(mixed: Any, examples: Any) -> Any:
    """Convert mixed values to the type of the examples; round whole levels."""
    if is_tensor(examples):
        whole = not examples.is_floating_point()
        return (mixed.round().clamp(0, 255) if whole else mixed).to(examples.dtype)
    if examples.dtype == np.uint8:
        return np.rint(mixed).clip(0, 255).astype(np.uint8)
    return mixed.astype(examples.dtype)


def unchanged(examples: Any) -> Any:
    """Return a copy of the examples, of either domain."""
    if is_tensor(examples):
        return examples.clone()
    return examples.copy() if hasattr(examples, "copy") else list(examples)
