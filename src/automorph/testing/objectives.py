"""Checks for a robust objective: from the losses and groups of a batch to one number."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.robustness import METHODS, Grouper, Objective, Robust, load_method
from automorph.testing.checks import Check, Kit, require

KIT = Kit(
    "objective",
    lambda one: isinstance(one, Robust) or callable(one),
    "a method such as load_method(name), or a function of a Grouper and counts that builds one",
)
Method = Robust | Callable[[Grouper, NDArray[np.int64]], Objective]

GROUPER = Grouper(("cat", "dog"), ("day", "night"))
COUNTS = np.array([40, 10, 12, 38])
_GROUPS = (0, 0, 1, 2, 2, 3, 3, 3, 1, 0, 2, 3)
TOLERANCE = 1e-4


def objective_checks() -> list[Check]:
    """Return the checks for an objective, each a function of the method.

    >>> [check.name for check in objective_checks()][:2]
    ['the_method_is_a_value', 'value_and_gradient_are_finite']
    """
    return list(KIT)


def check_objective(method: Method, *, skip: Iterable[str] = ()) -> None:
    """Run all checks for a robust objective.

    ``method`` is a `Robust`, or a function of a `Grouper` and the groups' numbers of training
    examples that builds an `Objective`. ``skip`` names checks to leave out: an objective that
    weighs single examples, for instance, does not reduce to the mean in one group. Raises one
    `AssertionError` that lists all failures.

    >>> from automorph.robustness import load_method
    >>> check_objective(load_method("gdro(c=0)"))
    """
    KIT.run(method, skip=skip)


@KIT.add
def the_method_is_a_value(method: Method) -> None:
    """A named method equals its copies, and its name and sampling are known."""
    if not isinstance(method, Robust):
        return
    remedy = "make it a frozen dataclass whose fields are the options that users type"
    for twin in (copy.deepcopy(method), pickle.loads(pickle.dumps(method))):
        require(twin == method, "a copy differs", "an equal copy", remedy)
        require(hash(twin) == hash(method), "a copy has another hash", "equal hashes", remedy)
    require(
        method.sampling in ("plain", "balanced"),
        f"sampling is {method.sampling!r}",
        "'plain' or 'balanced'",
        "choose whether batches hold the groups as they are, or equally often",
    )
    require(
        isinstance(method.needs_renderings, bool),
        f"needs_renderings is {method.needs_renderings!r}",
        "True or False",
        "say whether `penalty` needs translated versions of each example",
    )
    if method.title not in METHODS:
        return  # Methods outside the registry have no name to type.
    again = load_method(method.name)
    require(again == method, f"the name {method.name!r} loads another method", "this one", remedy)


@KIT.add
def value_and_gradient_are_finite(method: Method) -> None:
    """The value is one finite number with a finite gradient, for small and for large losses."""
    for scale in (0.0, 1.0, 100.0):
        value, gradient = _step(_build(method), _losses() * scale, _groups())
        require(
            value.ndim == 0 and bool(value.isfinite()),
            f"losses up to {scale:g} gave {value.tolist()}",
            "one finite number",
            "return a scalar tensor; clamp before log, sqrt and division",
        )
        require(
            bool(gradient.isfinite().all()),
            f"losses up to {scale:g} gave a gradient that is not finite",
            "a finite gradient",
            "clamp before log, sqrt and division",
        )


@KIT.add
def one_group_is_the_mean(method: Method) -> None:
    """With a single group, it trains like the mean: every loss has the same weight, 1 / n."""
    alone = Grouper(("cat",), ("day",))
    n = len(_GROUPS)
    objective = _build(method, alone, np.array([100]))
    _, gradient = _step(objective, _losses(), torch.zeros(n, dtype=torch.int64))
    require(
        torch.allclose(gradient, torch.full((n,), 1 / n), rtol=TOLERANCE),
        f"in one group, weights of losses run from {gradient.min():.4g} to {gradient.max():.4g}",
        f"1 / {n} for each of {n} losses",
        "divide by the number of examples; skip this check if single examples are weighed",
    )


@KIT.add
def weights_sum_to_one(method: Method) -> None:
    """Weights of losses sum to 1 where all groups are present, so that steps keep their size."""
    _, gradient = _step(_build(method), _losses(), _groups())
    total = float(gradient.sum())
    require(
        abs(total - 1) < 1e-3,
        f"weights of the losses sum to {total:.4g}",
        "1",
        "divide by the sum of the weights",
    )


@KIT.add
def order_changes_nothing(method: Method) -> None:
    """The value does not depend on the order of the examples in the batch."""
    losses = _losses()
    value, gradient = _step(_build(method), losses, _groups())
    order = torch.arange(len(_GROUPS)).flip(0)
    turned, turned_gradient = _step(_build(method), losses[order], _groups()[order])
    same = torch.allclose(value, turned, rtol=TOLERANCE) and torch.allclose(
        gradient[order], turned_gradient, rtol=TOLERANCE, atol=1e-6
    )
    require(
        same,
        f"the value is {value:.6g}, and {turned:.6g} in another order",
        "the same value and gradient",
        "treat examples alike; find those of a group by `groups`, not by position",
    )


@KIT.add
def absent_groups_are_harmless(method: Method) -> None:
    """Groups that are absent from a batch, or have no training examples, give no NaN."""
    counts = np.array([40, 0, 12, 38])
    objective = _build(method, GROUPER, counts)
    for groups in (torch.tensor([0, 3, 3]), torch.tensor([2]), torch.tensor([0, 2, 3, 3])):
        value, gradient = _step(objective, _losses(len(groups)), groups)
        require(
            bool(value.isfinite()) and bool(gradient.isfinite().all()),
            f"a batch of the groups {sorted(set(groups.tolist()))} gave {value.tolist()}",
            "a finite value and gradient",
            "divide by counts of at least 1, and leave absent groups out of maxima",
        )


@KIT.add
def inputs_are_untouched(method: Method) -> None:
    """Losses and groups stay as they were."""
    losses, groups = _losses(), _groups()
    before = losses.clone()
    _step(_build(method), losses, groups)
    require(
        torch.equal(losses, before) and torch.equal(groups, _groups()),
        "losses or groups were changed",
        "no change",
        "use no operation that works in place, such as mul_",
    )


@KIT.add
def state_restores_it(method: Method) -> None:
    """An objective that loads the state of another goes on like it."""
    first, second = _build(method), _build(method)
    for seed in range(3):
        _both(first, seed)
    state = first.state_dict()
    require(
        all(isinstance(name, str) and isinstance(v, Tensor) for name, v in state.items()),
        f"the state has {sorted({type(v).__name__ for v in state.values()})}",
        "tensors by name, which checkpoints can hold",
        "wrap numbers as torch.tensor(number)",
    )
    second.load_state_dict({name: value.clone() for name, value in state.items()})
    saved = {name: value.clone() for name, value in second.state_dict().items()}
    values = [[_both(one, seed) for seed in (3, 4)] for one in (first, second)]
    require(
        values[0] == values[1],
        f"after loading the state, the next values are {values[1]}",
        f"{values[0]}, as without a stop",
        "return everything that changes between steps from `state_dict`, and restore it",
    )
    require(
        saved.keys() == state.keys(),
        f"the restored state has {sorted(saved)}",
        f"{sorted(state)}",
        "name the same tensors before and after loading",
    )


@KIT.add
def undeclared_state_is_none(method: Method) -> None:
    """Without a state, a batch has the same value whatever came before it."""
    objective = _build(method)
    first = _both(objective, 0)
    for seed, scale in ((1, 5.0), (2, 0.1)):
        _both(objective, seed, scale)
    if objective.state_dict():
        return
    again = _both(objective, 0)
    require(
        first == again,
        f"a batch has the values {first}, and {again} after other batches, but there is no state",
        "the same value",
        "return what changes between steps from `state_dict`",
    )
    fresh = _both(_build(method), 0)
    require(
        fresh == first,
        f"a new objective gives {fresh} instead of {first}",
        "the same value",
        "keep no state in the class or in globals",
    )


@KIT.add
def penalty_is_finite(method: Method) -> None:
    """The penalty is one finite number, with a finite gradient if it depends on the logits."""
    objective = _build(method)
    for scale in (1.0, 30.0):
        logits = (_logits() * scale).requires_grad_()
        labels = _labels()
        before = logits.detach().clone()
        penalty = objective.penalty(logits, labels, _groups())
        number = torch.as_tensor(penalty)
        require(
            number.ndim == 0 and bool(number.isfinite()),
            f"the penalty is {number.tolist()}",
            "one finite number",
            "compute probabilities with log_softmax, and average over the batch",
        )
        require(torch.equal(logits, before), "the logits were changed", "no change", "copy them")
        if number.requires_grad:
            (gradient,) = torch.autograd.grad(number, logits)
            require(
                bool(gradient.isfinite().all()),
                "the gradient of the penalty is not finite",
                "a finite gradient",
                "compute probabilities with log_softmax",
            )


@KIT.add
def facts_are_plain_data(method: Method) -> None:
    """`facts` gives plain JSON for the record of an epoch."""
    objective = _build(method)
    _both(objective, 0)
    try:
        json.dumps(objective.facts(), allow_nan=False)
    except (TypeError, ValueError) as error:
        require(
            False,
            f"the facts are no JSON ({error})",
            "texts, finite numbers, lists and dicts",
            "convert tensors with tolist()",
        )


def _build(
    method: Method, grouper: Grouper = GROUPER, counts: NDArray[np.int64] = COUNTS
) -> Objective:
    build = method.objective if isinstance(method, Robust) else method
    return build(grouper, counts.astype(np.int64))


def _groups() -> Tensor:
    """Return the groups of the batch, anew: an objective may change what it gets."""
    return torch.tensor(_GROUPS)


def _losses(n: int = len(_GROUPS), seed: int = 0) -> Tensor:
    return torch.rand(n, generator=torch.Generator().manual_seed(seed)) * 2


def _logits(seed: int = 0) -> Tensor:
    """Return logits of each example and of its renderings in both subgroups."""
    views = 1 + len(GROUPER.subgroups)
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(_GROUPS), views, len(GROUPER.classes), generator=generator)


def _labels() -> Tensor:
    return torch.eye(len(GROUPER.classes))[_groups() // len(GROUPER.subgroups)]


def _step(objective: Objective, losses: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Return the value of a batch, and its gradient with respect to the losses."""
    variables = losses.requires_grad_()
    value = objective(variables, groups)
    (gradient,) = torch.autograd.grad(value, variables)
    losses.requires_grad_(False)
    return value.detach(), gradient


def _both(objective: Objective, seed: int, scale: float = 1.0) -> float:
    """Return value and penalty of a batch together, as a training adds them."""
    value = objective(_losses(seed=seed) * scale, _groups())
    return float(value + objective.penalty(_logits(seed), _labels(), _groups()))
