"""Functions shared by the readers of all libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from automorph.interop.ir import (
    MOVED,
    Act,
    Draw,
    NotExpressibleError,
    does_nothing,
    joined,
    terms_of,
)
from automorph.operations import KERNELS, OPERATIONS
from automorph.policies import Fill, Interpolation, Policy

_MOST_OPTIONS = 1000
Part = Draw | Policy
"""The parts read from a pipeline: draws, and named policies."""


@dataclass
class Notes:
    """A reader's notes on a pipeline: steps that were left out, and differences.

    ``exact`` are operations that are read exactly, though their export is only alike.
    """

    skipped: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    exact: set[str] = field(default_factory=set)
    columns_first: bool = False
    """Whether the first axis of images goes from left to right, as MONAI's LoadImage makes it."""
    libraries: list[str] = field(default_factory=list)
    read: Callable[[Any, Notes], Sequence[Part]] | None = None
    """Reads a part of any library; `None` outside `import_policy`."""
    level: float = 1.0
    """The number that stands for white at this place of the pipeline, before `normal`."""
    normal: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """Means and standard deviations by which the pipeline has normalised."""
    resized: Any = None
    """The size to which the pipeline has resized: a shorter side, or (height, width)."""

    def inside(self, parts: Iterable[Any]) -> list[Part]:
        """Read the parts of a container, whatever library each comes from."""
        assert self.read is not None
        return [draw for part in parts for draw in self.read(part, self)]

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
    settings: Mapping[str, Any] | None = None,
) -> Act:
    """Make an act of an operation of the catalogue; ``settings`` are constants of its kernel."""
    usual = KERNELS[kernel].constants
    own = {key: one for key, one in (settings or {}).items() if usual.get(key) != one}
    base = OPERATIONS[kernel].with_settings(**own)
    operation = base if unit is None else replace(base, unit=unit)
    ordered = tuple((min(ends), max(ends)) for ends in stretches)
    return Act(operation, ordered, probability, levels)


def always(*acts: Act, fill: Fill = 0, interpolation: str = "nearest") -> Draw:
    """Make a draw with one option: these acts, in order."""
    return Draw((acts,), (1.0,), fill, "bilinear" if interpolation == "bilinear" else "nearest")


def perhaps(draws: Sequence[Part], p: float) -> Draw:
    """Make a pipeline that is used as a whole with a probability."""
    options, (fill, interpolation) = options_of(draws), style_of(draws)
    if len(options) > 1:
        rest = [((), 1 - p)] if p < 1 else []
        together = [*((acts, share * p) for acts, share in options), *rest]
        found, shares = zip(*together, strict=True)
        return Draw(found, shares, fill, interpolation)
    ((acts, _),) = options
    if len(acts) == 1:
        acts = (replace(acts[0], probability=acts[0].probability * p),)
    if len(acts) == 1 or p >= 1:
        return always(*acts, fill=fill, interpolation=interpolation)
    return Draw((acts, ()), (p, 1 - p), fill, interpolation)


def one_of(inside: Sequence[Sequence[Part]], weights: Sequence[float], p: float = 1.0) -> Draw:
    """Make a choice among pipelines by weight, or none of them with probability 1 - p."""
    options: list[tuple[Act, ...]] = []
    shares: list[float] = []
    for draws, weight in zip(inside, weights, strict=True):
        for acts, share in options_of(draws):
            options.append(acts)
            shares.append(p * weight / sum(weights) * share)
    if p < 1:
        options, shares = [*options, ()], [*shares, 1 - p]
    fill, interpolation = style_of([draw for draws in inside for draw in draws])
    merged = _one_act(options, shares)
    if merged is not None:
        return always(merged, fill=fill, interpolation=interpolation)
    return Draw(tuple(options), tuple(shares), fill, interpolation)


def options_of(draws: Iterable[Part]) -> list[tuple[tuple[Act, ...], float]]:
    """Return what a pipeline may do: the acts of each combination of its choices, by probability.

    A policy expresses only successive choices, so a choice inside a choice is multiplied out.
    """
    found: list[tuple[tuple[Act, ...], float]] = [((), 1.0)]
    for draw in _draws_of(draws):
        pairs = list(zip(draw.options, draw.weights, strict=True))
        if len(found) * len(pairs) > _MOST_OPTIONS:
            raise NotExpressibleError(
                f"got choices inside a choice with more than {_MOST_OPTIONS} combinations; "
                "expected fewer. Apply them one after the other, outside the choice"
            )
        found = [
            ((*acts, *more), share * weight) for acts, share in found for more, weight in pairs
        ]
    return found


def _draws_of(parts: Iterable[Part]) -> list[Draw]:
    """Return the draws of all parts; those of named policies, too."""
    return [
        draw for part in parts for draw in (terms_of(part) if isinstance(part, Policy) else (part,))
    ]


def style_of(draws: Iterable[Part]) -> tuple[Fill, Interpolation]:
    """Return the fill and interpolation of the draws that move the image."""
    moved = [
        (draw, {act.kernel for act in sum(draw.options, ())} & {*MOVED})
        for draw in _draws_of(draws)
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
