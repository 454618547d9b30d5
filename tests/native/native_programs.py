"""Random batches and programs of every kind, each from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.operations import SearchSpace, Sequences, Stream, named_space

SPACES = tuple(
    named_space(name)
    for name in ("catalogue", "autoaugment", "trivialaugment-wide", "randaugment", "tanda-cifar10")
)


@dataclass(frozen=True, eq=False)
class Case:
    """All arguments and options of an engine."""

    images: NDArray[np.uint8]
    sequences: Sequences
    space: SearchSpace
    stream: Stream
    options: dict[str, Any]

    def through(self, apply: Any, **more: Any) -> NDArray[np.uint8]:
        """The result of an engine."""
        out: NDArray[np.uint8] = apply(
            self.images, self.sequences, self.space, self.stream, **{**self.options, **more}
        )
        return out


def case(number: int, *, most: int = 4) -> Case:
    """1 to ``most`` images of sides 1 to 70, grey, RGB or RGBA; programs of length 1 to 6."""
    rng = np.random.default_rng(number)
    n, channels = int(rng.integers(1, most + 1)), int(rng.choice([1, 3, 4]))
    height, width = (int(side) for side in rng.integers(1, 71, 2))
    space = SPACES[int(rng.integers(len(SPACES)))]
    shape = (n, int(rng.integers(1, 7)))
    return Case(
        pictures(rng, (n, height, width, channels)),
        Sequences.of(
            rng.integers(-1, len(space), shape),
            np.where(rng.random(shape) < 0.5, rng.integers(0, 31, shape) / 30, rng.random(shape)),
            rng.random(shape) < 0.9,
        ),
        space,
        Stream(
            seed=int(rng.integers(1000)),
            epoch=int(rng.integers(1000)),
            index=rng.integers(0, 2**40, n),
            copy=int(rng.integers(10)),
        ),
        {
            "fill": rng.integers(0, 256, channels).tolist() if rng.random() < 0.5 else 0,
            "interpolation": str(rng.choice(["nearest", "bilinear"])),
            "mode": str(rng.choice(["exact", "exact", "fused"])),
            "prefixes": bool(rng.random() < 0.3),
        },
    )


def pictures(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Noise, few levels, a narrow range, a ramp or one colour."""
    noise = rng.integers(0, 256, shape, dtype=np.uint8)
    kind = rng.integers(5)
    if kind == 1:
        return rng.choice(rng.integers(0, 256, 3, dtype=np.uint8), shape)
    if kind == 2:
        return (noise // 4 + 100).astype(np.uint8)
    if kind == 3:
        ramp = np.linspace(0, 255, shape[2]).astype(np.uint8)[None, None, :, None]
        return np.ascontiguousarray(np.broadcast_to(ramp, shape))
    if kind == 4:
        colour = rng.integers(0, 256, shape[3], dtype=np.uint8)
        return np.ascontiguousarray(np.broadcast_to(colour, shape))
    return noise
