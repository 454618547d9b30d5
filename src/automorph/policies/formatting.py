"""Numbers and values as people read and type them."""

from __future__ import annotations

from math import isclose

from automorph.operations import Operation

_PERCENT = ("share", "area", "weight")
_BEFORE = ("factor", "level", "strength")


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number.

    >>> number_text(9.0), number_text(0.1), number_text(1 / 3)
    ('9', '0.1', '0.3333333333333333')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def scaled_text(value: float, scale: float) -> str | None:
    """Return the text of the number that, divided by ``scale``, gives the value; None if none does.

    >>> scaled_text(9 / 30, 30)
    '9'
    """
    text = number_text(float(f"{value * scale:.12g}"))
    return text if float(text) / scale == value else None


def value_text(operation: Operation, weakest: float, strongest: float | None = None) -> str:
    """Describe an operation at a magnitude, or between two, in its own unit.

    >>> from automorph.operations import named_space
    >>> space = named_space("randaugment")
    >>> value_text(space["Rotate"], 0.3), value_text(space["Color"], 0.5)
    ('±9 deg', 'factor 1 ± 0.45')
    >>> value_text(space["Posterize"], 0, 1), value_text(space["TranslateX"], 0.1, 1)
    ('8 to 4 bits', '±4.53 to ±45.3%')
    >>> value_text(space["Color"], 0, 1), value_text(space["Solarize"], 0, 1)
    ('factor 0.1 to 1.9', 'level 255 to 0')
    """
    if operation.drawn:
        return _with_unit(operation, _span(operation, operation.low, operation.high))
    ends = [weakest, weakest if strongest is None else strongest]
    if operation.magnitude_free:
        fixed = operation.unit != "" or operation.low != 0
        return _with_unit(operation, _short(operation, operation.low)) if fixed else ""
    up = operation.values(ends, 1.0)
    if not operation.signed:
        return _with_unit(operation, _span(operation, *up))
    down, middle = operation.values(ends, -1.0), float(operation.identity or 0)
    first, last = (_short(operation, step) for step in up - middle)
    if not isclose(operation.high - middle, middle - operation.low):
        text = f"{_span(operation, *down)} or {_span(operation, *up)}"
    elif middle == 0:
        weak = "0" if first == "0" else f"±{first}"
        text = weak if first == last else f"{weak} to ±{last}"
    elif first == "0" and last != "0":
        text = _span(operation, down[1], up[1])
    else:
        text = f"{_short(operation, middle)} ± {first}" + (f" to {last}" if first != last else "")
    return _with_unit(operation, text)


def _span(operation: Operation, first: float, last: float) -> str:
    return " to ".join(dict.fromkeys((_short(operation, first), _short(operation, last))))


def _short(operation: Operation, value: float) -> str:
    return f"{value * 100 if operation.unit in _PERCENT else value:.3g}"


def _with_unit(operation: Operation, text: str) -> str:
    if operation.unit in _PERCENT:
        return f"{text}%"
    if operation.unit in _BEFORE:
        return f"{operation.unit} {text}"
    return text if operation.unit == "ratio" else f"{text} {operation.unit}".strip()
