"""What identifies a function of the user's own besides its import path: code, and values."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from hashlib import blake2b
from os import PathLike, fspath
from types import CodeType, MethodType
from typing import Any


def innermost(function: Any) -> Any:
    """Return the function inside partial functions."""
    while isinstance(function, partial):
        function = function.func
    return function


def home_of(function: Any) -> Any:
    """Return the function inside partial functions, or the class of a callable object."""
    inner = innermost(function)
    return inner if hasattr(inner, "__qualname__") else type(inner)


def code_of(function: Any) -> str:
    """Return a hash of the source of a function or class; of its bytecode without a source."""
    home = inspect.unwrap(home_of(function))
    try:
        source = inspect.getsource(home)
    except (OSError, TypeError):
        source = "\n".join(_bytecode(getattr(home, "__code__", None)))
    content = source or f"{home.__module__}.{home.__qualname__}"
    return blake2b(content.encode(), digest_size=8).hexdigest()


def _bytecode(code: CodeType | None) -> Iterator[str]:
    """Yield the instructions and constants of a function, and of those inside it."""
    if code is not None:
        yield f"{code.co_code.hex()} {code.co_names}"
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _bytecode(constant)
            else:
                yield repr(constant)


def captured_values(function: Any) -> dict[str, Any]:
    """Return the values that a callable carries, as plain data by name.

    These are the arguments of a partial function, variables of an enclosing function, default
    values, and attributes of an object. Functions among them are named, with their own values;
    objects that are not plain data are named by their type. Lists are left out where functions
    usually append to them: in attributes and in variables of an enclosing function.

    >>> captured_values(partial(round, ndigits=2))
    {'ndigits': 2}
    >>> def at(rate):
    ...     return lambda: rate
    >>> captured_values(at(0.1))
    {'rate': 0.1}
    """
    return _captured(function, frozenset())


def _captured(function: Any, above: frozenset[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    above |= {id(function)}
    if isinstance(function, partial):
        inner = _captured(function.func, above)
        places = {f"argument {place}": value for place, value in enumerate(function.args, 1)}
        return {**inner, **_plain_values({**places, **function.keywords}, above)}
    if isinstance(function, MethodType):
        found = _variables(getattr(function.__self__, "__dict__", {}), above)
        function = function.__func__
    elif not hasattr(function, "__qualname__"):
        return _variables(getattr(function, "__dict__", {}), above)
    if code := getattr(function, "__code__", None):
        names = code.co_varnames[: code.co_argcount]
        values = function.__defaults__ or ()
        defaults = dict(zip(names[len(names) - len(values) :], values, strict=True))
        found |= _plain_values({**defaults, **(function.__kwdefaults__ or {})}, above)
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        found |= _variables({name: _content(cell) for name, cell in cells}, above)
    return found


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # Not assigned yet.
        return None


def _variables(values: Mapping[str, Any], above: frozenset[int]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if not isinstance(value, list)}
    return _plain_values(kept, above)


def _plain_values(values: Mapping[str, Any], above: frozenset[int]) -> dict[str, Any]:
    return {str(name): _plain(value, above) for name, value in sorted(values.items())}


def _plain(value: Any, above: frozenset[int]) -> Any:
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, PathLike):
        return str(fspath(value))
    if id(value) in above:
        return "(itself)"
    above |= {id(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one, above) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one, above) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    home = innermost(value)
    if not isinstance(value, type) and hasattr(home, "__qualname__"):
        inner = _captured(value, above)
        name = f"{home.__module__}.{home.__qualname__}"
        return {"function": name, **inner} if inner else name
    home = value if isinstance(value, type) else type(value)
    return f"{home.__module__}.{home.__qualname__}"
