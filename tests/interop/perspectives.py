"""Builders of transforms: some can be imported by other processes, some cannot."""

from __future__ import annotations

from typing import Any

from automorph.interop import peer_operation
from automorph.operations import Operation


def bend(value: float) -> Any:
    """A perspective transform of the given strength."""
    from torchvision.transforms import v2

    return v2.RandomPerspective(value, p=1)


class Spin:
    """A builder of rotations: an object whose class can be imported."""

    def __init__(self, most: float) -> None:
        self.most = most

    def __call__(self, value: float) -> Any:
        """A rotation by up to a share of the maximum."""
        from torchvision.transforms import v2

        return v2.RandomRotation(value * self.most)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spin) and self.most == other.most

    __hash__ = None  # type: ignore[assignment]


def local() -> Any:
    """A builder defined inside a function."""

    def inside(value: float) -> Any:
        return bend(value)

    return inside


def operation_of(make: Any, name: str = "Perspective") -> Operation:
    """An operation made from a builder."""
    return peer_operation(make, name=name, range=(0, 0.5), identity=0)


def twist(value: float) -> Any:
    """The operation that it builds takes over its name."""
    return bend(value)


twist = operation_of(twist, "Twist")  # type: ignore[assignment]
