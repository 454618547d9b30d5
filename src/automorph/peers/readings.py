"""What the readers of all libraries share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from automorph.peers.terms import MOVED, Act, Draw, NotExpressibleError, does_nothing, joined
from automorph.policies.base import Fill, Interpolation
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


def perhaps(draws: Sequence[Draw], p: float) -> Draw:
    """A fixed pipeline that is used with a probability, as a whole."""
    acts, (fill, interpolation) = acts_of(draws), style_of(draws)
    if len(acts) == 1:
        acts = (replace(acts[0], probability=acts[0].probability * p),)
    if len(acts) == 1 or p >= 1:
        return always(*acts, fill=fill, interpolation=interpolation)
    return Draw((acts, ()), (p, 1 - p), fill, interpolation)


def one_of(inside: Sequence[Sequence[Draw]], weights: Sequence[float], p: float = 1.0) -> Draw:
    """One of some fixed pipelines by weight, and none of them with probability 1 - p."""
    options = [acts_of(draws) for draws in inside]
    shares = [p * weight / sum(weights) for weight in weights]
    if p < 1:
        options, shares = [*options, ()], [*shares, 1 - p]
    fill, interpolation = style_of([draw for draws in inside for draw in draws])
    merged = _one_act(options, shares)
    if merged is not None:
        return always(merged, fill=fill, interpolation=interpolation)
    return Draw(tuple(options), tuple(shares), fill, interpolation)


def acts_of(draws: Iterable[Draw]) -> tuple[Act, ...]:
    """The acts of a fixed pipeline."""
    found: list[Act] = []
    for draw in draws:
        if len(draw.options) > 1:
            raise NotExpressibleError(
                "got a choice inside a choice; a policy can say one choice after the other"
            )
        found += draw.options[0]
    return tuple(found)


def style_of(draws: Iterable[Draw]) -> tuple[Fill, Interpolation]:
    """Fill and interpolation of those that move the image."""
    styles = {
        (draw.fill, draw.interpolation)
        for draw in draws
        if any(act.kernel in MOVED for option in draw.options for act in option)
    }
    if len(styles) > 1:
        raise NotExpressibleError(
            f"got one choice with several fills and interpolations, {sorted(map(str, styles))}; a "
            "policy has one of them for all options. Give all the same, or put them one after the "
            "other"
        )
    return styles.pop() if styles else (0, "nearest")


def mirrored(act: Act) -> bool:
    """Whether two stretches are the same shares of the ways from the identity to both ends."""
    middle = act.operation.identity
    if len(act.stretches) != 2 or middle is None:
        return False
    (low, high), (first, last) = sorted(act.stretches)
    if not low < middle < last:
        return False
    return abs((high - middle) / (low - middle) - (first - middle) / (last - middle)) < 1e-4


def _one_act(options: Sequence[tuple[Act, ...]], shares: Sequence[float]) -> Act | None:
    """One act, if the options are the two sides of one operation, and perhaps nothing."""
    active = [
        (option, share)
        for option, share in zip(options, shares, strict=True)
        if not all(map(does_nothing, option))
    ]
    if len(active) != 2 or any(len(option) != 1 for option, _ in active):
        return None
    ((first,), share), ((last,), other) = active
    if first.operation != last.operation or first.probability * last.probability < 1:
        return None
    if first.stretches == last.stretches:
        return None  # The same thing twice has no sides.
    if len(first.stretches) != 1 or len(last.stretches) != 1 or abs(share - other) > 1e-6:
        return None
    both = joined(tuple(sorted((*first.stretches, *last.stretches))), first.operation)
    p = 1.0 if len(active) == len(options) else round(share + other, 9)
    act = Act(first.operation, both, p)
    return act if len(both) == 1 or mirrored(act) else None


def no_operation(library: str, kind: str) -> NotExpressibleError:
    """The error for a transform that the catalogue does not have."""
    return NotExpressibleError(
        f"got {library}'s {kind}, which no operation of the catalogue is; leave it out, or use it "
        "in a space: automorph.peer_operation"
    )


def pair(ends: Any) -> tuple[float, float]:
    """Two ends as numbers."""
    low, high = (float(end) for end in ends)
    return low, high
