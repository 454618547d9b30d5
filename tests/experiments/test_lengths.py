"""Trainings that end by themselves in a comparison, at the same length, and that died."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automorph import load_policy as as_policy
from automorph.errors import TrainingError
from automorph.experiments import compare, dead_seed
from automorph.experiments.dead_seed import has_died, train_alive
from automorph.training import Task, as_task, train

AUTO: dict[str, Any] = {"epochs": 24, "schedule": "stable", "stop": "converged"}


def task_of(**recipe: Any) -> Task:
    return as_task("digits", model="cnn:4", limit=200, recipe={**AUTO, **recipe})


def test_each_policy_trains_until_it_has_converged_and_what_has_not_is_named() -> None:
    result = compare(task_of(lr=0.02), ["none", "crop"], seeds=2)
    lengths = {name: len(curves["epoch"][0]) for name, curves in result.curves.items()}
    assert all(8 < length <= 24 for length in lengths.values())
    (remark,) = [one for one in result.remarks if one.startswith("Not converged (")]
    assert "longer training may change this result" in remark


@pytest.mark.slow
def test_the_same_epochs_for_all_are_those_of_the_longest(tmp_path: Path) -> None:
    task = task_of(lr=0.2)
    own = compare(task, ["none", "crop"], seeds=2, folder=tmp_path / "own")
    ends = [
        [np.sum(np.array(seed, dtype=float) > -1) for seed in curves["loss"]]
        for curves in own.curves.values()
    ]
    longest = int(np.max(ends))
    same = compare(task, ["none", "crop"], seeds=2, folder=tmp_path / "same", same_epochs=True)
    for curves in same.curves.values():
        assert all(None not in seed and len(seed) == longest for seed in curves["loss"])
    # Again: nothing is trained twice.
    again = compare(task, ["none", "crop"], seeds=2, folder=tmp_path / "same", same_epochs=True)
    assert again.trained == 0
    assert again.rows == same.rows


def test_a_cell_at_the_longest_length_equals_a_training_of_that_length() -> None:
    task = task_of(lr=0.2)
    own = train(task, "crop")
    fixed = train(task.with_recipe(epochs=len(own.curves)), "crop")
    assert own.accuracy == fixed.accuracy


def test_curves_of_different_lengths_are_filled_up() -> None:
    result = compare(task_of(lr=0.3, epochs=30), ["none"], seeds=3)
    curves = result.curves["none"]
    assert len({len(seed) for seed in curves["loss"]}) == 1


def dead() -> Task:
    """A rate at which the network does not learn."""
    return as_task("digits", model="cnn:4", limit=200, recipe={"epochs": 5, "lr": 1e-9})


def test_a_training_that_died_is_noticed() -> None:
    task = dead()
    constant = train(task, None)
    constant.predictions["validation"][:] = 3
    assert has_died(constant, task)
    alive = train(task.with_recipe(lr=0.05, epochs=6), None)
    assert not has_died(alive, task)


def test_one_class_with_a_falling_loss_is_no_death() -> None:
    task = as_task("digits", model="cnn:4", limit=200, recipe={"epochs": 6})
    result = train(task, None)
    result.predictions["validation"][:] = 3
    assert not has_died(result, task)


def test_a_dead_seed_is_trained_again_with_a_longer_warm_up_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def dying(task: Task, policy: Any, *, seed: int, **options: Any) -> Any:
        seen.append((seed, task.recipe.warmup_epochs))
        if seed == 1 and task.recipe.warmup_epochs < 2:
            raise TrainingError("the training diverged: the loss is nan. Try a rate of 0.01")
        return train(task, policy, seed=seed, **options)

    monkeypatch.setattr(dead_seed, "train", dying)
    task = as_task("digits", model="cnn:4", limit=200, recipe={"epochs": 8, "warmup_epochs": 1})
    result = compare(task, ["none"], seeds=2, engine="local")
    assert seen == [(0, 1), (1, 1), (1, 2.0)]
    (remark,) = [one for one in result.remarks if "trained again" in one]
    assert remark.startswith(
        "none: seed 1 (the training diverged: the loss is nan) learned nothing"
    )
    assert result["none"].accuracy is not None


def test_both_trainings_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_seed, "has_died", lambda *given: True)
    task = as_task("digits", model="cnn:4", limit=100, recipe={"epochs": 2})
    result, died = train_alive(task, as_policy("none"), seed=0)
    assert died == "it predicted one class only"
    assert result.units.backward == 2 * 2 * len(task.data.train)


def test_what_diverges_twice_fails_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(*args: Any, **options: Any) -> Any:
        raise TrainingError("the training diverged: the loss is nan. Try a rate of 0.01")

    monkeypatch.setattr(dead_seed, "train", dying)
    with pytest.raises(TrainingError, match="diverged"):
        train_alive(dead(), "none", seed=0)  # type: ignore[arg-type]
