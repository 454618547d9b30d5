"""Parameters and classes that cannot be read: the errors that say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from automorph.interop.ir import NotExpressibleError
from automorph.policies import Fill

BESIDE = (
    "leave the step out and apply it separately, or use it in a space: automorph.peer_operation"
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
