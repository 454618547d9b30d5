"""Values of options parsed from what the user typed."""

from __future__ import annotations

import math
from typing import Any

import click

OUT = "automorph.out"
"""Key of a context's ``meta``: the run folder as typed, which may be an address."""


def patterns_of(protect: tuple[str, ...]) -> tuple[str, ...]:
    """Check that all patterns are regular expressions."""
    if not protect:
        return protect
    from automorph.errors import UsageError
    from automorph.text import checked_patterns

    try:
        return checked_patterns(protect)
    except UsageError as error:
        raise click.BadParameter(str(error), param_hint="--protect") from None


def size_of(text: str | None) -> int | tuple[int, int] | None:
    """Parse an image size: one side, or height x width."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if not all(side.isdecimal() and int(side) > 0 for side in sides) or len(sides) > 2:
        raise click.BadParameter(
            f"got {text!r}; expected a size in pixels, such as 64 or 48x64", param_hint="--size"
        )
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def window_of(text: str | None) -> tuple[float, float] | str | None:
    """Parse a window: two numbers, or a word that `automorph.data.load_data` knows."""
    if text is None or text in ("voi", "percentiles"):
        return text
    try:
        low, high = (float(number) for number in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(high - low) and low < high):
        raise click.BadParameter(
            f"got {text!r}; expected two numbers, the lower one first, such as 0,4095, or 'voi' "
            "or 'percentiles'",
            param_hint="--window",
        )
    return low, high


def typed(value: Any) -> str:
    """Write the value of an option as a user types it: the inverse of the parsers above.

    >>> typed((48, 64)), typed((0.0, 4095.5)), typed(1e-9), typed("crop + flip")
    ('48x64', '0,4095.5', '1e-09', 'crop + flip')
    """
    if isinstance(value, tuple):
        whole = all(isinstance(one, int) for one in value)
        return ("x" if whole else ",").join(typed(one) for one in value)
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
