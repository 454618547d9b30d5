"""Operations that are functions of the user: call them on copies and check their results."""

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
"""Time limit in seconds for a user's function on one batch."""


class _TooLongError(BaseException):
    """Not an `Exception`, so that a user's ``except Exception`` does not catch it."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Interrupt the body after a time limit, in the main thread on systems with alarms.

    Elsewhere (Windows, prefetching threads) there is no limit: Python cannot stop another thread.
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
    """Call the user's function on examples ``(m, ...)`` with values ``(m,)``.

    It gets one example at a time, or all at once if the operation is ``batched``. A result of
    ``None`` leaves the example (or the batch) unchanged. Raises ``AutomorphError`` with the
    operation, the example's number in its data set and the cause.
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
    """Call the user's function on texts: ``f(text, value)`` returns a text, or None to keep it.

    A ``batched`` function takes and returns lists.
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
        "the example unchanged"
    )


def _unknown(step: Context) -> AutomorphError:
    return AutomorphError(
        f"operation {step.operation.name!r} has the kernel {step.operation.kernel!r}, which does "
        "not exist, and no function; expected a kernel of the catalogue or a function"
    )


def _called(function: Callable[..., Any], example: Any, value: Any, step: Context) -> Any:
    """Call the function, with the example's own generator if it takes ``rng``."""
    try:
        if _takes_rng(function):
            return function(example, value, rng=_generator(step))
        return function(example, value)
    except _TooLongError:
        raise AutomorphError(
            f"{_where(step)} did not return within {PATIENCE:g} s, the limit for a batch; fix the "
            f"function or raise the limit: {_PATIENCE_VARIABLE}=SECONDS"
        ) from None
    except Exception as error:
        raise AutomorphError(
            f"{_where(step)} raised {type(error).__name__}: {error}; "
            "fix the function, or return None to leave the example unchanged"
        ) from error


def _checked(
    function: Callable[..., Any], example: Examples, value: float | Values, step: Context
) -> Examples | None:
    """Call the function and check its result."""
    kept = example.shape, example.dtype
    result = _called(function, example, value, step)
    if result is None:
        return None
    result = np.asarray(result)
    vectors = kept[1].kind == "f" and result.dtype.kind == "f"
    if result.shape != kept[0] or not (result.dtype == kept[1] or vectors):
        raise AutomorphError(
            f"{_where(step)} returned {result.dtype} {result.shape}; "
            f"expected {kept[1]} {kept[0]}, like its input, or None to leave the example unchanged"
        )
    return result.astype(kept[1], copy=False)


def _where(step: Context) -> str:
    numbers = step.stream.index
    shown = ", ".join(str(number) for number in numbers[:5]) + (", ..." if len(numbers) > 5 else "")
    return f"operation {step.operation.name!r} on example{'s' * (len(numbers) > 1)} {shown}"


def _generator(step: Context) -> np.random.Generator:
    """Make the generator of an example (the first, if batched), seeded by draws 1 to 4."""
    return np.random.default_rng(step.row(0).words(4)[0])


@lru_cache(maxsize=256)
def _takes_rng(function: Callable[..., Any]) -> bool:
    try:
        return "rng" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
