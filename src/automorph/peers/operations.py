"""Operations of other libraries in a search space."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.space import Operation

Pixels = NDArray[np.uint8]
_MOST_KEPT = 256


def peer_operation(
    make: Callable[[float], Any],
    *,
    name: str,
    range: tuple[float, float] = (0.0, 0.0),
    unit: str = "",
    identity: float | None = None,
    whole: bool = False,
    label_risk: str = "",
) -> Operation:
    """An operation that is a transform of albumentations, torchvision or kornia.

    ``make(value)`` builds the transform at a value; it must always fire (``p=1``). Its random
    numbers are set for every example, so results are the same for any number of workers. The
    transform must keep the size of the image. To read the operation from a policy file, pass it:
    ``load_policy(path, operations=[fog])``.

    >>> import albumentations as A  # doctest: +SKIP
    >>> fog = peer_operation(  # doctest: +SKIP
    ...     lambda v: A.RandomFog(fog_coef_range=(v, v), p=1), name="Fog", range=(0, 0.7),
    ...     unit="share", identity=0,
    ... )
    """
    kept = lru_cache(_MOST_KEPT)(make)

    def apply(image: Pixels, value: float, rng: np.random.Generator) -> Pixels:
        transform = kept(value)
        return _runner(transform)(transform, image, int(rng.integers(2**31)))

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"{name} of another library."
    return Operation(
        name,
        low=float(range[0]),
        high=float(range[1]),
        identity=identity,
        unit=unit,
        whole=whole,
        label_risk=label_risk,
        function=apply,
        about=f"{name} of another library.",
    )


def _runner(transform: Any) -> Callable[[Any, Pixels, int], Pixels]:
    libraries = {kind.__module__.partition(".")[0] for kind in type(transform).__mro__}
    for library, run in _RUNNERS.items():
        if library in libraries:
            return run
    raise UsageError(
        f"got {type(transform).__name__} of {type(transform).__module__}; expected a transform of "
        f"{', '.join(_RUNNERS)}. Any other function is an operation by @automorph.operation"
    )


def _albumentations(transform: Any, image: Pixels, seed: int) -> Pixels:
    transform.set_random_seed(seed)
    return np.asarray(transform(image=image)["image"])


def _torchvision(transform: Any, image: Pixels, seed: int) -> Pixels:
    import torch
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        out = np.asarray(transform(picture))
    return out[..., None] if out.ndim == 2 else out


def _kornia(transform: Any, image: Pixels, seed: int) -> Pixels:
    import torch

    batch = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    with torch.random.fork_rng(devices=()), torch.no_grad():
        torch.manual_seed(seed)
        out = transform(batch)
    levels = (out[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())


_RUNNERS: dict[str, Callable[[Any, Pixels, int], Pixels]] = {
    "albumentations": _albumentations,
    "torchvision": _torchvision,
    "kornia": _kornia,
}
