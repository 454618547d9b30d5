"""Operations on vectors, for experiments with a known answer.

The displacement experiments of TANDA (Ratner et al. 2017; released code): operations move points of
the unit disc; a point that leaves the disc loses its class.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.operations.random import Stream
from automorph.operations.spec import Operation

Points = NDArray[np.float64]


def displacement(name: str, step: tuple[float, ...]) -> Operation:
    """Make the operation that adds a fixed vector scaled by the value: ``x + v * step``.

    >>> move = displacement("right", (0.75, 0.0))
    >>> move.function(np.zeros((1, 2)), np.ones(1)).tolist()
    [[0.75, 0.0]]
    """
    vector = np.asarray(step, np.float64)

    def move(points: Points, values: Points) -> Points:
        return points + values[:, None] * vector

    return Operation(
        name, low=1.0, high=1.0, identity=0.0, domain="vector", function=move, batched=True,
        about=f"Adds {tuple(round(float(v), 3) for v in vector)}.",
    )  # fmt: skip


def small_and_large(seed: int = 0) -> tuple[Operation, ...]:
    """Set 1: 10 small displacements, U(-0.1, 0.1) per coordinate, and 5 large ones, U(-2, 2)."""
    u = 2.0 * Stream(seed=seed, index=np.arange(15)).uniform("displacements", 2) - 1.0
    scale = np.where(np.arange(15) < 10, 0.1, 2.0)[:, None]
    names = [f"small{i}" for i in range(10)] + [f"large{i}" for i in range(5)]
    steps = (u * scale).tolist()
    return tuple(displacement(name, tuple(step)) for name, step in zip(names, steps, strict=True))


def axes(dimensions: int = 2, length: float = 0.75) -> tuple[Operation, ...]:
    """Set 2: one displacement along each axis; the same axis twice leaves the disc."""
    steps = (np.eye(dimensions) * length).tolist()
    return tuple(displacement(f"axis{i}", tuple(step)) for i, step in enumerate(steps))


def shrinking_axes(dimensions: int = 2, length: float = 0.75) -> tuple[Operation, ...]:
    """Set 3: both ways along each axis, scaled by min(1, 2 / |x|^2); they do not commute."""

    def make(axis: int, sign: int) -> Operation:
        step = np.zeros(dimensions)
        step[axis] = sign * length

        def move(points: Points, values: Points) -> Points:
            square = np.maximum((points**2).sum(1), 1e-12)
            return np.asarray(points + (values * np.minimum(1.0, 2.0 / square))[:, None] * step)

        return Operation(
            f"axis{axis}{'+' if sign > 0 else '-'}", low=1.0, high=1.0, identity=0.0,
            domain="vector", function=move, batched=True, about="Moves along an axis.",
        )  # fmt: skip

    return tuple(make(axis, sign) for axis in range(dimensions) for sign in (1, -1))


def sticky_angles(seed: int = 0, count: int = 10, length: float = 0.33) -> tuple[Operation, ...]:
    """Set 4: vectors at random angles; points with |x| >= 1.5 are stuck."""
    turns = Stream(seed=seed, index=np.arange(count)).uniform("angles", 1)[:, 0] * 2.0 * np.pi

    def make(number: int, angle: float) -> Operation:
        step = length * np.array([np.cos(angle), np.sin(angle)])

        def move(points: Points, values: Points) -> Points:
            free = (points**2).sum(1) < 1.5**2
            return np.asarray(points + (values * free)[:, None] * step)

        return Operation(
            f"angle{number}", low=1.0, high=1.0, identity=0.0, domain="vector", function=move,
            batched=True, about=f"Moves at {np.degrees(angle):.0f} degrees unless stuck.",
        )  # fmt: skip

    return tuple(make(i, float(turn)) for i, turn in enumerate(turns))


def unit_disc(n: int, seed: int = 0) -> Points:
    """Sample ``n`` points uniformly from the unit disc, float64 ``(n, 2)``."""
    u = Stream(seed=seed, index=np.arange(n)).uniform("disc", 2).astype(np.float64)
    radius, angle = np.sqrt(u[:, 0]), 2.0 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
