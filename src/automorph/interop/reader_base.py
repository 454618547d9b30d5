"""Functions shared by the readers of all libraries."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from automorph.interop.ir import MOVED, Act, Draw, NotExpressibleError, does_nothing, joined
from automorph.operations import OPERATIONS
from automorph.policies import Fill, Interpolation, Policy

Part = Draw | Policy
"""The parts read from a pipeline: draws, and named policies."""

BESIDE = (
    "leave the step out and apply it separately, or use it in a space: automorph.peer_operation"
)


@dataclass(frozen=True)
class Near:
    """A transform that matches no operation: the reason, and the closest policy."""

    why: str
    policy: str


@dataclass
class Notes:
    """A reader's notes on a pipeline: steps that were left out, and differences.

    ``exact`` are operations that are read exactly, though their export is only alike.
    """

    skipped: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    exact: set[str] = field(default_factory=set)

    @property
    def lines(self) -> list[str]:
        """The notes, one line each."""
        named = ", ".join(dict.fromkeys(self.skipped))
        first = [f"left out, to be applied separately: {named}"] if named else []
        return [*first, *dict.fromkeys(self.others)]

    def in_order(self, draws: Iterable[Part]) -> None:
        """Note that colour operations shuffled by the library are applied in a fixed order."""
        found = [draw for draw in draws if isinstance(draw, Draw)]
        kernels = [act.kernel for draw in found for option in draw.options for act in option]
        if len(kernels) > 1:
            self.others.append(
                f"{', '.join(kernels)} are applied in this order; the library shuffles them"
            )


def act_of(
    kernel: str,
    *stretches: tuple[float, float],
    probability: float = 1.0,
    unit: str | None = None,
    levels: int = 0,
) -> Act:
    """Make an act of an operation of the catalogue."""
    base = OPERATIONS[kernel]
    operation = base if unit is None else replace(base, unit=unit)
    ordered = tuple((min(ends), max(ends)) for ends in stretches)
    return Act(operation, ordered, probability, levels)


def always(*acts: Act, fill: Fill = 0, interpolation: str = "nearest") -> Draw:
    """Make a draw with one option: these acts, in order."""
    return Draw((acts,), (1.0,), fill, "bilinear" if interpolation == "bilinear" else "nearest")


def perhaps(draws: Sequence[Part], p: float) -> Draw:
    """Make a fixed pipeline that is used as a whole with a probability."""
    acts, (fill, interpolation) = acts_of(draws), style_of(draws)
    if len(acts) == 1:
        acts = (replace(acts[0], probability=acts[0].probability * p),)
    if len(acts) == 1 or p >= 1:
        return always(*acts, fill=fill, interpolation=interpolation)
    return Draw((acts, ()), (p, 1 - p), fill, interpolation)


def one_of(inside: Sequence[Sequence[Part]], weights: Sequence[float], p: float = 1.0) -> Draw:
    """Make a choice among fixed pipelines by weight, or none of them with probability 1 - p."""
    options = [acts_of(draws) for draws in inside]
    shares = [p * weight / sum(weights) for weight in weights]
    if p < 1:
        options, shares = [*options, ()], [*shares, 1 - p]
    fill, interpolation = style_of([draw for draws in inside for draw in draws])
    merged = _one_act(options, shares)
    if merged is not None:
        return always(merged, fill=fill, interpolation=interpolation)
    return Draw(tuple(options), tuple(shares), fill, interpolation)


def acts_of(draws: Iterable[Part]) -> tuple[Act, ...]:
    """Return the acts of a fixed pipeline."""
    found: list[Act] = []
    for draw in draws:
        if isinstance(draw, Policy) or len(draw.options) > 1:
            raise NotExpressibleError(
                "got a choice inside a choice; a policy can express only successive choices"
            )
        found += draw.options[0]
    return tuple(found)


def style_of(draws: Iterable[Part]) -> tuple[Fill, Interpolation]:
    """Return the fill and interpolation of the draws that move the image."""
    moved = [
        (draw, {act.kernel for act in sum(draw.options, ())} & {*MOVED})
        for draw in draws
        if isinstance(draw, Draw)
    ]
    fills = {draw.fill for draw, kernels in moved if kernels}
    # Padded crops move by whole pixels, so they adopt the interpolation of the others.
    modes = {draw.interpolation for draw, kernels in moved if kernels - {"PadCrop"}}
    modes = modes or {draw.interpolation for draw, kernels in moved if kernels}
    if len(fills) > 1 or len(modes) > 1:
        raise NotExpressibleError(
            f"got one choice or pipeline with several fills ({fills}) or interpolations ({modes}); "
            "a policy has one of each for all that is drawn together. Use the same for all, or "
            "apply them one after the other"
        )
    return (fills.pop(), modes.pop()) if fills else (0, "nearest")


def mirrored(act: Act) -> bool:
    """Return whether two stretches cover equal shares of the ranges beside the identity."""
    middle = act.operation.identity
    if len(act.stretches) != 2 or middle is None:
        return False
    (low, high), (first, last) = sorted(act.stretches)
    if not low < middle < last:
        return False
    return abs((high - middle) / (low - middle) - (first - middle) / (last - middle)) < 1e-4


def _one_act(options: Sequence[tuple[Act, ...]], shares: Sequence[float]) -> Act | None:
    """Return one act if the options are the two sides of one operation, and perhaps nothing."""
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
        return None  # Twice the same act has no sides.
    if len(first.stretches) != 1 or len(last.stretches) != 1 or abs(share - other) > 1e-6:
        return None
    both = joined(tuple(sorted((*first.stretches, *last.stretches))), first.operation)
    p = 1.0 if len(active) == len(options) else round(share + other, 9)
    act = Act(first.operation, both, p)
    return act if len(both) == 1 or mirrored(act) else None


def refuse(transform: Any, given: Callable[[Any, str], Any] = getattr, /, **defaults: Any) -> None:
    """Refuse parameters at values that cannot be read, all of them at once."""
    wrong = [
        (name, given(transform, name), value)
        for name, value in defaults.items()
        if not _same(_plain(given(transform, name)), _plain(value))
    ]
    if wrong:
        raise _refusal(transform, wrong)


def refused(transform: Any, name: str, got: Any, expected: Any) -> NotExpressibleError:
    """Return the error for a parameter at a value that cannot be read."""
    return _refusal(transform, [(name, got, expected)])


def _refusal(transform: Any, wrong: Sequence[tuple[str, Any, Any]]) -> NotExpressibleError:
    """Return the error for parameters, each with its name, given and accepted value."""
    got = ", ".join(f"{name}={_plain(value)!r}" for name, value, _ in wrong)
    kind = type(transform).__name__
    expected = ", ".join(
        f"{name} is {value}" if isinstance(value, str) and " " in value
        else f"{name}={_plain(value)!r}"
        for name, _, value in wrong
    )  # fmt: skip
    return NotExpressibleError(
        f"got {kind} with {got}; a {kind} can be read only if {expected}. Change it, {BESIDE}"
    )


def _plain(value: Any) -> Any:
    """Convert a value to numbers, strings and tuples."""
    if isinstance(value, Enum):
        return value.name.lower()
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        # Such as 1.33 for 4 / 3, or a grey of 0.5 for 128 of 255.
        return abs(first - second) <= 3e-3 * max(1.0, abs(second))
    return bool(first == second)


def no_operation(library: str, kind: str, near: Near | None = None) -> NotExpressibleError:
    """Return the error for a transform that the catalogue does not have."""
    if near is None:
        return NotExpressibleError(
            f"got {library}'s {kind}, which matches no operation of the catalogue; {BESIDE}"
        )
    return NotExpressibleError(
        f"got {library}'s {kind}, which cannot be read exactly: {near.why}. Use the policy "
        f"{near.policy!r}, which is close to it, {BESIDE}"
    )


def pair(ends: Any) -> tuple[float, float]:
    """Convert two ends to numbers."""
    low, high = (float(end) for end in ends)
    return low, high


def level(transform: Any, fill: Any) -> Fill:
    """Return a fill in whole levels, one number if all channels are equal."""
    levels = fill if isinstance(fill, (list, tuple)) else (fill or 0,)
    if any(isinstance(part, str) or part != int(part) for part in levels):
        raise refused(transform, "fill", fill, "whole levels from 0 to 255")
    whole = tuple(map(int, levels))
    return whole if len(set(whole)) > 1 else whole[0]


def resized_crop(transform: Any, scale: Any, probability: float = 1.0) -> Draw:
    """Read a random crop of at least some share of the image."""
    low, high = pair(scale)
    if high != 1:
        raise refused(transform, "scale", (low, high), (low, 1))
    return always(act_of("ResizedCrop", (low, low), probability=probability))


def erased(transform: Any, scale: Any, probability: float) -> Draw:
    """Read an erased rectangle of at most some share of the image."""
    low, high = pair(scale)
    if low != 0:
        raise refused(transform, "scale", (low, high), (0, high))
    return always(act_of("RandomErasing", (high, high), probability=probability))


def blurred(transform: Any, name: str, kernel: Any, deviations: Any, probability: float) -> Draw:
    """Read a Gaussian blur, unless its kernel is too small for its deviations."""
    low, high = pair(deviations)
    sides = kernel if isinstance(kernel, (list, tuple)) else (kernel,)
    # On photographs, a kernel of two deviations per side is within half a level of a full one.
    min_side = math.ceil(4 * high) + 1
    if min(sides) < min_side:
        raise refused(
            transform, name, kernel, f"{min_side} or more for a standard deviation of {high:g}"
        )
    return always(act_of("Blur", (low, high), probability=probability))
