"""The parts of policies, and the operations they can draw."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.operations import NOTHING, Stream, named_space
from automorph.policies import Shuffled, Step, drawable, load_policy, stages_of


def names(policy):
    return {operation.name for operation in drawable(policy)}


def drawn(policy):
    """The operations in 2,000 draws."""
    found = policy.sample(Stream(seed=1, index=np.arange(2000))).op
    return {policy.space.names[number] for number in np.unique(found[found != NOTHING])}


def test_stages_of_chains_and_schedules_inside_them():
    policy = load_policy("flip + schedule(2:none,3:crop) + cutout(4)")

    assert [stage.name for stage in stages_of(policy)] == ["flip", "none", "crop", "cutout(4)"]
    assert list(stages_of(load_policy("flip"))) == [load_policy("flip")]


@pytest.mark.parametrize(
    "name", ["none", "flip-crop", "autoaugment:cifar10", "random(count=2,seed=3)", "trivialaugment"]
)
def test_what_can_be_drawn_is_drawn_and_nothing_else(name):
    policy = load_policy(name)

    assert names(policy) == drawn(policy)


def test_a_schedule_can_draw_what_its_pieces_can():
    policy = load_policy("flip + schedule(5:none,5:autoaugment:cifar10)")

    assert names(policy) == names(load_policy("flip")) | names(load_policy("autoaugment:cifar10"))


def test_a_shuffle_can_draw_its_steps():
    policy = Shuffled(
        label="one", operations=named_space("randaugment"), steps=(Step("Rotate", 0.5, 0.5),)
    )

    assert names(policy) == drawn(policy) == {"Rotate"}


def test_a_random_policy_without_a_seed_of_its_own_can_draw_its_whole_space():
    policy = load_policy("random(count=1)")

    assert names(policy) == set(policy.space.names)
