"""Every search, small, on real data: it ends, finds a policy that can be saved, and repeats."""

from __future__ import annotations

import numpy as np
import pytest
from bandit import setting
from small_task import small_task

from automorph.operations import named_space
from automorph.policies import load_policy, save_policy
from automorph.searchers.builtin import load_method

NAMES = (
    "random(count=2)",
    "randaugment(by=grid,reach=1.5)",
    "autoaugment(batch=2,subpolicies=2)",
    "fast-autoaugment(passes=2)",
    "text-autoaugment(subpolicies=2)",
    "pba(every=1)",
    "dada(epochs=2)",
)
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 1), np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_a_small_search_ends_and_repeats_itself(name, tmp_path):
    task, space = small_task(), named_space("randaugment")

    def build():
        return load_method(name).build(setting(task, 3, space=space))

    search, told = build(), []
    assert search.result().augment(IMAGES).shape == IMAGES.shape
    while jobs := search.ask():
        assert len(told) < 10
        outcomes = [job.run(task, tmp_path) for job in jobs]
        assert not any(outcome.error for outcome in outcomes)
        told.append(([job.describe() for job in jobs], outcomes))
        search.tell(outcomes)
    found = search.result()
    again = load_policy(save_policy(found, tmp_path / "policy.json"))
    assert again == found
    assert (again.augment(IMAGES, seed=1) == found.augment(IMAGES, seed=1)).all()

    replayed = build()
    for described, outcomes in told:
        assert [job.describe() for job in replayed.ask()] == described
        replayed.tell(outcomes)
    assert not replayed.ask()
    assert replayed.result() == found
