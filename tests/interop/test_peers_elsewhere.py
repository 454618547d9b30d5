"""Operations of other libraries are sent to other processes."""

from __future__ import annotations

import copy
import pickle
from functools import partial

import numpy as np
import perspectives
import pytest
import torch
from perspectives import Spin, bend, local, operation_of

import automorph
from automorph.errors import AutomorphError
from automorph.operations import SearchSpace, named_space
from automorph.policies import Uniform, policy_to_dict


def policy_of(make):
    space = named_space("randaugment").with_operations(operation_of(make))
    return Uniform(operations=space, length=2, low=0.6, high=0.6)


class Pictures(torch.utils.data.Dataset):
    """A few images, augmented by index."""

    def __init__(self, policy):
        self.policy = policy

    def __len__(self):
        return 6

    def __getitem__(self, number):
        image = np.random.default_rng(number).integers(0, 256, (1, 16, 16, 3), np.uint8)
        return self.policy.augment(image, index=[number], seed=3)[0]


@pytest.mark.parametrize("make", [bend, Spin(40), perspectives.bend])
def test_what_can_be_imported_travels(make):
    policy = policy_of(make)
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert copy.deepcopy(policy) == policy
    partly = policy_of(partial(bend))
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    again = pickle.loads(pickle.dumps(partly))
    assert (again.augment(images) == partly.augment(images)).all()


def test_an_operation_may_take_the_name_of_its_builder():
    assert pickle.loads(pickle.dumps(perspectives.twist)) == perspectives.twist
    held = pickle.loads(pickle.dumps(perspectives.twist.at(0.3)))
    image = np.arange(768, dtype=np.uint8).reshape(1, 16, 16, 3)
    policy = Uniform(operations=SearchSpace("own", (held,)))
    assert (policy.augment(image) != image).any()
    (named,) = policy_to_dict(policy)["policy"]["operations"]["operations"]
    assert named["function"] == "perspectives:twist"


@pytest.mark.parametrize(
    ("make", "word"),
    [(lambda v: bend(v), "<lambda>"), (local(), "inside"), (partial(local()), "inside")],
)
def test_what_cannot_be_imported_says_so_when_it_is_sent(make, word):
    operation = operation_of(make, "Tilt")
    policy = Uniform(operations=SearchSpace("own", (operation,)), low=0.6, high=0.6)
    # It works in this process.
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16, 3), np.uint8)
    assert (copy.deepcopy(policy).augment(images) == policy.augment(images)).all()
    with pytest.raises(AutomorphError, match=r"'Tilt' cannot be sent.*top level of") as caught:
        pickle.dumps(policy)
    assert word in str(caught.value)


@pytest.mark.slow
def test_a_spawned_data_loader_draws_the_same():
    pictures = Pictures(policy_of(bend))
    context = {"num_workers": 1, "multiprocessing_context": "spawn"}
    there = torch.utils.data.DataLoader(pictures, batch_size=6, **context)
    np.testing.assert_array_equal(next(iter(there)), [pictures[i] for i in range(6)])
    with pytest.raises(AutomorphError, match="at the top level of a module"):
        next(iter(torch.utils.data.DataLoader(Pictures(policy_of(local())), **context)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_comparisons_side_by_side_are_those_one_after_the_other():
    def accuracies(jobs, make=bend):
        result = automorph.compare(
            "digits", ["none", policy_of(make)], seeds=1, recipe={"epochs": 1}, jobs=jobs
        )
        return [row.accuracy for row in result.rows]

    assert accuracies(2) == accuracies(1)
    with pytest.raises(AutomorphError, match="at the top level of a module"):
        accuracies(2, local())
