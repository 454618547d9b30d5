"""Format numbers for people: percent, points, counts, durations."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from automorph.experiments import possible

_GLUE = re.compile(r"(?<=\d) (?=(?:s|min|h|points?|seeds?|paired)\b|×)|(?<=[<=]) |(?<=\bp) ")

MINUS = "−"
NOTHING = "–"
LONG = 600
"""Characters from which a text is divided into its first sentence and the rest."""


def signed(value: float, decimals: int = 2) -> str:
    """Format a number with its sign and a typographic minus.

    >>> signed(1.416), signed(-0.5, 1), signed(-0.0001)
    ('+1.42', '−0.5', '0.00')
    """
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0.0:
        return text
    return ("+" if value > 0 else MINUS) + text


def percent(fraction: float | None, decimals: int = 2) -> str:
    """Format a fraction as percent; a missing value as a dash.

    >>> percent(0.97214), percent(None), percent(float("nan"))
    ('97.21%', '–', '–')
    """
    return NOTHING if fraction is None or absent(fraction) else f"{100 * fraction:.{decimals}f}%"


def points(fraction: float | None, decimals: int = 2) -> str:
    """Format a difference of two fractions in percentage points, with its sign.

    >>> points(0.0142), points(-0.003)
    ('+1.42', '−0.30')
    """
    return NOTHING if fraction is None or absent(fraction) else signed(100 * fraction, decimals)


def interval(low: float | None, high: float | None) -> str:
    """Format an interval of differences of shares in points, which end at 100.

    >>> interval(0.0061, 1.0223)
    '+0.61 to +100.00'
    """
    if low is None or high is None or absent(low) or absent(high):
        return NOTHING
    return f"{points(possible(low))} to {points(possible(high))}"


def in_brief(reason: str) -> str:
    """Shorten a message that ends with lines of a log to its first line and the last one.

    >>> in_brief("it ended. The end of its log, log.txt:\\n    File a.py\\n    ValueError: no data")
    'it ended. The end of its log, log.txt: ValueError: no data'
    """
    first, *log = reason.splitlines() or [""]
    return f"{first} {log[-1].strip()}" if log else first


def p_value(p: float | None, *, sign: bool = False) -> str:
    """Format a p-value, never as zero; ``sign`` puts an equals sign before it.

    >>> p_value(0.0312), p_value(0.00001), p_value(None), p_value(0.25, sign=True)
    ('0.031', '< 0.001', '–', '= 0.25')
    """
    if p is None or absent(p):
        return NOTHING
    if p < 0.001:
        return "< 0.001"
    return ("= " if sign else "") + (f"{p:.3f}" if p < 0.1 else f"{p:.2f}")


def count(number: float | None) -> str:
    """Format a count: in full below a hundred thousand, then with three digits and a unit.

    >>> count(72000), count(1_234_567), count(456_000), count(None)
    ('72,000', '1.23 million', '456 thousand', '–')
    """
    if number is None or absent(number):
        return NOTHING
    value = float(number)
    for size, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= max(size, 99_999.5):
            scaled = value / size
            decimals = 0 if scaled >= 99.95 else 1 if scaled >= 9.995 else 2
            return f"{scaled:.{decimals}f} {word}"
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.1f}"


def duration(seconds: float | None) -> str:
    """Format a duration in seconds, minutes or hours.

    >>> duration(0.42), duration(8.3), duration(83), duration(5025)
    ('0.42 s', '8.3 s', '1 min 23 s', '1 h 24 min')
    """
    if seconds is None or absent(seconds):
        return NOTHING
    value = float(seconds)
    if value < 59.95:
        decimals = 2 if value < 1 else 1 if value < 20 else 0
        return f"{value:.{decimals}f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(value / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def times(ratio: float | None) -> str:
    """Format a ratio.

    >>> times(1.0), times(1.254), times(12.6)
    ('1.0 ×', '1.3 ×', '13 ×')
    """
    if ratio is None or absent(ratio):
        return NOTHING
    value = float(ratio)
    return f"{value:.0f} ×" if value >= 9.95 else f"{value:.1f} ×"


def plural(number: int, word: str, words: str = "") -> str:
    """Format a count with its noun.

    >>> plural(1, "seed"), plural(5, "seed"), plural(2, "policy", "policies")
    ('1 seed', '5 seeds', '2 policies')
    """
    return f"{number:,} {word if number == 1 else words or word + 's'}"


def capital(title: str) -> str:
    """Write a title at the start of a line; abbreviations stay as they are.

    >>> capital("mean IoU"), capital("mAP")
    ('Mean IoU', 'mAP')
    """
    return title if title[1:2].isupper() else f"{title[:1].upper()}{title[1:]}"


def listed(names: Sequence[str]) -> str:
    """Join names with commas and "and".

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def glued(text: str) -> str:
    """Keep numbers and their units on one line, and use typographic minus signs.

    >>> glued("3.2 s, p < 0.05 over 5 seeds").count("\\xa0")
    4
    >>> glued("from -0.3 to 1-2")
    'from −0.3 to 1-2'
    """
    return re.sub(r"(?<![\w-])-(?=\d)", MINUS, _GLUE.sub("\u00a0", text))


def opening(text: str) -> tuple[str, str]:
    """Divide a long text into its first sentence and the rest; a short one stays whole.

    >>> opening("Use crop. It helps."), opening("p = 0.5 says nothing. " + 200 * "So. ")[0]
    (('Use crop. It helps.', ''), 'p = 0.5 says nothing.')
    """
    if len(text) <= LONG:
        return text, ""
    first, stop, rest = text.partition(". ")
    return first + stop.rstrip(), rest.strip()


def plain(value: object) -> str:
    """Format any setting or fact of a result as one line of text.

    >>> plain({"lr": 0.1, "nesterov": True}), plain([1, 2]), plain(None)
    ('lr 0.1, nesterov yes', '1, 2', '–')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items()) or NOTHING
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(item) for item in value) or NOTHING
    return str(value)


def absent(value: float | None) -> bool:
    """Return True if a number is missing or NaN."""
    return value is None or math.isnan(value)
