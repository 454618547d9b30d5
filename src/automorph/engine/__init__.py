"""Apply sequences of operations to batches (imports torch only if a batch is a torch tensor)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from numpy.typing import NDArray

from automorph import native
from automorph.engine.compiled import OUTSIDE, apply_native, operation_table
from automorph.engine.reference import Interpolation, Mode, apply_reference
from automorph.engine.targets import follow, refuse
from automorph.engine.tensors import apply_to_tensor, check_floats, is_tensor
from automorph.engine.text import apply_texts, protected_by
from automorph.engine.validation import check_examples, check_fill
from automorph.operations import Places, SearchSpace, Sequences, Stream

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "OUTSIDE",
    "Interpolation",
    "Mode",
    "Places",
    "apply",
    "apply_native",
    "apply_reference",
    "check_examples",
    "check_fill",
    "check_floats",
    "engine_name",
    "follow",
    "is_tensor",
    "operation_table",
    "protected_by",
    "refuse",
]


def engine_name() -> str:
    """Return the path that ``apply`` takes: ``reference`` is NumPy, ``native`` is compiled."""
    return f"native ({native.variant()})" if native.available() else "reference"


@overload
def apply(
    images: NDArray[Any],
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    fill: int | str | Sequence[int] = 0,
    interpolation: Interpolation = "nearest",
    mode: Mode = "exact",
    prefixes: bool = False,
    threads: int = 1,
) -> NDArray[Any]: ...


@overload
def apply(
    images: Tensor,
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    fill: int | str | Sequence[int] = 0,
    interpolation: Interpolation = "nearest",
    mode: Mode = "exact",
    prefixes: bool = False,
    threads: int = 1,
) -> Tensor: ...


def apply(
    images: Any,
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    fill: int | str | Sequence[int] = 0,
    interpolation: Interpolation = "nearest",
    mode: Mode = "exact",
    prefixes: bool = False,
    threads: int = 1,
) -> Any:
    """Apply one sequence to each example of a batch.

    ``images`` uint8 ``(n, H, W, C)``, grey, RGB or RGBA (float ``(n, d)`` for vector spaces), are
    not changed; the result has the same shape and type. With ``prefixes`` it is
    ``(n, L + 1, H, W, C)``: the image before the first operation, after it, and so on.

    A torch tensor of images is ``(n, C, H, W)``, uint8 or floats in [0, 1], which are rounded to
    256 levels; the result is a tensor of the same type on the same device. Unless that is the CPU,
    the host does not wait for the device (see ``automorph.engine.torch``).

    ``stream`` holds the random numbers: one row per example, independent of the batch. ``fill``,
    one level or one per channel, is the colour of pixels from outside the image; "edge" repeats the
    edge of the image there, and "reflect" mirrors the image. ``interpolation``
    applies to affine operations; operations that warp or resize are always bilinear. ``mode``
    "exact" resamples after each operation, as torchvision does on PIL images; "fused" composes
    consecutive affine operations and resamples once, which is sharper and keeps pixels that leave
    the image and come back. ``threads`` applies to the compiled path.

    Raises ``DataError`` or ``UsageError`` for wrong arguments, and ``AutomorphError`` if a user's
    function fails.

    >>> import numpy as np
    >>> from automorph.operations import Sequences, Stream, named_space
    >>> space = named_space("autoaugment")
    >>> images = np.zeros((2, 4, 4, 3), np.uint8)
    >>> sequences = Sequences.of([[space.number("Invert")], [-1]])
    >>> apply(images, sequences, space, Stream(index=[0, 1])).max((1, 2, 3)).tolist()
    [255, 0]
    """
    if space.domain == "text":
        return apply_texts(images, sequences, space, stream, prefixes=prefixes)
    compiled = space.domain == "image" and native.available()
    path = apply_native if compiled else apply_reference
    options: dict[str, Any] = {
        "fill": fill,
        "interpolation": interpolation,
        "mode": mode,
        "prefixes": prefixes,
        "threads": threads,
    }
    if is_tensor(images):
        return apply_to_tensor(images, sequences, space, stream, path=path, **options)
    return path(images, sequences, space, stream, **options)
