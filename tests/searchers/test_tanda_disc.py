"""TANDA in the unit disc, where the answers are known (Ratner et al. 2017, synthetic experiments).

Points are uniform in the disc, and operations move them; a point that leaves the disc loses its
class. All tests but one use a discriminator that knows the disc (logit 1 inside, 0 outside), so
that it does not have to be learned.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from automorph import engine
from automorph.operations import SearchSpace, Stream, named_space
from automorph.operations.synthetic import small_and_large, unit_disc
from automorph.policies import Policy, Uniform
from automorph.searchers.tanda import Discriminator, Diversity, learn_generator

torch.set_num_threads(1)


class KnowsTheDisc(Discriminator):
    def encode(self, examples):
        return torch.as_tensor(examples)

    def forward(self, inputs):
        return (inputs.square().sum(1) <= 1).double(), inputs


def inside(policy: Policy, n: int = 5000) -> float:
    """The share of points that stay in the disc under a policy."""
    points = unit_disc(n, seed=1)
    stream = Stream(seed=2, index=np.arange(len(points)))
    moved = engine.apply(points, policy.sample(stream), policy.space, stream)
    return float(((moved**2).sum(1) <= 1).mean())


def uniform(space: SearchSpace, length: int) -> Policy:
    return Uniform(operations=space, length=length)


def learned(space: SearchSpace, generator: str, length: int, steps: int, **more):
    more = {"rate": 0.01, "discriminator": KnowsTheDisc} | more
    return learn_generator(
        unit_disc(1000), space, generator=generator, length=length, steps=steps, **more
    )


def stays(delta: float) -> float:
    """The share of the disc's points that are still inside after a shift by delta."""
    return (2 * math.acos(delta / 2) - delta / 2 * math.sqrt(4 - delta**2)) / math.pi


@pytest.mark.parametrize("generator", ["mean-field", "lstm"])
def test_set_1_large_steps_are_avoided(generator):
    space = SearchSpace("set 1", small_and_large(1))
    found = learned(space, generator, 10, 200, rate=0.02)
    assert inside(uniform(space, 10)) < 0.2
    assert inside(found.policy) >= 0.70
    assert found.policy.shares[:, 10:].sum(axis=1).mean() < 0.06  # It is a third at random.
    assert found.ratio > 1.3


@pytest.mark.slow
def test_set_1_with_a_discriminator_that_learns():
    space = SearchSpace("set 1", small_and_large(2))
    found = learned(
        space, "mean-field", 10, 500, discriminator=None, discriminator_rate=0.03, patience=99
    )
    assert inside(found.policy) >= 0.60
    assert found.policy.shares[:, 10:].sum(axis=1).mean() < 0.1


def test_set_2_needs_a_state():
    """Each axis once keeps 0.358 of the points, one axis twice 0.144; half of each gives 0.251."""
    once, twice = stays(0.75 * math.sqrt(2)), stays(1.5)
    assert (once, twice) == (pytest.approx(0.358, abs=1e-3), pytest.approx(0.144, abs=1e-3))
    space = named_space("disc-axes")
    assert inside(uniform(space, 2)) == pytest.approx((once + twice) / 2, abs=0.02)
    blind = learned(space, "mean-field", 2, 300, patience=99)
    assert inside(blind.policy, 20_000) == pytest.approx(0.251, abs=0.02)
    for generator in ("lstm", "per-position"):
        found = learned(space, generator, 2, 300, rate=0.03, patience=99)
        assert 0.33 <= inside(found.policy, 20_000) <= once + 0.01


def test_set_3_operations_that_undo_each_other():
    space = named_space("disc-shrinking-axes")
    assert inside(uniform(space, 4)) == pytest.approx(0.28, abs=0.02)
    assert inside(learned(space, "lstm", 4, 400).policy) >= 0.7
    published = learned(space, "lstm", 4, 100, diversity=Diversity("published", 1e-4), patience=99)
    # Its pole penalises points that return: worse than random.
    assert inside(published.policy) < 0.2


@pytest.mark.slow
def test_set_4_operations_that_get_stuck():
    space = named_space("disc-sticky-angles")
    assert inside(uniform(space, 10)) < 0.4
    assert inside(learned(space, "lstm", 10, 500, rate=0.02).policy) >= 0.7
