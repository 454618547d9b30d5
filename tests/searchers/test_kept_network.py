"""What a search leaves besides a policy: a run folder with the networks of its table."""

from __future__ import annotations

from pathlib import Path

import pytest

from automorph import predict, search
from automorph.inference import load_run
from automorph.training import EnsembleRun, Task, as_task, keep_networks, load_trained, train


@pytest.fixture(scope="module")
def task() -> Task:
    return as_task("digits", limit=120, model="cnn:4", recipe={"epochs": 2})


def files(task: Task, folder: Path, count: int) -> list[Path]:
    found = [train(task, "crop", seed=seed, folder=folder / str(seed)) for seed in range(count)]
    return [one.checkpoint for one in found if one.checkpoint is not None]


def kept_of(task: Task, found: list[Path], place: Path) -> EnsembleRun:
    return keep_networks(task, "crop", found, place)


def test_networks_are_averaged_if_that_is_better_on_the_validation_part(
    task: Task, tmp_path: Path
) -> None:
    kept = kept_of(task, files(task, tmp_path, 3), tmp_path / "kept")
    both, best = kept.losses
    assert kept.members == (3 if both <= best else 1)
    assert kept.result.loss["validation"] == min(both, best)
    run = load_run(tmp_path / "kept")
    seen = predict(tmp_path / "kept", "digits", part="test")
    assert seen.accuracy == kept.result.accuracy["test"]
    assert run.classes == task.data.classes


@pytest.mark.parametrize("copies", [2, 3])
def test_an_average_of_one_network_is_that_network(task: Task, tmp_path: Path, copies: int) -> None:
    [file] = files(task, tmp_path, 1)
    kept = kept_of(task, [file] * copies, tmp_path / "kept")
    assert kept.losses[0] == pytest.approx(kept.losses[1], rel=1e-6)
    assert (kept.result.predictions["test"] == kept_of(
        task, [file], tmp_path / "one").result.predictions["test"]).all()  # fmt: skip


def test_a_finished_folder_is_read(task: Task, tmp_path: Path) -> None:
    first = kept_of(task, files(task, tmp_path, 2), tmp_path / "kept")
    again = kept_of(task, [], tmp_path / "kept")
    assert again.result.accuracy == first.result.accuracy
    assert (again.members, again.losses) == (first.members, first.losses)


def test_a_search_keeps_the_networks_of_the_advised_policy(task: Task, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    found = search(task, "random", trials=1, seeds=2, folder=folder)
    assert found.network is not None
    assert found.network.folder == folder / "network"
    assert not (folder / "networks").exists()
    assert found.advice is not None
    row = found[found.advice.policy]
    assert row.accuracy is not None
    if found.network.members == 1:
        assert found.network.result.accuracy["test"] in row.accuracy.values
    assert len(load_trained(folder).classes) == 10
    assert predict(folder, "digits", part="test").accuracy == pytest.approx(
        found.network.result.accuracy["test"]
    )
    again = search(task, "random", trials=1, seeds=2, folder=folder)
    assert again.network is not None
    assert again.network.words == found.network.words
    assert again.trained == 0


def test_a_search_without_a_folder_keeps_nothing(task: Task) -> None:
    assert search(task, "random", trials=1, seeds=1).network is None
