"""Runs on disk: resumed after any interruption, complete at any moment, never mixed up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from automorph.errors import TrainingError, UsageError
from automorph.files import atomic_write, folder_lock
from automorph.training import (
    Augmenter,
    Normaliser,
    PolicyAugmenter,
    alike,
    differences,
    load_trained,
    train,
)

KILLED = Path(__file__).with_name("killed_runs.py")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Counting(Augmenter):
    """Weight examples by its state, so that lost state shows in the network weights."""

    needs_model = True

    def __init__(self):
        self.mean = torch.tensor(0.0)

    def __call__(self, raw, model):
        return raw.batch(weights=torch.full((len(raw),), 1.0 + self.mean.item()))

    def feedback(self, losses):
        self.mean = 0.9 * self.mean + 0.1 * losses.mean()

    def state_dict(self):
        return {"mean": self.mean}

    def load_state_dict(self, state):
        self.mean = state["mean"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adamw", "lr": 0.01},
        {"ema_decay": 0.9, "label_smoothing": 0.1, "clip_norm": 1.0},
        {"select": "best", "lr": 0.5, "schedule": "constant"},
        {"precision": "bf16"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "augmenter", [lambda: "trivialaugment", Counting], ids=["policy", "online"]
)
def test_a_run_in_parts_ends_like_one_at_once(task, same, tmp_path, changes, augmenter):
    task = task.with_recipe(**changes)
    straight = train(task, augmenter(), seed=3)
    for stop_epoch in (1, 3):
        part = train(task, augmenter(), seed=3, folder=tmp_path / "run", stop_epoch=stop_epoch)
        assert (part.finished, len(part.curves), set(part.accuracy)) == (
            False,
            stop_epoch,
            {"validation"},
        )
    resumed = train(task, augmenter(), seed=3, folder=tmp_path / "run")

    assert same(straight, resumed)
    assert resumed.accuracy == straight.accuracy
    assert resumed.units == straight.units
    assert resumed.chosen == straight.chosen
    timeless = [[replace(epoch, seconds=0) for epoch in r.curves] for r in (straight, resumed)]
    assert timeless[0] == timeless[1]


def test_killed_runs_end_like_one_at_once(tmp_path):
    """Real SIGKILLs: before the first step, inside epochs, and while a checkpoint is written."""
    done = subprocess.run(
        [sys.executable, str(KILLED), str(tmp_path)], capture_output=True, text=True, timeout=600
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "killed": 5,
        "same": True,
        "files": ["metrics.jsonl", "model.safetensors", "result.json", "run.json"],
    }


def test_ctrl_c_leaves_a_run_that_resumes(task, same, tmp_path):
    def interrupt(epoch):
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(task, folder=tmp_path / "run", progress=interrupt, workers=2)
    left = {path.name for path in (tmp_path / "run").iterdir()}

    assert left == {"run.json", "metrics.jsonl", "checkpoint.safetensors"}
    assert same(train(task), train(task, folder=tmp_path / "run"))


def test_a_finished_run_is_given_back_and_nothing_changes(task, same, tmp_path):
    first = train(task, "flip", folder=tmp_path)
    before = content(tmp_path)
    again = train(task, "flip", folder=tmp_path)

    assert set(before) == {"run.json", "metrics.jsonl", "model.safetensors", "result.json"}
    assert content(tmp_path) == before
    assert again == first
    assert same(again, first)
    assert first.checkpoint == tmp_path / "model.safetensors"


def test_the_test_part_can_be_opened_later(task, tmp_path):
    sealed = train(task, folder=tmp_path, parts=("validation",))
    opened = train(task, folder=tmp_path)

    assert set(sealed.accuracy) == {"validation"}
    assert opened.accuracy == train(task).accuracy
    assert train(task, folder=tmp_path, parts=()).accuracy == opened.accuracy


def test_what_a_run_was_is_written_down(task, tmp_path):
    train(task, "flip", seed=4, folder=tmp_path)
    run = json.loads((tmp_path / "run.json").read_text())
    metrics = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]

    assert run["identity"]["seed"] == 4
    assert run["identity"]["data"]["hash"] == task.data.hash
    assert run["identity"]["recipe"]["lr"] == 0.05
    assert run["identity"]["augmenter"]["name"] == "flip"
    assert run["facts"]["versions"]["torch"] == torch.__version__
    assert [line["epoch"] for line in metrics] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda task: (task.with_recipe(lr=0.01), None, 0), "recipe.lr was 0.05 and is now 0.01"),
        (lambda task: (task, "flip", 0), "augmenter was 'none'"),
        (lambda task: (task, None, 1), "seed was 0 and is now 1"),
        (lambda task: (replace(task, model="cnn:8"), None, 0), "model was 'cnn:4'"),
        (
            lambda task: (
                replace(task, data=task.data.replace(train=task.data.train.take(range(50)))),
                None,
                0,
            ),
            "data.hash",
        ),
        (
            lambda task: (
                replace(
                    task, data=task.data.replace(train=task.data.train.take(range(99, -1, -1)))
                ),
                None,
                0,
            ),
            "data.order",
        ),
    ],
    ids=["recipe", "augmenter", "seed", "model", "data", "order"],
)
def test_a_folder_of_another_run_is_refused(task, tmp_path, change, words):
    train(task, folder=tmp_path, stop_epoch=1)
    before = content(tmp_path)
    other, augmenter, seed = change(task)
    with pytest.raises(UsageError, match=words):
        train(other, augmenter, seed=seed, folder=tmp_path)

    assert content(tmp_path) == before


def nudged(normaliser):
    """Return the normaliser in which every float is the next one."""
    return Normaliser(
        tuple(np.nextafter(normaliser.mean, 1).tolist()),
        tuple(np.nextafter(normaliser.std, 0).tolist()),
    )


def test_a_run_resumes_where_sums_round_otherwise(task, same, tmp_path):
    """In version 0.1 the normaliser's last digits depended on the processor."""
    straight = train(task, "flip", seed=1)
    train(task, "flip", seed=1, folder=tmp_path, stop_epoch=2)
    before = (tmp_path / "run.json").read_bytes()
    moved = replace(task, encoder=nudged(task.encoder))
    assert moved.encoder != task.encoder
    for _ in range(2):  # Unfinished, then finished.
        assert same(train(moved, "flip", seed=1, folder=tmp_path), straight)
    assert (tmp_path / "run.json").read_bytes() == before


