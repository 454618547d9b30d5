"""The schedule `stable`: cooled down at any epoch, continued, and ended by convergence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from automorph.errors import UsageError
from automorph.targets import Classes
from automorph.training import Recipe, RunResult, Task, as_task, learning_rate, train
from automorph.training.convergence import (
    Convergence,
    calibrated_losses,
    has_converged,
    is_measured,
)
from automorph.training.evaluation import Evaluation
from automorph.training.optimiser import Average
from automorph.training.schedule import cooldown_epochs, longest_stable


def task_of(**recipe: object) -> Task:
    entries = {"schedule": "stable", "epochs": 12, "warmup_epochs": 1, **recipe}
    return as_task("digits", model="cnn:4", limit=200, recipe=entries)


def weights(result: RunResult) -> list[torch.Tensor]:
    assert result.model is not None
    return list(result.model.state_dict().values())


def same(one: RunResult, other: RunResult) -> bool:
    """Whether two results are equal to the bit, apart from times."""
    pairs = zip(weights(one), weights(other), strict=True)
    return all(torch.equal(a, b) for a, b in pairs) and one.accuracy == other.accuracy


@pytest.mark.parametrize("cooldown", [0.0, 0.1, 0.2, 0.25, 0.4, 0.5, 0.9])
def test_a_training_that_stops_by_itself_has_the_rates_of_one_given_its_length(
    cooldown: float,
) -> None:
    longer = Recipe(epochs=1000, schedule="stable", cooldown=cooldown)
    for stable in range(1, 60):
        epochs = stable + cooldown_epochs(longer, stable)
        given = Recipe(epochs=epochs, schedule="stable", cooldown=cooldown)
        assert longest_stable(given) == stable
        stopped = [learning_rate(longer, step, 3, stable) for step in range(3 * epochs)]
        assert stopped == [learning_rate(given, step, 3) for step in range(3 * epochs)]
        assert 0 < stopped[-1] < stopped[0]


@pytest.mark.parametrize("cooldown", [0.0, 0.25, 0.9])
def test_one_epoch_is_possible(cooldown: float) -> None:
    recipe = Recipe(epochs=1, schedule="stable", cooldown=cooldown, warmup_epochs=2)
    rates = [learning_rate(recipe, step, 4) for step in range(4)]
    assert 0 < min(rates) <= max(rates) <= recipe.lr


@pytest.mark.parametrize("stable", [3, 6])
def test_cooled_down_equals_a_training_of_that_length(tmp_path: Path, stable: int) -> None:
    task = task_of()
    cooled = train(task, "crop", folder=tmp_path, stop_epoch=stable, cool_down=True)
    length = stable + cooldown_epochs(task.recipe, stable)
    whole = train(task_of(epochs=length), "crop")
    assert len(cooled.curves) == length
    assert cooled.finished
    assert cooled.stable_epochs == stable
    assert same(cooled, whole)


def test_continued_after_cool_downs_as_if_there_had_been_none(tmp_path: Path) -> None:
    task = task_of()
    for epoch in (2, 5):
        train(task, "crop", folder=tmp_path, stop_epoch=epoch, cool_down=True)
    assert same(train(task, "crop", folder=tmp_path), train(task, "crop"))


def test_a_cool_down_is_kept_and_not_trained_again(tmp_path: Path) -> None:
    task = task_of()
    first = train(task, "crop", folder=tmp_path, stop_epoch=3, cool_down=True)
    train(task, "crop", folder=tmp_path)
    seen: list[object] = []
    again = train(task, "crop", folder=tmp_path, stop_epoch=3, cool_down=True, progress=seen.append)
    assert same(first, again)
    assert not seen


def test_an_interrupted_cool_down_is_resumed(tmp_path: Path) -> None:
    task = task_of(cooldown=0.5)
    whole = train(task, "crop", stop_epoch=4, cool_down=True)

    def stop(epoch: object) -> None:
        if getattr(epoch, "epoch", 0) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(task, "crop", folder=tmp_path, stop_epoch=4, cool_down=True, progress=stop)
    seen: list[int] = []
    resumed = train(
        task, "crop", folder=tmp_path, stop_epoch=4, cool_down=True,
        progress=lambda epoch: seen.append(epoch.epoch),
    )  # fmt: skip
    assert seen[0] in (6, 7)
    assert same(resumed, whole)


def test_an_epoch_that_has_passed_cannot_be_cooled_down(tmp_path: Path) -> None:
    task = task_of()
    train(task, "crop", folder=tmp_path, stop_epoch=5)
    with pytest.raises(UsageError, match="epoch 3 was requested, but this training is at epoch 5"):
        train(task, "crop", folder=tmp_path, stop_epoch=3, cool_down=True)


def test_other_schedules_cannot_be_cooled_down() -> None:
    with pytest.raises(UsageError, match="the schedule 'cosine'; expected an epoch"):
        train(task_of(schedule="cosine"), "crop", stop_epoch=3, cool_down=True)
    with pytest.raises(UsageError, match="stop_epoch=None"):
        train(task_of(), "crop", cool_down=True)


def test_stops_when_converged_and_resumes_to_the_bit(tmp_path: Path) -> None:
    # Random labels: nothing on the validation part can be learned.
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (200, 8, 8, 1), np.uint8), rng.integers(0, 2, 200)
    recipe = {"schedule": "stable", "epochs": 60, "stop": "converged", "lr": 0.01}
    task = as_task((images, labels), model="cnn:4", recipe=recipe)
    result = train(task, None)
    assert result.converged is True
    assert result.stable_epochs is not None
    assert len(result.curves) < 40
    train(task, None, folder=tmp_path, stop_epoch=5)
    assert same(result, train(task, None, folder=tmp_path))
    found = train(task, None, folder=tmp_path)
    assert (found.converged, found.stable_epochs) == (True, result.stable_epochs)


def test_the_budget_ends_a_training_that_still_learns() -> None:
    result = train(task_of(epochs=16, stop="converged"), "crop")
    assert len(result.curves) == 16
    assert result.converged is False


def test_a_single_epoch_only_cools_down() -> None:
    result = train(task_of(epochs=1, stop="converged"), "crop")
    assert (result.stable_epochs, result.converged) == (0, None)


def test_converging_needs_a_constant_rate() -> None:
    with pytest.raises(UsageError, match="stop is 'converged' and schedule is 'cosine'"):
        Recipe(stop="converged")


def test_noise_is_no_improvement_and_a_steady_one_is() -> None:
    rng = np.random.default_rng(0)
    hard = rng.exponential(1, 400)  # Some examples are harder, in every measurement.

    def measured(falls: float) -> list[np.ndarray]:
        return [hard - falls * k + rng.normal(0, 0.3, 400) for k in range(8)]

    level = [has_converged(measured(0.0)) for _ in range(100)]
    steady = [has_converged(measured(0.05)) for _ in range(100)]
    assert sum(level) > 35  # Each of two comparisons errs in 31 of 100.
    assert sum(steady) == 0


def test_convergence_is_not_measured_while_the_rate_rises(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    add = Convergence.add

    def noted(self: Convergence, epoch: int, evaluation: Evaluation) -> None:
        seen.append(epoch)
        add(self, epoch, evaluation)

    monkeypatch.setattr(Convergence, "add", noted)
    train(task_of(epochs=20, warmup_epochs=15, cooldown=0.1), "crop")
    assert seen == [16]


def test_a_single_bad_measurement_ends_nothing() -> None:
    falling = [np.full(50, 2 - 0.1 * k) for k in range(8)]
    assert not has_converged([*falling[:-1], falling[0]])
    assert not has_converged(falling[:3])


def test_measurements_are_a_quarter_of_the_epochs_apart() -> None:
    epochs = [epoch for epoch in range(1, 1000) if is_measured(epoch)]
    assert epochs[0] == 8
    for before, now in zip(epochs, epochs[2:], strict=False):
        assert before / now == pytest.approx(0.75, abs=0.05)


def test_the_average_reaches_back_over_a_tenth_of_the_steps() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = Average(model)
    for steps in (100, 1000):
        for step in range(steps):
            torch.nn.init.constant_(model.weight, step)
            average.update(model, step)
        behind = (steps - 1 - average.model.weight.item()) / steps
        assert behind == pytest.approx(1 / (average.gamma + 2), rel=0.1)


def test_overconfidence_alone_is_no_loss() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    logits = np.eye(3, dtype=np.float32)[labels] * 2 + rng.normal(0, 1, (600, 3)).astype(np.float32)
    calm = Evaluation(logits, np.zeros(600, np.float32), labels, Classes(3))
    sharp = Evaluation(10 * logits, np.zeros(600, np.float32), labels, Classes(3))
    assert calibrated_losses(sharp).mean() == pytest.approx(
        calibrated_losses(calm).mean(), abs=1e-2
    )


def test_at_most_2000_losses_are_kept_of_all_classes() -> None:
    labels = np.sort(np.arange(5000) % 4)
    logits = np.eye(4, dtype=np.float32)[labels]
    seen = Evaluation(logits, np.zeros(5000, np.float32), labels, Classes(4))
    assert 1500 <= len(calibrated_losses(seen)) <= 2000
