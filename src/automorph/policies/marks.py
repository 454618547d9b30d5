"""What a person marked while looking at a search space, and the space that remains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from automorph.errors import PolicyError
from automorph.operations import Operation, SearchSpace
from automorph.policies.formatting import value_text

SIDES = ("+", "-")
"""Away from the identity: ``+`` towards the high end of a signed operation, ``-`` the low end.

An operation that is not signed has the side ``+`` only.
"""
SUFFIX = "-reviewed"


@dataclass(frozen=True)
class WrongFrom:
    """From which magnitude on the label is wrong, and up to which it was seen to be right."""

    magnitude: float
    right_to: float | None = None
    """None: it was right at no magnitude that was shown."""

    def __post_init__(self) -> None:
        right = self.right_to
        if not (0 <= self.magnitude <= 1 and (right is None or 0 <= right < self.magnitude)):
            raise PolicyError(
                f"got a label that is wrong from magnitude {self.magnitude!r:.40} and right up to "
                f"{right!r:.40}; expected magnitudes from 0 to 1, the second one smaller"
            )


@dataclass(frozen=True)
class Mark:
    """The judgement on one operation; without any entry, all of its range is right."""

    never: bool = False
    """True if what the operation does never happens in such data."""
    wrong: Mapping[str, WrongFrom] = field(default_factory=dict)
    """By side; see `SIDES`."""


def sides_of(operation: Operation) -> tuple[str, ...]:
    """Return the sides on which an operation can be marked."""
    return SIDES if operation.signed else SIDES[:1]


def one_side(operation: Operation, side: str) -> Operation:
    """Return the operation restricted to one side of its identity.

    >>> rotate = Operation("Rotate", low=-30, high=20, identity=0, unit="deg")
    >>> one_side(rotate, "-").ends
    (0.0, -30.0)
    """
    if not operation.signed:
        return operation
    middle = float(operation.identity or 0)
    return operation.between(*((middle, operation.high), (operation.low, middle))[side == "-"])


def remaining(operation: Operation, mark: Mark) -> Operation | None:
    """Return the operation with the range that is right; None if nothing is left of it.

    >>> rotate = Operation("Rotate", low=-30, high=30, identity=0, unit="deg")
    >>> kept = remaining(rotate, Mark(wrong={"+": WrongFrom(0.5, 0.25)}))
    >>> kept.low, kept.high
    (-30, 7.5)
    >>> remaining(rotate, Mark(never=True)) is None
    True
    """
    if mark.never:
        return None
    last = {
        side: mark.wrong[side].right_to if side in mark.wrong else 1.0
        for side in sides_of(operation)
    }
    if all(magnitude is None for magnitude in last.values()):
        return None
    if not mark.wrong:
        return operation
    if operation.signed:
        middle = float(operation.identity or 0)
        low, high = operation.low, operation.high
        for side, magnitude in last.items():
            sign = 1.0 if side == "+" else -1.0
            end = middle if magnitude is None else float(operation.values(magnitude, sign).item())
            low, high = (low, end) if side == "+" else (end, high)
        if "+" not in mark.wrong:
            high = operation.high
        if "-" not in mark.wrong:
            low = operation.low
        return operation.between(low, high)
    ends = [float(operation.values(magnitude).item()) for magnitude in (0.0, last["+"] or 0.0)]
    return operation.between(min(ends), max(ends))


def marked_space(space: SearchSpace, marks: Mapping[str, Mark]) -> SearchSpace:
    """Return the part of a space that is right. Raises `PolicyError` if nothing is left."""
    rests = [remaining(operation, marks.get(operation.name, Mark())) for operation in space]
    name = space.name if space.name.endswith(SUFFIX) else f"{space.name}{SUFFIX}"
    kept = tuple(rest for rest in rests if rest is not None)
    return compared(SearchSpace(name, kept), space)


def compared(kept: SearchSpace, looked_at: SearchSpace) -> SearchSpace:
    """Return the space that a person kept, with what they left out of the one they looked at."""
    refused = tuple(name for name in looked_at.names if name not in kept.names)
    limited = tuple(
        one.name
        for one in kept
        if one.name in looked_at.names
        and (one.low, one.high) != (looked_at[one.name].low, looked_at[one.name].high)
    )
    return replace(kept, refused=refused, limited=limited)


def mark_words(operation: Operation, mark: Mark | None) -> str:
    """Describe a mark in the unit of the operation.

    >>> rotate = Operation("Rotate", low=-30, high=30, identity=0, unit="deg")
    >>> mark_words(rotate, Mark(wrong={"+": WrongFrom(0.5, 0.25), "-": WrongFrom(1.0, 0.5)}))
    'wrong from 15 deg and from -30 deg'
    >>> mark_words(rotate, Mark()), mark_words(rotate, Mark(never=True)), mark_words(rotate, None)
    ('all right', 'never happens', '')
    """
    if mark is None:
        return ""
    if mark.never:
        return "never happens"
    found = []
    for side in sides_of(operation):
        if side in mark.wrong:
            value = value_text(one_side(operation, side), mark.wrong[side].magnitude)
            found.append(f"from {value}" if value else "throughout")
    return f"wrong {' and '.join(found)}" if found else "all right"
