"""What is looked at: every operation of a space, on a few examples, at growing magnitudes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from automorph.data import Dataset, Split
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace
from automorph.policies import (
    Mark,
    Policy,
    Uniform,
    WrongFrom,
    mark_words,
    one_side,
    remaining,
    sides_of,
    value_text,
)
from automorph.report import Picture, column, marked, overlaid
from automorph.targets import Masks, target_of

LONGEST = 300
"""Characters of a text that are shown."""
STEPS = 6
"""Magnitudes on each side of the identity."""


@dataclass(frozen=True)
class View:
    """An operation at one magnitude: a picture of all examples, or their texts."""

    magnitude: float
    words: str
    right_to: float | None
    """The magnitude before this one; None: there is none."""
    kept: tuple[float, float] | None
    """The range of the operation if this side is wrong from here on; None: nothing is left."""
    picture: Picture | None = None
    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Line:
    """One side of an operation, from weak to strong."""

    side: str
    title: str
    views: Sequence[View]


@dataclass(frozen=True)
class Reviewed:
    """An operation with its lines, and what is known of it."""

    operation: Operation
    lines: Sequence[Line]
    risk: str = ""
    """What `explain` predicts, in words."""

    @property
    def name(self) -> str:
        """The name of the operation."""
        return self.operation.name


@dataclass(frozen=True)
class Sheet:
    """All that the page shows."""

    data: str
    space: SearchSpace
    captions: Sequence[str]
    """What each example is labelled with."""
    original: Picture | None
    texts: Sequence[str]
    rows: Sequence[Reviewed]
    remarks: Sequence[str] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of changed examples on the page."""
        lines = (line for row in self.rows for line in row.lines)
        return sum(len(line.views) for line in lines) * len(self.captions)


def make_sheet(
    data: Dataset,
    space: SearchSpace,
    part: Split,
    captions: Sequence[str],
    *,
    steps: int = STEPS,
    seed: int = 0,
    protect: Sequence[str] = (),
    risks: Mapping[str, str] | None = None,
    marks: Mapping[str, Mark] | None = None,
) -> Sheet:
    """Apply every operation of a space to the examples of ``part``, at ``steps`` magnitudes.

    Every magnitude of an operation uses the same random numbers, so that only the magnitude
    differs. ``risks`` are sentences by operation. Operations that change nothing are left out.

    Raises `UsageError` for a space of another domain, and for one that needs other examples.
    """
    if space.domain != data.domain:
        raise UsageError(
            f"the space {space.name!r} has operations for the domain {space.domain}, but "
            f"{data.name} holds {data.domain}s; expected a space for {data.domain}s: see "
            "automorph list spaces"
        )
    shown = [one for one in space if not one.magnitude_free or one.identity != one.low]
    mixing = [one.name for one in shown if one.partner]
    remarks = [f"Not shown, because they mix examples: {', '.join(mixing)}."] if mixing else []
    draw = _Draw(data, part, space, seed, tuple(protect))
    rows = [
        Reviewed(one, [_line(one, side, steps, draw) for side in sides_of(one)], (risks or {}).get(
            one.name, ""
        ))
        for one in shown
        if not one.partner
    ]  # fmt: skip
    texts = [text[:LONGEST] for text in part.data.tolist()] if data.domain == "text" else []
    return Sheet(
        data=data.name,
        space=space,
        captions=list(captions),
        original=None if texts else column(draw.originals()),
        texts=texts,
        rows=rows,
        remarks=remarks,
        marks=dict(marks or {}),
    )


def magnitudes_of(operation: Operation, steps: int) -> list[float]:
    """Return the magnitudes to show: evenly spaced up to 1, each with another value.

    >>> rotate = Operation("Rotate", low=-30, high=30, identity=0)
    >>> magnitudes_of(rotate, 4)
    [0.25, 0.5, 0.75, 1.0]
    >>> magnitudes_of(Operation("Posterize", low=6, high=8, identity=8, whole=True), 4)
    [0.5, 0.75]
    >>> magnitudes_of(Operation("Invert"), 4)
    [1.0]
    """
    if operation.magnitude_free:
        return [1.0]
    start = 1 if operation.identity_at_zero else 0
    found: dict[float, float] = {}
    for step in range(start, steps + 1):
        value = float(operation.values(step / steps, 1.0).item())
        if not (operation.identity_at_zero and value == operation.identity):
            found.setdefault(value, step / steps)
    return list(found.values())


def _line(operation: Operation, side: str, steps: int, draw: _Draw) -> Line:
    half = one_side(operation, side)
    views = list(_views(operation, half, side, magnitudes_of(half, steps), draw))
    title = "" if half.magnitude_free else value_text(half, 0, 1)
    return Line(side, title, views)


def _views(
    operation: Operation, half: Operation, side: str, magnitudes: Sequence[float], draw: _Draw
) -> Iterator[View]:
    before = None
    for magnitude in magnitudes:
        # A magnitude of zero cannot be followed by a smaller one that is right.
        wrong = WrongFrom(magnitude, before)
        rest = remaining(operation, Mark(wrong={side: wrong}))
        picture, texts = draw(half, magnitude)
        yield View(
            magnitude,
            mark_value(half, magnitude),
            before,
            None if rest is None else (float(rest.low), float(rest.high)),
            picture,
            texts,
        )
        before = magnitude


def mark_value(operation: Operation, magnitude: float) -> str:
    """Return the value at a magnitude, or that there is only one."""
    return value_text(operation, magnitude) or "applied"


@dataclass
class _Draw:
    """Applies one operation to the examples."""

    data: Dataset
    part: Split
    space: SearchSpace
    seed: int
    protect: tuple[str, ...]

    def originals(self) -> Any:
        target = target_of(self.data)
        if isinstance(target, Masks):
            return overlaid(self.part.data, self.part.expected)
        return self.part.data

    def __call__(
        self, operation: Operation, magnitude: float
    ) -> tuple[Picture | None, Sequence[str]]:
        # The name of the space decides how what lies outside an image is filled.
        policy: Policy = Uniform(
            operations=SearchSpace(self.space.name, (operation,)), length=1,
            low=magnitude, high=magnitude,
        )  # fmt: skip
        target = target_of(self.data)
        if isinstance(target, Masks):
            images, masks = target.preview(
                policy, self.part.data, self.part.expected, draws=1, seed=self.seed
            )
            return column(overlaid(images, masks)[:, 1]), ()
        if self.data.domain == "text":
            policy = policy.fitted(self.data.train.data, protect=self.protect)
        pairs = policy.preview(self.part.data, draws=1, seed=self.seed)
        if self.data.domain == "text":
            return None, [marked(before[:LONGEST], after[:LONGEST]) for before, after in pairs]
        return column(np.asarray(pairs)[:, 1]), ()


def words_of(sheet: Sheet) -> dict[str, str]:
    """Return what is marked now, in words, by operation."""
    return {row.name: mark_words(row.operation, sheet.marks.get(row.name)) for row in sheet.rows}