def test_a_run_on_otherwise_scaled_inputs_is_refused(task, tmp_path):
    train(task, None, folder=tmp_path, stop_epoch=1)
    (mean,), (std,) = task.encoder.mean, task.encoder.std
    for other in (
        Normaliser((mean * (1 + 1e-6),), (std,)),
        Normaliser((mean,), (std + 1e-6,)),
        Normaliser((std,), (mean,)),
    ):
        with pytest.raises(UsageError, match=r"encoder was 'Normaliser\("):
            train(replace(task, encoder=other), None, folder=tmp_path)


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        (0.1 + 0.2, 0.3, True),
        (0.3, 0.3 * (1 + 1e-6), False),
        ([1, [0.1 + 0.2]], [1, [0.3]], True),
        ([0.3], [0.3, 0.3], False),
        ([{"a": 0.3}], [{"b": 0.3}], False),
        (10**12, 10**12 + 1, False),
        (1, 1.0, True),
        (None, 0.0, False),
        # Hashes and names are not numbers.
        ("1287ac38b0931659", "1287ac38b0931658", False),
        ("0.30000000000000004", "0.3", False),
        ("v(1.10)", "v(1.1)", False),
        ("Own(a=0.30000000000000004, n=8)", "Own(a=0.3, n=8)", True),
        ("Own(a=0.30000000000000004, n=8)", "Own(a=0.3, n=9)", False),
        ("Own(a=0.30000000000000004, n=8)", "Other(a=0.3, n=8)", False),
        ("Own(a=1000000000000)", "Own(a=1000000000001)", False),
        ("Own(a=(0.1, 0.2))", "Own(a=(0.1,))", False),
        ("Own(a=1e-05)", "Own(a=1.0000000000000002e-05)", True),
        ("Own(a=1e-05)", "Own(a=1e-06)", False),
        # 1.10 is no float as Python writes it, but may be a version.
        ("Own(a=0.1, version='1.10')", "Own(a=0.1, version='1.1')", False),
        ("Own(a=0.30000000000000004, version='1.10')", "Own(a=0.3, version='1.10')", True),
    ],
)
def test_records_may_differ_in_the_last_digits_of_floats_only(found, wanted, expected):
    assert alike(found, wanted) is expected
    assert bool(differences({"it": found}, {"it": wanted})) is not expected


