"""Operations of other libraries in a search space."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.operations import Operation

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
    """Make an operation of a transform of albumentations, torchvision or kornia.

    ``make(value)`` builds the transform at a value; it must always fire (``p=1``). Its random
    numbers are set for every example, so results do not depend on the number of workers. The
    transform must keep the size of the image. To read the operation from a policy file, pass it:
    ``load_policy(path, operations=[fog])``.

    Other processes (``jobs=2``, workers of a data loader) import ``make`` again, so it must be a
    function or class at the top level of a module, not a lambda.

    >>> import albumentations as A  # doctest: +SKIP
    >>> def make_fog(value):  # doctest: +SKIP
    ...     return A.RandomFog(fog_coef_range=(value, value), p=1)
    >>> fog = peer_operation(  # doctest: +SKIP
    ...     make_fog, name="Fog", range=(0, 0.7), unit="share", identity=0
    ... )
    """
    return Operation(
        name,
        low=float(range[0]),
        high=float(range[1]),
        identity=identity,
        unit=unit,
        whole=whole,
        label_risk=label_risk,
        function=Built(name, make),
        about=f"{name} of another library.",
    )


class Built:
    """The function of an operation: it applies the transform built at a value."""

    def __init__(self, name: str, make: Callable[[float], Any]) -> None:
        self.name, self.make = name, make
        # Policy files, and operations that take their builder's name, record its import path.
        self.__module__ = str(getattr(make, "__module__", None) or type(make).__module__)
        self.__qualname__ = str(getattr(make, "__qualname__", name))
        self._kept = lru_cache(_MOST_KEPT)(make)

    def __call__(self, image: Pixels, value: float, rng: np.random.Generator) -> Pixels:
        """Return the image after the transform."""
        transform = self._kept(value)
        return _runner(transform)(transform, image, int(rng.integers(2**31)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Built) and (self.name, self.make) == (other.name, other.make)

    def __hash__(self) -> int:
        return hash(self.name)  # The builder may be an object without a hash.

    def __copy__(self) -> Built:
        return self

    def __deepcopy__(self, memory: object) -> Built:
        return self  # Copies stay in this process, so nothing must be importable.

    def __reduce__(self) -> tuple[Any, ...]:
        # For another process: transforms are rebuilt there.
        try:
            pickle.dumps(self.make)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(
                f"the operation {self.name!r} cannot be sent to another process: it is built by "
                f"{self.make!r:.100}, which cannot be imported there; expected a function or class "
                "at the top level of a module. Define it there, as in def make(value): ..., and "
                "pass it to peer_operation; or stay in one process (jobs=1, num_workers=0)"
            ) from error
        return Built, (self.name, self.make)


def _runner(transform: Any) -> Callable[[Any, Pixels, int], Pixels]:
    libraries = {kind.__module__.partition(".")[0] for kind in type(transform).__mro__}
    for library, run in _RUNNERS.items():
        if library in libraries:
            return run
    raise UsageError(
        f"got {type(transform).__name__} of {type(transform).__module__}; expected a transform of "
        f"{', '.join(_RUNNERS)}. Turn other functions into operations with @automorph.operation"
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
