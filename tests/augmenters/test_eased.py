"""A policy scaled down, to the unchanged example at the limit."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.augmenters.adaptive import eased
from automorph.operations import Stream
from automorph.policies import load_policy

STREAM = Stream(seed=1, index=np.arange(3000))
DRAWS = load_policy("composition(n=2)")


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.75])
def test_magnitudes_shrink_and_so_does_the_chance_of_what_has_none(strength):
    whole, easy = DRAWS.sample(STREAM), eased(DRAWS, strength).sample(STREAM)
    free = np.array([operation.magnitude_free for operation in DRAWS.space])[whole.op]

    assert (easy.op == whole.op).all()
    np.testing.assert_allclose(easy.magnitude, strength * whole.magnitude, rtol=1e-6)
    if strength:
        assert (easy.fire == whole.fire)[~free].all()
    assert not (easy.fire & ~whole.fire).any()
    assert easy.fire[free & whole.fire].mean() == pytest.approx(strength, abs=0.06)


def test_without_strength_examples_stay_as_they_are():
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), np.uint8)

    assert (eased(DRAWS, 0.0).augment(images) == images).all()


def test_full_strength_is_the_policy_itself():
    assert eased(DRAWS, 1.0) is DRAWS


@pytest.mark.parametrize("name", ["augmix", "randaugment(n=2,m=9) + cutout(8)"])
def test_what_is_no_stage_of_operations_stays_as_it_is(name):
    assert eased(load_policy(name), 0.3) == load_policy(name)
