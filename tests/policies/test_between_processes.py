"""Policies are sent to other processes."""

from __future__ import annotations

import multiprocessing
import pickle

import numpy as np
import pytest

from automorph.operations import SearchSpace, named_space, operation
from automorph.policies import Uniform, load_policy
from automorph.testing import policy_checks


@operation(range=(0, 40), unit="level", identity=0)
def lift(image, value):
    """Makes everything brighter."""
    return np.minimum(image + np.uint16(value), 255).astype(np.uint8)


def darken(image, value):
    return image // 2


SPACES = {
    "named": named_space("randaugment"),
    "functions of ours": named_space("disc-sticky-angles"),
    "a user's": SearchSpace("mine", (lift, lift.at(3), lift.between(0, 10).at(5))),
    "a plain function's": SearchSpace("mine", (operation(name="dark")(darken),)),
    "mixed": named_space("randaugment").with_operations(lift),
}


@pytest.mark.parametrize("name", SPACES)
def test_policies_survive_copies(name):
    policy = Uniform(operations=SPACES[name], length=2)
    for check in policy_checks():
        if check.name in ("it_is_a_value", "worker_processes_get_it"):
            check(policy)


def test_functions_without_a_place_cannot_travel():
    policy = Uniform(operations=SearchSpace("mine", (operation(name="x")(lambda i, v: i),)))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(policy)


def augmented(policy, images):
    return policy.augment(images, seed=3, epoch=2)


@pytest.mark.parametrize("name", ["a user's", "mixed"])
def test_another_process_draws_the_same(name):
    policy = Uniform(operations=SPACES[name], length=2)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there = pool.apply(augmented, (policy, images))
    assert (there == augmented(policy, images)).all()
    assert load_policy(policy) is policy
