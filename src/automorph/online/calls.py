"""`automorph.train` and `automorph.compare`: the names of online methods are understood, too.

The rooms of training and comparison know policies only; this one knows what stands beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from automorph import comparison, training
from automorph.online.names import as_arm

P = ParamSpec("P")
R = TypeVar("R")


def _reading(call: Callable[P, R], name: str, read: Callable[[Any], Any]) -> Callable[P, R]:
    """The call, with its argument ``name`` read from what a user types."""
    parameters = signature(call)

    @wraps(call)
    def reading(*args: P.args, **options: P.kwargs) -> R:
        bound = parameters.bind(*args, **options)
        if name in bound.arguments:
            bound.arguments[name] = read(bound.arguments[name])
        return call(*bound.args, **bound.kwargs)

    return reading


def _arm(thing: Any) -> Any:
    return as_arm(thing) if isinstance(thing, str) else thing


train = _reading(training.train, "augmenter", _arm)
compare = _reading(comparison.compare, "policies", lambda policies: [_arm(p) for p in policies])
