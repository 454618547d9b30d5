"""Tasks of the user's own code: tries, checkpoints, functions, and what identifies them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from automorph import load_policy
from automorph.errors import TrainingError, UsageError
from automorph.experiments import Budget, Command, external_task
from automorph.experiments.external_training import checkpoint_of
from automorph.policies import Policy

PYTHON = shlex.quote(sys.executable)
TRAIN = """
import json, pathlib, sys
policy, seed, epochs, out, checkpoint = sys.argv[1:]
out = pathlib.Path(out)
start = int(pathlib.Path(checkpoint).read_text()) if checkpoint else 0
(out / "last.pt").write_text(epochs)
result = {"validation": int(epochs) - start, "test": 1, "checkpoint": "last.pt"}
(out / "result.json").write_text(json.dumps(result))
"""


def command(folder: Path, text: str = TRAIN, **options: Any) -> Command:
    (folder / "train.py").write_text(text)
    words = "train.py {policy} {seed} {epochs} {out} {checkpoint}"
    return Command(f"{PYTHON} {words}", cwd=str(folder), **options)


def test_a_training_continues_from_a_checkpoint(tmp_path: Path) -> None:
    task = external_task(command(tmp_path), epochs=4)
    assert task.resumable
    none = load_policy("none")
    first = task.train(none, seed=1, folder=tmp_path / "a", epochs=4)
    assert (first.validation, first.test_value) == (4, 1)
    second = task.train(none, seed=1, folder=tmp_path / "b", epochs=7, checkpoint=first.checkpoint)
    assert second.validation == 3
    assert (tmp_path / "a" / "policy.json").exists()


def test_a_search_sees_no_test_value(tmp_path: Path) -> None:
    task = external_task(command(tmp_path), epochs=4).without_test()
    result = task.train(load_policy("none"), seed=1, folder=tmp_path / "a", epochs=4)
    assert result.test_value is None


def test_a_crash_is_tried_again_in_a_new_folder(tmp_path: Path) -> None:
    once = (
        "import pathlib, sys\nif pathlib.Path(sys.argv[4]).name == 'try-1': raise SystemExit(5)\n"
    )
    task = external_task(command(tmp_path, once + TRAIN), epochs=1)
    assert task.train(load_policy("none"), seed=0, folder=tmp_path / "a", epochs=1).validation == 1
    never = external_task(command(tmp_path, once + TRAIN, retries=0), epochs=1)
    with pytest.raises(TrainingError, match="exit status 5"):
        never.train(load_policy("none"), seed=0, folder=tmp_path / "b", epochs=1)


def test_a_repeated_crash_reports_the_number_of_tries(tmp_path: Path) -> None:
    task = external_task(command(tmp_path, "raise SystemExit(5)"), epochs=1)
    with pytest.raises(TrainingError, match="2 times, the command ended with exit status 5"):
        task.train(load_policy("none"), seed=0, folder=tmp_path / "a", epochs=1)
    assert sorted(one.name for one in (tmp_path / "a").glob("try-*")) == ["try-1", "try-2"]


def test_nan_is_not_tried_again(tmp_path: Path) -> None:
    text = "import sys; open(sys.argv[4] + '/result.json', 'w').write('{\"validation\": NaN}')"
    task = external_task(command(tmp_path, text), epochs=1)
    with pytest.raises(TrainingError, match="validation is nan"):
        task.train(load_policy("none"), seed=0, folder=tmp_path / "a", epochs=1)
    assert [one.name for one in (tmp_path / "a").glob("try-*")] == ["try-1"]


def objective(policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
    if seed == 3:
        raise ValueError("no such seed")
    (budget.folder / "w.pt").write_text(policy.name)
    return {"validation": seed + (budget.epochs or 0), "checkpoint": "w.pt"}


def test_a_function_trains_as_a_command_does(tmp_path: Path) -> None:
    task = external_task(objective, epochs=10)
    result = task.train(load_policy("crop"), seed=2, folder=tmp_path / "a", epochs=10)
    assert result.validation == 12
    assert result.checkpoint is not None
    assert result.checkpoint.read_text() == "crop"
    with pytest.raises(TrainingError) as caught:
        task.train(load_policy("crop"), seed=3, folder=tmp_path / "b")
    assert "objective raised ValueError: no such seed" in str(caught.value)
    assert "Traceback" in (tmp_path / "b" / "try-1" / "log.txt").read_text()


def test_a_random_policy_is_the_one_of_the_seed(tmp_path: Path) -> None:
    policy = load_policy("flip + random")
    external_task(command(tmp_path), epochs=1).train(
        policy, seed=5, folder=tmp_path / "a", epochs=1
    )
    assert load_policy(tmp_path / "a" / "policy.json").name == "flip + random(seed=5)"
    result = external_task(objective).train(policy, seed=5, folder=tmp_path / "b")
    assert result.checkpoint is not None
    assert result.checkpoint.read_text() == "flip + random(seed=5)"


def test_a_changed_script_or_function_is_another_task(tmp_path: Path) -> None:
    made = command(tmp_path)
    before = external_task(made, epochs=2).describe()
    (tmp_path / "train.py").write_text(TRAIN + "# changed")
    assert external_task(made, epochs=2).describe() != before
    assert external_task(objective).describe() != external_task(lambda *_: {}).describe()
    assert external_task(objective).describe() == external_task(objective).describe()


def test_the_name_is_that_of_the_script_or_function(tmp_path: Path) -> None:
    assert external_task(command(tmp_path), epochs=1).name == "train"
    assert external_task(objective).name == "objective"


def test_epochs_must_fit_the_command(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no number of epochs was given"):
        external_task(command(tmp_path))
    fixed = Command(f"{PYTHON} {{policy}} {{seed}} {{out}}")
    with pytest.raises(UsageError, match=r"the command has no \{epochs\}"):
        external_task(fixed, epochs=3)
    with pytest.raises(UsageError, match="expected a function"):
        external_task(3)  # type: ignore[arg-type]


def at_rate(policy: Policy, seed: int, budget: Budget, *, rate: Any = 0) -> Mapping[str, Any]:
    return {"validation": rate}


class AtRate:
    def __init__(self, rate: float) -> None:
        self.rate = rate

    def __call__(self, policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
        return {"validation": self.rate}

    def method(self, policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
        return {"validation": self.rate}


def enclosed(rate: float, settings: Mapping[str, Any]) -> Callable[..., Mapping[str, Any]]:
    return lambda policy, seed, budget: {"validation": settings.get("rate", rate)}


def with_default(rate: float) -> Callable[..., Mapping[str, Any]]:
    return lambda policy, seed, budget, rate=rate: {"validation": rate}


def without_source(rate: float) -> Callable[..., Mapping[str, Any]]:
    space: dict[str, Any] = {}
    exec(f"def train(policy, seed, budget):\n    return {{'validation': {rate}}}", space)
    made: Callable[..., Mapping[str, Any]] = space["train"]
    return made


OBJECTIVES: dict[str, Callable[[float], Any]] = {
    "partial": lambda rate: partial(at_rate, rate=rate),
    "partial of a partial": lambda rate: partial(partial(at_rate, rate=rate)),
    "object": AtRate,
    "method": lambda rate: AtRate(rate).method,
    "enclosed": lambda rate: enclosed(rate, {}),
    "enclosed settings": lambda rate: enclosed(0, {"rate": rate}),
    "enclosed function": lambda rate: partial(at_rate, rate=enclosed(rate, {})),
    "default": with_default,
    "without source": without_source,
}


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_the_values_that_a_function_carries_are_part_of_its_identity(kind: str) -> None:
    one, same, other = (external_task(OBJECTIVES[kind](rate)).describe() for rate in (1, 1, 2))
    assert one == same != other
    assert "partial" not in one["name"]
    json.dumps(one)


def test_a_log_that_a_function_appends_to_does_not_change_its_identity() -> None:
    calls: list[int] = []

    def train(policy: Policy, seed: int, budget: Budget) -> Mapping[str, Any]:
        calls.append(seed)
        return {"validation": 1}

    before = external_task(train).describe()
    train(load_policy("none"), 1, Budget(None, None, Path()))
    assert external_task(train).describe() == before


def test_a_search_does_not_read_the_test_value(tmp_path: Path) -> None:
    made = command(tmp_path, TRAIN.replace('"test": 1', '"test": float("nan")'))
    hidden = external_task(made, epochs=4).without_test()
    result = hidden.train(load_policy("none"), seed=1, folder=tmp_path / "a", epochs=4)
    assert result.validation == 4
    assert checkpoint_of(tmp_path / "a") is not None
    with pytest.raises(TrainingError, match="test is nan"):
        external_task(made, epochs=4).train(
            load_policy("none"), seed=1, folder=tmp_path / "b", epochs=4
        )
