"""The kit for objectives accepts a good one, and catches an objective with one fault."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from kits import failing, states_three_parts

from automorph.robustness import Objective, Robust
from automorph.testing import check_objective, objective_checks


class Own(Objective):
    """The mean of the groups' means, with a memory of the worst: for others to break."""

    def __init__(self, grouper, counts):
        self.count = len(grouper)
        self.worst = torch.zeros(())

    def means(self, losses, groups):
        sums = torch.zeros(self.count).index_add(0, groups, losses)
        sizes = torch.bincount(groups, minlength=self.count)
        return (sums / sizes.clamp(min=1))[sizes > 0]

    def __call__(self, losses, groups):
        means = self.means(losses, groups)
        self.worst = torch.maximum(self.worst, means.detach().max())
        return means.mean()

    def penalty(self, logits, labels, groups):
        return 0.1 * self.worst * logits.log_softmax(dim=2).exp().square().mean()

    def facts(self):
        return {"worst": self.worst.item()}

    def state_dict(self):
        return {"worst": self.worst}

    def load_state_dict(self, state):
        self.worst = state["worst"].clone()


@dataclass(frozen=True)
class Method(Robust):
    """A value that builds it."""

    def objective(self, grouper, counts):
        return Own(grouper, counts)


class Incomparable(Method):
    __eq__, __hash__ = object.__eq__, object.__hash__


class Sometimes(Method):
    sampling = "sometimes"


class Vector(Own):
    def __call__(self, losses, groups):
        return self.means(losses, groups)[:1]


class Geometric(Own):
    def __call__(self, losses, groups):
        return losses.log().mean().exp()


class Worst(Own):
    def __call__(self, losses, groups):
        return losses.max()


class Sum(Own):
    def __call__(self, losses, groups):
        return losses.sum()


class FirstCountMore(Own):
    def __call__(self, losses, groups):
        weights = torch.linspace(1, 0.5, len(losses))
        return (losses * weights).sum() / weights.sum()


class Divides(Own):
    def __call__(self, losses, groups):
        sums = torch.zeros(self.count).index_add(0, groups, losses)
        return (sums / torch.bincount(groups, minlength=self.count)).mean()


class InPlace(Own):
    def __call__(self, losses, groups):
        value = super().__call__(losses, groups)
        groups.zero_()
        return value


class Forgets(Own):
    def load_state_dict(self, state):
        pass


class Floats(Own):
    def state_dict(self):
        return {"worst": self.worst.item()}


class Undeclared(Own):
    def state_dict(self):
        return {}


class Shared(Objective):
    calls = 0

    def __init__(self, grouper, counts):
        pass

    def penalty(self, logits, labels, groups):
        Shared.calls += 1
        return float(Shared.calls)


class Rows(Own):
    def penalty(self, logits, labels, groups):
        return logits.mean(dim=(1, 2))


class LogOfNothing(Own):
    def penalty(self, logits, labels, groups):
        p = logits.softmax(dim=2)
        return (1 - p).log().mean()


class Tensors(Own):
    def facts(self):
        return {"worst": self.worst}


BROKEN = {
    "the_method_is_a_value": (Incomparable(), Sometimes()),
    "value_and_gradient_are_finite": (Vector, Geometric),
    "one_group_is_the_mean": (Worst,),
    "weights_sum_to_one": (Sum,),
    "order_changes_nothing": (FirstCountMore,),
    "absent_groups_are_harmless": (Divides,),
    "inputs_are_untouched": (InPlace,),
    "state_restores_it": (Forgets, Floats),
    "undeclared_state_is_none": (Undeclared, Shared),
    "penalty_is_finite": (Rows, LogOfNothing),
    "facts_are_plain_data": (Tensors,),
}
CASES = [
    pytest.param(name, subject, id=f"{name}-{getattr(subject, '__name__', type(subject).__name__)}")
    for name, subjects in BROKEN.items()
    for subject in subjects
]


def test_a_good_objective_passes():
    check_objective(Own)
    check_objective(Method())


def test_a_method_outside_the_registry_is_named_by_its_import_path():
    assert Method().name == f"{__name__}:Method"


def test_every_check_has_a_fault_to_catch():
    assert set(BROKEN) == {check.name for check in objective_checks()}


@pytest.mark.parametrize(("name", "subject"), CASES)
def test_each_fault_is_caught(name, subject):
    found = failing(objective_checks(), subject)
    assert name in found
    assert states_three_parts(found[name]), found[name]


def test_an_objective_that_weighs_examples_passes_without_one_check():
    class Tail(Objective):
        """The mean of the larger half of the losses (conditional value at risk)."""

        def __init__(self, grouper, counts):
            pass

        def __call__(self, losses, groups):
            return losses.topk(-(-len(losses) // 2)).values.mean()

    assert set(failing(objective_checks(), Tail)) == {"one_group_is_the_mean"}
    check_objective(Tail, skip="one_group_is_the_mean")
