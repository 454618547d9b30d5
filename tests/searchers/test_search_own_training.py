"""Searches whose trainings are the user's own: a command or a function."""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automorph import search
from automorph.errors import UsageError
from automorph.experiments import Budget, Command, external_task
from automorph.policies import Policy, policy_to_dict, usage

FAST: dict[str, Any] = {"seeds": 2, "epochs": 4}


def uses(policy: Policy, operation: str) -> bool:
    return any(one.operation.startswith(operation) and one.share > 0 for one in usage(policy))


class Training:
    """A training that takes no time; inversion and no rotation are best for it."""

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.calls: list[tuple[int, int, int]] = []
        self.values: list[float] = []

    def __call__(self, policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
        start = int(budget.checkpoint.read_text()) if budget.checkpoint else 0
        self.calls.append((seed, start, budget.epochs or 0))
        (budget.folder / "w").write_text(str(budget.epochs))
        noise = int(hashlib.sha1(f"{policy.name}{seed}".encode()).hexdigest()[0], 16) / 16
        value = 0.5 + 0.2 * uses(policy, "Invert") - 0.2 * uses(policy, "Rotate") + 0.01 * noise
        result: dict[str, Any] = {"validation": value, "test": value / 2}
        result |= {"metric": "accuracy", "checkpoint": "w"}
        result |= {key: make(value) for key, make in self.changes.items()}
        self.values.append(result["validation"])
        return result


def test_a_search_ends_in_a_table_of_the_users_own_trainings(tmp_path: Path) -> None:
    own = Training(passes=lambda value: 4)
    options: dict[str, Any] = {"method": "random", "trials": 4, "folder": tmp_path, **FAST}
    result = search(objective=own, **options)
    assert result.parts[:2] == ("found", "none")
    assert result.cost == pytest.approx(4)
    assert result.metric.part == "test"
    row = result.row
    assert row.accuracy is not None
    assert row.validation is not None
    assert row.accuracy.mean == pytest.approx(row.validation.mean / 2)
    assert row.units == {"passes": 8}
    count = len(own.calls)
    again = search(objective=own, **options)
    assert (again.trained, len(own.calls)) == (0, count)
    assert again.rows == result.rows
    assert again.cost_note.startswith("The cost counts passes")


def test_a_command_is_searched_for(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import json, pathlib, sys\n"
        "steps = str(json.loads(pathlib.Path(sys.argv[1]).read_text())['policy'])\n"
        "result = {'validation': 1 / len(steps), 'higher_is_better': False}\n"
        "pathlib.Path(sys.argv[3], 'result.json').write_text(json.dumps(result))\n"
    )
    made = Command(
        f"{shlex.quote(sys.executable)} train.py {{policy}} {{seed}} {{out}}", cwd=str(tmp_path)
    )
    result = search(objective=made, method="random(count=1)", trials=3, seeds=1)
    assert result.trials == 3
    assert result.row.accuracy is not None
    assert "longer" not in result.parts
    assert result.cost_note.startswith("Every training counts as one")


def test_test_values_choose_nothing() -> None:
    honest = search(objective=Training(), method="random", trials=6, **FAST)
    other = Training(test=lambda value: 1 - value)
    blind = search(objective=other, method="random", trials=6, **FAST)
    assert policy_to_dict(honest.policy) == policy_to_dict(blind.policy)  # type: ignore[arg-type]
    assert [one["score"] for one in honest.trace] == [one["score"] for one in blind.trace]


@pytest.mark.parametrize("method", ["randaugment(by=grid)", "randaugment", "autoaugment"])
def test_methods_that_need_trainings_only(method: str) -> None:
    result = search(objective=Training(), method=method, trials=4, **FAST)
    assert (result.trials, result.failed) == (4, 0)


def test_population_based_training_continues_from_checkpoints(tmp_path: Path) -> None:
    own = Training()
    result = search(
        objective=own, method="pba(members=4,every=2)", folder=tmp_path, resumable=True, **FAST
    )
    spans = sorted((start, stop) for _, start, stop in own.calls[:8])
    assert spans == [(0, 2)] * 4 + [(2, 4)] * 4
    assert result.cost == pytest.approx(4)
    assert result.row.error is None
    # The policy found changes after two epochs, and so does its training.
    found = [(start, stop) for _, start, stop in own.calls[8:]]
    assert found.count((2, 4)) in (0, 2)


def test_checkpoints_of_trials_are_removed_and_results_stay(tmp_path: Path) -> None:
    method = "pba(members=4,every=2)"
    search(objective=Training(), method=method, folder=tmp_path, resumable=True, **FAST)
    trials = list((tmp_path / "jobs").glob("pba-*"))
    assert len(trials) >= 8
    assert sum((one / "try-1" / "w").exists() for one in trials) <= 4  # Those of the final table.


def test_a_race_restarts_without_checkpoints_and_counts_it() -> None:
    own = Training()
    result = search(objective=own, method="heats", trials=40, seeds=2, epochs=8)
    assert [one["name"] for one in result.history["searches"]] == ["randaugment", "autoaugment"]
    assert all(start == 0 for _, start, _ in own.calls)
    finals = sum(
        2 * 8 * (result.epoch_multiplier if part == "longer" else 1) for part in result.parts
    )
    trained = sum(stop for _, _, stop in own.calls)
    assert result.cost == pytest.approx((trained - finals) / 8)
    assert any("started from the beginning" in remark for remark in result.remarks)


def test_a_race_continues_from_checkpoints() -> None:
    own = Training()
    result = search(objective=own, trials=20, seeds=2, epochs=8, resumable=True)
    assert any(start > 0 for _, start, _ in own.calls)
    finals = sum(
        2 * 8 * (result.epoch_multiplier if part == "longer" else 1) for part in result.parts
    )
    trained = sum(stop - start for _, start, stop in own.calls)
    assert result.cost == pytest.approx((trained - finals) / 8)


def test_a_training_of_fixed_length_is_raced_whole() -> None:
    result = search(objective=Training(), trials=20, seeds=2)
    assert {heat["epochs"] for heat in result.history["heats"]} == {1}
    assert "longer" not in result.parts


def test_a_loss_is_minimised() -> None:
    loss = Training(
        validation=lambda value: 3 - value, test=lambda value: None, metric=lambda value: "loss",
        higher_is_better=lambda value: False,
    )  # fmt: skip
    result = search(objective=loss, method="random", trials=8, **FAST)
    assert result.trace[-1]["best"] == -min(loss.values[:8])
    assert result.metric.higher_is_better is False
    best = loss.values[:8].index(min(loss.values[:8]))
    assert f"trial={best}," in result.found.name
    assert "%" not in result.verdict.text.replace("95%", "")
    assert any("no test values" in remark for remark in result.remarks)
    assert any("no losses of single" in remark for remark in result.remarks)


def test_losses_decide_between_equal_scores() -> None:
    own = Training(
        validation=lambda value: 0.5, validation_losses=lambda value: [1 - value, 1 - value]
    )
    result = search(objective=own, method="heats(share=0)", trials=12, **FAST)
    best = result.history["heats"][-1]["arms"][0]["name"]
    other = Training(validation=lambda value: 0.5, validation_losses=lambda value: [value, value])
    worst = search(objective=other, method="heats(share=0)", trials=12, **FAST)
    assert worst.history["heats"][-1]["arms"][0]["name"] != best


def test_failed_trials_are_named() -> None:
    class Failing(Training):
        def __call__(self, policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
            if len(self.calls) == 2:
                self.calls.append((seed, 0, 0))
                raise ValueError("no third time")
            return super().__call__(policy, seed, budget)

    result = search(objective=Failing(), method="random", trials=6, **FAST)
    assert result.failed == 1
    shown = [remark for remark in result.remarks if "1 of 6 trials failed" in remark]
    assert len(shown) == 1
    assert "no third time" in shown[0]


def test_different_metrics_do_not_compare() -> None:
    own = Training(metric=lambda value: f"metric {value > 0.505}")
    with pytest.raises(UsageError, match="different metrics"):
        search(objective=own, method="random", trials=8, **FAST)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "instant"}, "instant needs the data or the network itself"),
        ({"method": "fast-autoaugment"}, "one of race, heats, random, randaugment, autoaugment"),
        ({"method": "dada"}, "dada needs"),
        ({"method": "tanda"}, "tanda needs"),
        ({"method": "pba"}, "add {checkpoint} and {epochs}"),
        ({"method": "heats(searches=instant)"}, "instant needs"),
        ({"method": "heats(arms=uncertainty)", "trials": 30}, "runs inside the training loop"),
        ({"space": "explained"}, "narrowed by looking at data"),
        ({"space": "texts-plain"}, "has operations on texts"),
        ({"epochs": 0}, "got epochs=0"),
        ({"recipe": {}}, "unknown option 'recipe'"),
    ],
)
def test_what_needs_data_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        search(objective=Training(), **{"epochs": 2, **options})
    assert words in str(caught.value)


def test_a_task_may_be_given_in_place_of_an_objective() -> None:
    task = external_task(Training(), epochs=2)
    assert search(task, "random", trials=2, seeds=1).trials == 2
