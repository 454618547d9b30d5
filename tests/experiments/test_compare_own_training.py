"""Comparisons of policies in training code of the user's own: a command or a function."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import automorph
from automorph import compare
from automorph.errors import AutomorphError, UsageError
from automorph.experiments import Budget, Command, external_task
from automorph.policies import Policy, load_policy

PYTHON = shlex.quote(sys.executable)
WORDS = "train.py {policy} {seed} {epochs} {out}"
HEAD = """
import json, os, pathlib, sys, time
policy, seed, epochs, out = sys.argv[1:]
name = json.loads(pathlib.Path(policy).read_text())["name"]
seed, epochs, out = int(seed), int(epochs), pathlib.Path(out)
with open("calls", "a") as file:
    file.write(f"{name} {seed}\\n")
value = {"none": 0.8, "flip": 0.9, "crop": 0.85}[name] + 0.001 * seed
value += 0.0001 * (seed * ord(name[0]) % 7)
def done(**more):
    result = {"validation": value, "metric": "accuracy", **more}
    (out / "result.json").write_text(json.dumps(result))
"""
POLICIES = ["none", "flip", "crop"]


def command(folder: Path, body: str, **options: Any) -> Command:
    (folder / "train.py").write_text(HEAD + body)
    return Command(f"{PYTHON} {WORDS}", cwd=str(folder), **options)


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_a_command_is_compared_seed_by_seed(tmp_path: Path) -> None:
    made = command(tmp_path, "done(test=value - 0.1, passes=epochs)")
    result = compare(objective=made, policies=POLICIES, seeds=3, epochs=4, folder=tmp_path / "run")
    assert (result.winner, result.verdict.kind) == ("flip", "better")
    assert result.metric.part == "test"
    flip = result["flip"]
    assert flip.accuracy is not None
    assert flip.validation is not None
    assert flip.accuracy.mean == pytest.approx(flip.validation.mean - 0.1)
    assert flip.units == {"passes": 12}
    assert not result.remarks
    again = compare(objective=made, policies=POLICIES, seeds=3, epochs=4, folder=tmp_path / "run")
    assert again.trained == 0
    assert again.rows == result.rows
    assert len(calls(tmp_path)) == 9
    logs = list((tmp_path / "run" / "jobs").glob("flip-seed0-*/try-1/log.txt"))
    assert len(logs) == 1


def test_what_is_not_reported_is_named(tmp_path: Path) -> None:
    made = command(tmp_path, "done(learning_rate=3)")
    result = compare(objective=made, policies=["none", "flip"], seeds=2, epochs=4)
    assert result.metric.part == "validation"
    assert any("report no test values" in remark for remark in result.remarks)
    assert any("'learning_rate'" in remark for remark in result.remarks)
    assert "validation values that also chose the winner" in result.verdict.text
    assert result["flip"].units == {"passes": 8}


def test_test_values_of_some_trainings_are_not_used(tmp_path: Path) -> None:
    made = command(tmp_path, "done(**({'test': 0.1} if seed else {}))")
    result = compare(objective=made, policies=["none", "flip"], seeds=2, epochs=1)
    assert result.metric.part == "validation"
    assert any("2 of 4 trainings report no test values" in remark for remark in result.remarks)


def test_a_loss_is_better_when_lower(tmp_path: Path) -> None:
    made = command(
        tmp_path,
        "value = 3 - value; done(metric='log loss', higher_is_better=False, test=value)",
    )
    result = compare(objective=made, policies=POLICIES, seeds=3, epochs=1)
    assert (result.winner, result.verdict.kind) == ("flip", "better")
    assert result["flip"].difference is not None
    assert result["flip"].difference.mean < 0
    assert "log loss (lower is better)" in result.verdict.text
    assert "%" not in str(result).replace("95%", "")
    assert " points" not in str(result)
    assert result.to_dict()["metric"]["higher_is_better"] is False


CRASH = "if seed % 3 == 2: raise SystemExit('no memory left')\ndone(test=value)"


def test_a_crash_on_every_third_seed_costs_only_these_seeds(tmp_path: Path) -> None:
    made = command(tmp_path, CRASH)
    result = compare(objective=made, policies=POLICIES, seeds=5, epochs=1, folder=tmp_path / "run")
    assert result.seeds == (0, 1, 3, 4)
    assert result.winner == "flip"
    for name in POLICIES:
        shown = [one for one in result.remarks if one.startswith(f"{name}, seed 2:")]
        assert len(shown) == 1
        assert "no memory left" in shown[0]
    assert calls(tmp_path).count("none 2") == 2  # A crash is tried twice.
    whole = command(tmp_path, "done(test=value)")
    task = compare(objective=whole, policies=POLICIES, seeds=[0, 1, 3, 4], epochs=1)
    assert [row.accuracy for row in task.rows] == [row.accuracy for row in result.rows]


def test_a_policy_that_hangs_does_not_hide_the_others(tmp_path: Path) -> None:
    made = command(tmp_path, "if name == 'crop': time.sleep(600)\ndone(test=value)", timeout=1.0)
    result = compare(objective=made, policies=POLICIES, seeds=2, epochs=1)
    assert result["crop"].accuracy is None
    assert "time limit of 1 s" in str(result["crop"].error)
    assert result.seeds == (0, 1)
    assert result.winner == "flip"


def test_a_policy_that_diverges_once_is_left_out_as_a_whole(tmp_path: Path) -> None:
    made = command(
        tmp_path, "if name == 'flip' and seed == 0: value = float('nan')\ndone(test=0.5)"
    )
    result = compare(objective=made, policies=POLICIES, seeds=3, epochs=1)
    assert result["flip"].accuracy is None
    assert "validation is nan" in str(result["flip"].error)
    assert (result.winner, result.seeds) == ("crop", (0, 1, 2))


def test_half_a_result_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    half = "(out / 'result.json').write_text('{\"validation\": 0.9, \"te')"
    made = command(tmp_path, f"done(test=value)\nif seed == 1 and name == 'flip': {half}")
    result = compare(objective=made, policies=["none", "flip"], seeds=4, epochs=1)
    assert result.seeds == (0, 2, 3)
    assert any("flip, seed 1: its result.json cannot be read" in one for one in result.remarks)


def test_a_failed_training_is_tried_again_by_the_next_call(tmp_path: Path) -> None:
    body = "if seed == 1 and not os.path.exists('mended'): raise SystemExit(1)\ndone(test=value)"
    made = command(tmp_path, body)
    folder = tmp_path / "run"
    first = compare(objective=made, policies=["none", "flip"], seeds=3, epochs=1, folder=folder)
    assert first.seeds == (0, 2)
    (tmp_path / "mended").touch()
    second = compare(objective=made, policies=["none", "flip"], seeds=3, epochs=1, folder=folder)
    assert (second.seeds, second.trained) == ((0, 1, 2), 2)


def test_a_changed_script_does_not_reuse_results(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    compare(objective=command(tmp_path, "done()"), policies=["none"], seeds=1, epochs=1,
            folder=folder)  # fmt: skip
    changed = command(tmp_path, "value = 0.1; done()")
    with pytest.raises(UsageError, match=r"files\.train\.py was"):
        compare(objective=changed, policies=["none"], seeds=1, epochs=1, folder=folder)


def test_what_only_some_trainings_report_is_counted() -> None:
    def train(policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
        result = {"validation": 1, "test": 1, "passes": 1}
        return {
            name: value
            for name, value in result.items()
            if name != ("test" if not seed else "passes" if policy.name == "none" else "")
        }

    result = compare(objective=train, policies=["none", "flip"], seeds=3)
    assert any(one.startswith("2 of 6 trainings report no test val") for one in result.remarks)
    assert any(one.startswith("2 of 6 trainings report no passes") for one in result.remarks)


def test_equal_differences_have_no_interval_and_the_verdict_says_why() -> None:
    made = {"none": 0.5, "flip": 0.75}
    result = compare(
        objective=lambda policy, seed, budget: {"validation": made[policy.name]},
        policies=list(made), seeds=3,
    )  # fmt: skip
    assert "no interval, because the differences are equal; 3 paired seeds" in result.verdict.text


def test_a_command_may_end_with_the_status_of_one_that_did_not_start(tmp_path: Path) -> None:
    made = command(tmp_path, "print('hello'); raise SystemExit(126)", retries=0)
    with pytest.raises(AutomorphError, match="ended with exit status 126"):
        compare(objective=made, policies=["none"], seeds=1, epochs=1)


def test_different_metrics_do_not_compare(tmp_path: Path) -> None:
    made = command(tmp_path, "done(metric=name)")
    with pytest.raises(UsageError, match=r"flip .* and none .*expected the same 'metric'"):
        compare(objective=made, policies=["none", "flip"], seeds=1, epochs=1)


def test_every_training_failed(tmp_path: Path) -> None:
    made = command(tmp_path, "raise SystemExit(3)", retries=0)
    with pytest.raises(AutomorphError, match=r"no policy has a result .* correct the training"):
        compare(objective=made, policies=["none", "flip"], seeds=2, epochs=1)


def objective(policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
    return {"validation": len(policy.name) + seed / 10 + (budget.epochs or 0), "metric": "reward"}


def test_a_function_is_compared_too() -> None:
    result = compare(objective=objective, policies=["none", "flip-crop"], seeds=3, epochs=2)
    assert result.winner == "flip-crop"
    assert result.metric.name == "reward"
    assert result["none"].accuracy is not None
    assert result["none"].accuracy.mean == pytest.approx(6.1)
    same = compare(external_task(objective, epochs=2), ["none", "flip-crop"], seeds=3)
    assert same.rows[0].accuracy == result.rows[0].accuracy


def test_a_schedule_gets_each_of_its_policies_from_a_checkpoint(tmp_path: Path) -> None:
    seen = []

    def train(policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
        started = budget.checkpoint and budget.checkpoint.read_text()
        seen.append((policy.name, started, budget.epochs))
        (budget.folder / "w").write_text(str(budget.epochs))
        return {"validation": 1, "checkpoint": "w"}

    schedule = load_policy("schedule(2:none,3:flip)")
    compare(objective=train, policies=[schedule], seeds=1, epochs=7, resumable=True)
    assert seen == [("none", None, 2), ("flip", "2", 7)]
    with pytest.raises(UsageError, match="changes with the epoch"):
        compare(objective=train, policies=[schedule], seeds=1, epochs=7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"policies": ["uncertainty"]}, "runs inside the training loop"),
        ({"policies": ["eda"]}, "is for texts"),
        ({"policies": []}, "got no policy"),
        ({"policies": ["none"], "model": "cnn"}, "unknown option 'model'"),
        ({"policies": ["none"], "domain": "audio"}, "unknown domain 'audio'"),
        ({"policies": ["none"], "task": "digits"}, "got data and an objective"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        compare(objective=objective, **options)
    assert words in str(caught.value)


def test_neither_data_nor_objective_is_refused() -> None:
    with pytest.raises(UsageError, match="neither data nor an objective"):
        automorph.compare(policies=["none"])


def test_a_killed_comparison_continues(tmp_path: Path) -> None:
    made = command(tmp_path, "time.sleep(0.3); done(test=value, passes=epochs)")
    driver = (
        "import sys; from automorph import compare; from automorph.experiments import Command\n"
        f"compare(objective=Command({made.template!r}, cwd={str(tmp_path)!r}), "
        f"policies={POLICIES!r}, seeds=3, epochs=4, folder={str(tmp_path / 'run')!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", driver])
    jobs = tmp_path / "run" / "jobs.jsonl"
    deadline = time.monotonic() + 120
    while not jobs.exists() or jobs.read_text().count('"job"') < 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    before = len(calls(tmp_path))
    options: dict[str, Any] = {"policies": POLICIES, "seeds": 3, "epochs": 4}
    result = compare(objective=made, folder=tmp_path / "run", **options)
    assert 0 < result.trained < 9
    assert len(calls(tmp_path)) <= before + result.trained
    whole = compare(objective=made, **options)
    assert [(r.policy, r.accuracy, r.difference) for r in result.rows] == [
        (r.policy, r.accuracy, r.difference) for r in whole.rows
    ]
    assert json.loads((next((tmp_path / "run" / "jobs").glob("*")) / "policy.json").read_text())
