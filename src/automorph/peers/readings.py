"""What the readers of all libraries share."""

from __future__ import annotations

from dataclasses import replace

from automorph.peers.terms import Act, Draw
from automorph.policies.base import Fill
from automorph.space import OPERATIONS


def act_of(
    kernel: str,
    *stretches: tuple[float, float],
    probability: float = 1.0,
    unit: str | None = None,
    levels: int = 0,
) -> Act:
    """An act of an operation of the catalogue."""
    base = OPERATIONS[kernel]
    operation = base if unit is None else replace(base, unit=unit)
    ordered = tuple((min(ends), max(ends)) for ends in stretches)
    return Act(operation, ordered, probability, levels)


def always(*acts: Act, fill: Fill = 0, interpolation: str = "nearest") -> Draw:
    """A draw of one option: these acts, one after the other."""
    return Draw((acts,), (1.0,), fill, "bilinear" if interpolation == "bilinear" else "nearest")
