"""The identity of a task: it changes with everything that a training depends on."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import automorph
from automorph.data import limited, load_data, split
from automorph.errors import UsageError
from automorph.experiments import FileLog, Store, compare
from automorph.models import Weights
from automorph.operations import SearchSpace
from automorph.policies import Mixture, Step
from automorph.searchers import search
from automorph.training import (
    Normaliser,
    Recipe,
    Task,
    make_task,
    task_identity,
    train,
    versions_of,
)

torch.set_num_threads(1)


class Net(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, 10))

    def forward(self, x):
        return self.layers(x)


class Scaled:
    """An encoder of the user's own, with a setting."""

    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, examples, device):
        images = torch.as_tensor(np.ascontiguousarray(examples), device=device)
        return images.permute(0, 3, 1, 2).float() * self.by


def other_order(task):
    train = task.data.train
    return replace(task, data=task.data.replace(train=train.take(np.arange(len(train))[::-1])))


def other_pixels(task):
    train = task.data.train
    pixels = train.data.copy()
    pixels[0, 0, 0] ^= 1
    return replace(task, data=task.data.replace(train=replace(train, data=pixels)))


RECIPE = {
    "epochs": 3, "batch_size": 16, "lr": 0.01, "optimiser": "adamw", "weight_decay": 0.1,
    "schedule": "constant", "warmup": 0.5, "momentum": 0.5, "clip": 1.0, "label_smoothing": 0.1,
    "average": 0.9, "select": "last", "precision": "bf16", "accumulate": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def task():
    data = limited(split(load_data("digits")), 60)
    return make_task(data, model="cnn:4", recipe=Recipe(epochs=2, batch_size=32, lr=0.05))


@pytest.fixture(scope="module")
def weights(task, tmp_path_factory):
    """The weights of two trainings."""
    folders = [tmp_path_factory.mktemp("start") / str(seed) for seed in range(2)]
    for seed, folder in enumerate(folders):
        train(task, seed=seed, folder=folder, progress=False)
    return [folder / "model.safetensors" for folder in folders]


def changed(task, weights):
    """By field: the task with another value, twice where a field can hide its content."""
    first, second = weights
    yield "data", other_order(task)
    yield "data", other_pixels(task)
    yield "data", replace(task, data=split(limited(load_data("digits"), 60), seed=5))
    yield "model", replace(task, model="cnn:8")
    yield "model", replace(task, model=Net)
    yield "model", replace(task, model=partial(Net, 8))
    yield "model", replace(task, model=partial(Net, 16))
    yield "encoder", replace(task, encoder=Normaliser((0.1,), (0.2,)))
    yield "encoder", replace(task, encoder=Scaled(1.0))
    yield "encoder", replace(task, encoder=Scaled(2.0))
    yield "start", replace(task, start=first)
    yield "start", replace(task, start=second)
    yield "weights", replace(task, weights=Weights(first, "1"))
    yield "weights", replace(task, weights=Weights(first, "2"))
    yield "protect", replace(task, protect=("[A-Z]+",))
    yield "metric", replace(task, metric="macro-f1")
    yield "also", replace(task, also=("auroc",))
    for field in fields(Recipe):
        value, other = getattr(task.recipe, field.name), RECIPE.get(field.name)
        if other is None or other == value:
            other = (not value) if isinstance(value, bool) else f"not {value}"
        recipe = replace_unchecked(task.recipe, field.name, other)
        yield "recipe", replace_unchecked(task, "recipe", recipe)


def test_frozen_statistics_are_in_the_identity(task):
    def frozen():
        return nn.Sequential(nn.BatchNorm2d(1).eval(), nn.Flatten(), nn.Linear(64, 10))

    def trained():
        return frozen().train()

    one, two = (task_identity(replace(task, model=m))["structure"] for m in (frozen, trained))
    assert one["model"] != two["model"]


def replace_unchecked(whole, name, value):
    made = replace(whole)
    object.__setattr__(made, name, value)
    return made


def test_every_field_of_a_task_is_in_its_identity(task, weights):
    tasks = list(changed(task, weights))
    assert {name for name, _ in tasks} == {field.name for field in fields(Task)}
    identities = [repr(task_identity(one)) for one in [task, *(one for _, one in tasks)]]
    assert len(set(identities)) == len(identities)


def test_no_verb_reuses_a_training_of_another_task(task, weights, tmp_path):
    Store({"task": task_identity(task)}, FileLog(tmp_path))
    for _, other in changed(task, weights):
        with pytest.raises(UsageError, match="contains a different run"):
            Store({"task": task_identity(other)}, FileLog(tmp_path))


def test_compare_does_not_reuse_cells_of_another_encoder_or_start(task, weights, tmp_path):
    compare(task, ["none"], seeds=1, folder=tmp_path)
    for other, words in (
        (replace(task, encoder=Normaliser((0.5,), (0.5,))), r"task\.encoder was"),
        (replace(task, start=weights[0]), r"task\.start was None"),
    ):
        with pytest.raises(UsageError, match=words):
            compare(other, ["none"], seeds=1, folder=tmp_path)
    assert compare(task, ["none"], seeds=1, folder=tmp_path).trained == 0


def test_a_training_names_the_version_that_changed(task, tmp_path, monkeypatch):
    train(task, "crop", folder=tmp_path, stop_epoch=1, progress=False)
    mine = versions_of(task)
    assert set(mine) == {"torch", "pillow"}
    monkeypatch.setattr(
        "automorph.training.task_record.installed", lambda *names: {**mine, "pillow": "99.0"}
    )
    with pytest.raises(UsageError, match=r"a run made with pillow .*; installed: pillow 99\.0"):
        train(task, "crop", folder=tmp_path, progress=False)
    for _ in range(2):  # Once accepted, it goes on.
        with pytest.warns(UserWarning, match=r"others with pillow 99\.0"):
            result = train(task, "crop", folder=tmp_path, progress=False, accept_versions=True)
    assert result.finished


def scaled(by):
    return lambda examples, device: Scaled(by)(examples, device)


def test_the_values_that_an_encoder_carries_are_part_of_the_identity(task):
    for kind in (scaled, lambda by: Scaled(by).__call__):
        one, same, other = (task_identity(replace(task, encoder=kind(by))) for by in (1, 1, 2))
        assert one == same != other


def brighter(by):
    def lift(image, value):
        return np.minimum(image + np.uint16(by * value), 255).astype(np.uint8)

    operation = automorph.operation(range=(0, 40), unit="level", identity=0)(lift)
    space = SearchSpace(name="own", operations=(operation,))
    step = (Step("lift", magnitude=1.0),)
    return space, Mixture(label="own", operations=space, subpolicies=(step,))


def test_a_changed_operation_does_not_reuse_trainings(task, tmp_path):
    first = compare(task, brighter(1)[1], seeds=1, folder=tmp_path, engine="local")
    assert first.trained == 1
    again = compare(task, brighter(1)[1], seeds=1, folder=tmp_path, engine="local")
    assert again.trained == 0
    with pytest.raises(UsageError, match=r"another version of the operation .*lift"):
        compare(task, brighter(2)[1], seeds=1, folder=tmp_path, engine="local")


def test_a_search_over_a_changed_operation_does_not_continue(task, tmp_path):
    options = {"method": "random(count=1)", "trials": 1, "seeds": 1, "engine": "local"}
    search(task, space=brighter(1)[0], folder=tmp_path, **options)
    with pytest.raises(UsageError, match=r"another version of the operation .*lift"):
        search(task, space=brighter(2)[0], folder=tmp_path, **options)
