"""`automorph.train` and `automorph.compare`, which accept names of in-training methods too.

The packages `training` and `experiments` know policies only; this one also knows the methods.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from automorph import experiments, training
from automorph.augmenters.builtin import as_treatment
from automorph.experiments import listed
from automorph.training import uses_unlabelled

P = ParamSpec("P")
R = TypeVar("R")


def _reading(call: Callable[P, R], read: Callable[[dict[str, Any]], None]) -> Callable[P, R]:
    """Wrap a call so that ``read`` first parses the names among its arguments."""
    parameters = signature(call)

    @wraps(call)
    def reading(*args: P.args, **options: P.kwargs) -> R:
        bound = parameters.bind(*args, **options)
        read(bound.arguments)
        return call(*bound.args, **bound.kwargs)

    return reading


def _treatment(thing: Any) -> Any:
    return as_treatment(thing) if isinstance(thing, str) else thing


def _read_training(given: dict[str, Any]) -> None:
    if "augmenter" in given:
        given["augmenter"] = _treatment(given["augmenter"])
    data = getattr(given.get("task"), "data", given.get("task"))
    pool = given.get("options", {}).get("unlabelled", getattr(data, "unlabelled", None))
    if uses_unlabelled(given.get("augmenter")) != (pool is not None):
        warnings.warn(_UNUSED if pool is not None else _MISSING, stacklevel=3)


_UNUSED = (
    "the unlabelled examples are not used: only in-training methods such as consistency and "
    "tanda-tr use some"
)
_MISSING = (
    "no unlabelled examples are given, so the training examples take their place; give some with "
    "unlabelled=..."
)


def _read_comparison(given: dict[str, Any]) -> None:
    policies = listed(given.get("policies", ()))
    treatments = given["policies"] = [_treatment(policy) for policy in policies]
    baseline = given.get("baseline")
    # A user's own policy may have a name that cannot be parsed.
    if baseline is not None and baseline not in [getattr(one, "name", None) for one in treatments]:
        given["baseline"] = as_treatment(baseline).name


train = _reading(training.train, _read_training)
compare = _reading(experiments.compare, _read_comparison)