@pytest.mark.parametrize("name", ["run.json", "checkpoint.safetensors"])
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\0" * 99]
)
def test_a_damaged_file_is_named(task, tmp_path, name, damage):
    train(task, folder=tmp_path, stop_epoch=1)
    file = tmp_path / name
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises((TrainingError, UsageError), match=name):
        train(task, folder=tmp_path)


def test_a_diverging_run_leaves_its_last_good_epoch(task, tmp_path):
    class Poison(PolicyAugmenter):
        def __call__(self, raw, model=None):
            weights = torch.full((len(raw),), float("nan" if raw.epoch == 2 else 1))
            return raw.batch(weights=weights)

    with pytest.raises(TrainingError, match="epoch 3"):
        train(task, Poison(), folder=tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {
        "run.json",
        "metrics.jsonl",
        "checkpoint.safetensors",
    }
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "x"
    file.write_text("old")
    with pytest.raises(TypeError), atomic_write(file) as temporary:
        temporary.write_text("half" + 1)

    assert content(tmp_path) == {"x": b"old"}


def test_a_trained_network_comes_back_from_its_file(task, tmp_path):
    result = train(task, folder=tmp_path)
    found = load_trained(tmp_path)

    assert isinstance(found.encoder, Normaliser)
    assert found.encoder == task.encoder
    assert found.classes == task.data.classes
    inputs = found.encoder(task.data.test.data)
    with torch.no_grad():
        torch.testing.assert_close(found.model(inputs), result.model(inputs))


def test_a_network_of_ones_own_is_asked_for(task, tmp_path):
    def own():
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))

    result = train(replace(task, model=own), folder=tmp_path)
    with pytest.raises(UsageError, match="model="):
        load_trained(tmp_path)
    with pytest.raises(UsageError, match="do not fit"):
        load_trained(tmp_path, model=torch.nn.Linear(64, 10))

    found = load_trained(result.checkpoint, model=own())
    assert torch.equal(found.model[1].weight, result.model[1].weight)
    with pytest.raises(TrainingError, match="cannot be read"):
        load_trained(tmp_path / "nothing.safetensors")


def test_files_hold_no_pickle(task, tmp_path):
    train(task, folder=tmp_path, stop_epoch=2)
    for name, data in content(tmp_path).items():
        assert name.endswith((".json", ".jsonl", ".safetensors")), name
        assert b"ctorch" not in data[:200]
    assert not os.listdir(tmp_path)[0].startswith(".")


def test_a_training_can_begin_with_the_weights_of_another(task, tmp_path):
    first = train(task.with_recipe(epochs=1), seed=3, folder=tmp_path / "first")
    again = replace(task.with_recipe(epochs=1, lr=0.0), start=first.checkpoint)
    second = train(again, seed=4, folder=tmp_path / "second")

    weights, before = second.model[0].weight, first.model[0].weight
    assert torch.equal(weights, before)
    with pytest.raises(UsageError, match="start"):
        train(task.with_recipe(epochs=1, lr=0.0), seed=4, folder=tmp_path / "second")
    with pytest.raises(UsageError, match="do not fit"):
        train(replace(again, model="cnn:8"))


def test_what_a_killed_process_had_begun_to_write_is_swept_away(tmp_path):
    deep = tmp_path / "cells"
    deep.mkdir()
    for place in (tmp_path / ".run.json.17.tmp", deep / ".none-seed0.json.17.tmp"):
        place.write_text("half")
    (tmp_path / "notes.tmp").write_text("the user's")
    (deep / ".mine.tmp").write_text("the user's too")

    with folder_lock(tmp_path):
        pass

    left = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert left == [".mine.tmp", "notes.tmp"]
