"""Operations that are functions of the user: called, checked, and never trusted with the input."""

from __future__ import annotations

import inspect
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import AutomorphError
from automorph.operations import Context, Values

Examples = NDArray[Any]

_PATIENCE_VARIABLE = "AUTOMORPH_OPERATION_SECONDS"
PATIENCE = float(os.environ.get(_PATIENCE_VARIABLE) or 600)
"""Seconds that a user's function may take for a batch; after them it counts as hanging."""


class _TooLongError(BaseException):
    """Not an `Exception`: a user's function that catches those must not catch this."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Within, whatever takes longer is broken off, in a main thread on systems with alarms.

    Elsewhere (Windows, threads that work ahead) nothing is: Python cannot stop another thread.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def break_off(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, break_off)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


def call(examples: Examples, values: Values, step: Context) -> Examples:
    """The user's function on examples ``(m, ...)`` with values ``(m,)``.

    One example at a time, or all at once if the operation is ``batched``. A result of ``None``
    leaves the example (or the batch) as it is. Raises ``AutomorphError`` with the operation, the
    example's number in its data set and the cause.
    """
    operation = step.operation
    function = operation.function
    if function is None:
        raise _unknown(step)
    with within(PATIENCE):
        if operation.batched:
            result = _checked(function, examples.copy(), values, step)
            return examples.copy() if result is None else result
        out = examples.copy()
        for row in range(len(examples)):
            result = _checked(function, examples[row].copy(), float(values[row]), step.row(row))
            if result is not None:
                out[row] = result
        return out


def call_on_texts(texts: list[str], values: Values, step: Context) -> list[str]:
    """The user's function on texts: ``f(text, value)`` gives a text, or None to leave it.

    A ``batched`` function takes and gives lists.
    """
    function = step.operation.function
    if function is None:
        raise _unknown(step)
    with within(PATIENCE):
        return _texts(function, texts, values, step)


def _texts(
    function: Callable[..., Any], texts: list[str], values: Values, step: Context
) -> list[str]:
    if step.operation.batched:
        result = _called(function, list(texts), values, step)
        fits = result is None or (
            isinstance(result, list) and len(result) == len(texts) and _are_texts(result)
        )
        if not fits:
            raise _unfit(step, result, f"a list of {len(texts)} texts")
        return texts if result is None else list(result)
    out = []
    for row, text in enumerate(texts):
        result = _called(function, text, float(values[row]), step.row(row))
        if not (result is None or isinstance(result, str)):
            raise _unfit(step.row(row), result, "a text")
        out.append(text if result is None else result)
    return out


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _unfit(step: Context, result: Any, expected: str) -> AutomorphError:
    return AutomorphError(
        f"{_where(step)} returned {type(result).__name__}; expected {expected}, or None to leave "
        "an example as it is"
    )


def _unknown(step: Context) -> AutomorphError:
    return AutomorphError(
        f"operation {step.operation.name!r} has the kernel {step.operation.kernel!r}, which does "
        "not exist, and no function; use a name of the catalogue or give a function"
    )


def _called(function: Callable[..., Any], example: Any, value: Any, step: Context) -> Any:
    """Call the function, with a generator of the example's own if it takes one."""
    try:
        if _takes_rng(function):
            return function(example, value, rng=_generator(step))
        return function(example, value)
    except _TooLongError:
        raise AutomorphError(
            f"{_where(step)} did not come back: a batch may take {PATIENCE:g} s; mend the "
            f"function, or give it more time: {_PATIENCE_VARIABLE}=SECONDS"
        ) from None
    except Exception as error:
        raise AutomorphError(
            f"{_where(step)} raised {type(error).__name__}: {error}; "
            "mend the function, or return None to leave an example as it is"
        ) from error


def _checked(
    function: Callable[..., Any], example: Examples, value: float | Values, step: Context
) -> Examples | None:
    """Call the function on a copy, and check what comes back."""
    kept = example.shape, example.dtype
    result = _called(function, example, value, step)
    if result is None:
        return None
    result = np.asarray(result)
    vectors = kept[1].kind == "f" and result.dtype.kind == "f"
    if result.shape != kept[0] or not (result.dtype == kept[1] or vectors):
        raise AutomorphError(
            f"{_where(step)} returned {result.dtype} {result.shape}; "
            f"expected {kept[1]} {kept[0]}, as it got, or None to leave an example as it is"
        )
    return result.astype(kept[1], copy=False)


def _where(step: Context) -> str:
    numbers = step.stream.index
    shown = ", ".join(str(number) for number in numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f"operation {step.operation.name!r} on example{'s' * (len(numbers) > 1)} {shown}"


def _generator(step: Context) -> np.random.Generator:
    """A generator of the example's own (of the first one's, if batched): draws 1 to 4 seed it."""
    return np.random.default_rng(step.row(0).words(4)[0])


@lru_cache(maxsize=256)
def _takes_rng(function: Callable[..., Any]) -> bool:
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
