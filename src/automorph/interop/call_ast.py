"""Calls as data: the same expression is written as source code, and evaluated."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTH = 96


@dataclass(frozen=True)
class Name:
    """A dotted name, as ``cv2.INTER_LINEAR``."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call, as ``v2.RandomApply([..], p=0.5)``.

    >>> call = Call("math.hypot", (3, 4))
    >>> source(call), evaluated(call, {"math": __import__("math")})
    ('math.hypot(3, 4)', 5.0)
    """

    name: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


def source(value: Any, indent: int = 0) -> str:
    """Write an expression as source code, wrapped to the line width."""
    short = _short(value)
    if len(short) + 4 * indent <= WIDTH or not isinstance(value, (Call, list, tuple, dict)):
        return short
    pad = "    " * (indent + 1)
    if isinstance(value, Call):
        opening, closing = f"{value.name}(", ")"
        parts = [source(argument, indent + 1) for argument in value.arguments]
        parts += [f"{key}={source(option, indent + 1)}" for key, option in value.options.items()]
    elif isinstance(value, dict):
        opening, closing = "{", "}"
        parts = [f"{_text(key)}: {source(item, indent + 1)}" for key, item in value.items()]
    else:
        opening, closing = ("[", "]") if isinstance(value, list) else ("(", ")")
        parts = [source(item, indent + 1) for item in value]
    inside = "".join(f"{pad}{part},\n" for part in parts)
    return f"{opening}\n{inside}{'    ' * indent}{closing}"


def docstring_safe(name: str) -> str:
    """Return a name that is safe in a docstring: names come from files, which never run code."""
    return name[:400].encode("unicode_escape").decode("ascii").replace('"', "'")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    if isinstance(value, Name):
        return value.text
    if isinstance(value, Call):
        parts = [_short(argument) for argument in value.arguments]
        parts += [f"{key}={_short(option)}" for key, option in value.options.items()]
        return f"{value.name}({', '.join(parts)})"
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_short, value))}{',' * (len(value) == 1)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return _text(value) if isinstance(value, str) else repr(value)


def shared(value: Call) -> tuple[list[tuple[str, Call]], Call]:
    """Name long calls that occur more than once; return them, and the rest.

    >>> long = Call("f", (list(range(99)),))
    >>> names, rest = shared(Call("g", (long, long)))
    >>> [name for name, _ in names], source(rest)
    (['step_1'], 'g(step_1, step_1)')
    """
    counts = Counter(_short(part) for part in _calls(value))
    names: dict[str, tuple[str, Call]] = {}

    def named(part: Any) -> Any:
        if isinstance(part, (list, tuple)):
            return type(part)(named(item) for item in part)
        if not isinstance(part, Call):
            return part
        text = _short(part)
        if part is not value and counts[text] > 1 and len(text) > 2 * WIDTH:
            if text not in names:
                names[text] = (f"step_{len(names) + 1}", part)
            return Name(names[text][0])
        options = {key: named(option) for key, option in part.options.items()}
        return Call(part.name, named(part.arguments), options)

    rest = named(value)
    return list(names.values()), rest


def _calls(value: Any) -> Iterator[Call]:
    if isinstance(value, Call):
        yield value
        for part in (*value.arguments, *value.options.values()):
            yield from _calls(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _calls(part)


def evaluated(value: Any, names: Mapping[str, Any]) -> Any:
    """Evaluate an expression, with its first names looked up in ``names``."""
    if isinstance(value, Name):
        return _found(value.text, names)
    if isinstance(value, Call):
        arguments = [evaluated(argument, names) for argument in value.arguments]
        options = {key: evaluated(option, names) for key, option in value.options.items()}
        return _found(value.name, names)(*arguments, **options)
    if isinstance(value, (list, tuple)):
        return type(value)(evaluated(item, names) for item in value)
    if isinstance(value, dict):
        return {key: evaluated(item, names) for key, item in value.items()}
    return value


def _found(dotted: str, names: Mapping[str, Any]) -> Any:
    first, *others = dotted.split(".")
    found = names[first]
    for other in others:
        found = getattr(found, other)
    return found
