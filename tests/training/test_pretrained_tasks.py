"""Pretrained networks in tasks: their weights, their inputs, and the identity of their runs."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import automorph
from automorph.cli import app
from automorph.errors import UsageError
from automorph.models import preprocessing_of
from automorph.robustness.run_audit import _data
from automorph.training import (
    Normaliser,
    Recipe,
    as_task,
    load_trained,
    make_optimiser,
    recipe_for,
    resized_as,
    task_identity,
    train,
)

timm = pytest.importorskip("timm")

NAME = "timm:test_efficientnet:pretrained"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(timm.create_model("test_efficientnet", num_classes=7).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 2
    images = rng.integers(0, 100, (60, 32, 32, 3)) + 100 * labels[:, None, None, None]
    return images.astype(np.uint8), labels


def _task(data, file, model=NAME, **changes):
    return as_task(data, model=model, weights=file, recipe={"epochs": 1, **changes})


def test_every_seed_starts_from_the_file(data, file):
    task = _task(data, file)
    wanted = torch.load(file, weights_only=True)["conv_stem.weight"]

    assert all(torch.equal(task.build(seed).conv_stem.weight, wanted) for seed in (0, 1))
    heads = [task.build(seed).classifier.weight for seed in (0, 0, 1)]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_the_file_is_noted_and_its_content_is_part_of_the_identity(data, file, tmp_path):
    task = _task(data, file)
    assert any(file.name in note and task.weights.hash in note for note in task.data.notes)

    copy = shutil.copy(file, tmp_path / "copy.pth")
    assert task_identity(_task(data, copy)) == task_identity(task)

    torch.manual_seed(2)
    other = tmp_path / "other.pth"
    torch.save(timm.create_model("test_efficientnet").state_dict(), other)
    assert task_identity(_task(data, other)) != task_identity(task)
    assert "weights" not in task_identity(_task(data, None, model="timm:test_efficientnet"))


def test_a_run_does_not_go_on_with_other_weights(data, file, tmp_path):
    train(_task(data, file), folder=tmp_path / "run", progress=False)
    other = tmp_path / "other.pth"
    torch.save(timm.create_model("test_efficientnet").state_dict(), other)

    with pytest.raises(UsageError, match="weights was"):
        train(_task(data, other), folder=tmp_path / "run", progress=False)


def test_inputs_are_normalised_as_the_network_was_trained(data, file, tmp_path):
    task = _task(data, file)
    wanted = preprocessing_of(NAME)
    assert task.encoder == Normaliser(wanted.mean, wanted.std)
    assert _task(data, None, model="timm:test_efficientnet").encoder != task.encoder

    result = train(task, folder=tmp_path, progress=False)
    loaded = load_trained(tmp_path)
    assert loaded.encoder == task.encoder
    with torch.inference_mode():
        logits = loaded.model(loaded.encoder(task.data.train.data[:4]))
        own = result.model.eval()(task.encoder(task.data.train.data[:4]))
    torch.testing.assert_close(logits, own)


def test_every_call_takes_the_file(data, file, tmp_path):
    images, labels = data
    options = {"model": NAME, "weights": file, "recipe": {"epochs": 1}}
    compared = automorph.compare(
        data, ["none", "flip"], seeds=1, folder=tmp_path / "compare", engine="local", **options
    )
    assert len(compared.rows) == 2

    audited = automorph.audit((images, labels, labels), **options)
    assert any(file.name in note for note in audited.notes)

    explained = automorph.explain(
        data, "randaugment", features=NAME, weights=file, magnitudes=[1.0], copies=1
    )
    assert explained.features == NAME

    with pytest.raises(UsageError, match=r"for the model .*expected a model named timm"):
        automorph.explain(data, "randaugment", weights=file)
    with pytest.raises(UsageError, match="no network is trained here"):
        automorph.audit((images, labels, labels), predictions=labels, weights=file)


def test_the_command_line_takes_the_file(file, tmp_path):
    out = tmp_path / "run"
    words = ["train", "digits", "--limit", "100", "--size", "32", "--model", NAME, "--epochs", "1"]
    done = CliRunner().invoke(app, [*words, "--weights", str(file), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert file.name in done.stderr

    audit = [
        "audit",
        "digits",
        "--limit",
        "100",
        "--size",
        "32",
        "--checkpoint",
        str(out),
        "--discover",
        "--part",
        "test",
    ]
    done = CliRunner().invoke(app, [*audit, "--out", str(tmp_path / "audit")])
    assert done.exit_code == 0, done.output

    done = CliRunner().invoke(app, ["train", "digits", "--model", "cnn", "--weights", str(file)])
    assert isinstance(done.exception, UsageError)
    assert "expected a model named timm:NAME:pretrained" in str(done.exception)


def test_frozen_statistics_stay_and_weights_move(data, file):
    task = _task(data, file, frozen_statistics=True, lr=0.01)
    before = torch.load(file, weights_only=True)
    after = train(task, progress=False).model.state_dict()

    assert torch.equal(after["bn2.running_mean"], before["bn2.running_mean"])
    assert not torch.equal(after["bn2.weight"], before["bn2.weight"])
    thawed = train(_task(data, file, frozen_statistics=False), progress=False).model.state_dict()
    assert not torch.equal(thawed["bn2.running_mean"], before["bn2.running_mean"])


def test_lower_layers_move_by_smaller_shares_of_a_step(data, file):
    """One step of AdamW moves every weight by its rate."""
    task = _task(data, file, layer_decay=0.5, lr=0.01, weight_decay=0.0, optimizer="adamw")
    model = task.build(0)
    optimiser = make_optimiser(model, task.recipe)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimiser.step()
    moved = {
        name: (before[name] - weight.detach()).abs().mean().item()
        for name, weight in model.named_parameters()
    }

    assert moved["classifier.weight"] == pytest.approx(0.01, rel=1e-3)
    assert moved["conv_head.weight"] == pytest.approx(0.005, rel=1e-3)
    shares = [moved[name] for name in moved if name.endswith("conv_pw.weight")]
    assert shares == sorted(shares)
    assert moved["conv_stem.weight"] < shares[0]


def test_unused_entries_leave_recipes_as_they_were():
    assert not {"layer_decay", "frozen_statistics"} & Recipe().to_dict().keys()
    assert Recipe(layer_decay=0.9).to_dict()["layer_decay"] == 0.9
    with pytest.raises(UsageError, match="expected True or False"):
        Recipe(frozen_statistics=1)


def test_the_default_recipe_fine_tunes():
    recipe = recipe_for(NAME, 500)

    assert recipe.frozen_statistics
    assert recipe.layer_decay < 1
    assert recipe.ema_decay is not None
    assert recipe.epochs <= 20
    assert not recipe_for(NAME, 500, defaults="0.1").frozen_statistics


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    from PIL import Image

    top = tmp_path_factory.mktemp("photos")
    for number in range(40):
        home = top / "ab"[number % 2]
        home.mkdir(exist_ok=True)
        small = np.random.default_rng(number).integers(0, 255, (6, 8, 3)).astype(np.uint8)
        large = Image.fromarray(small).resize((60 + number, 50), Image.Resampling.BICUBIC)
        large.save(home / f"{number}.png")
    return top


def test_images_are_resized_as_the_network_was_pretrained(photos, file, tmp_path):
    # test_efficientnet: bicubic, 0.95.
    task = as_task(f"folder:{photos}", size=32, model=NAME, weights=file, recipe={"epochs": 1})
    plain = as_task(f"folder:{photos}", size=32, model="cnn:4")

    assert task.data.resizing.to_dict() == {"interpolation": "bicubic", "crop_share": 0.95}
    assert task_identity(task)["data"]["resizing"] == task.data.resizing.to_dict()
    assert "resizing" not in task_identity(plain)["data"]
    train(task, "none", folder=tmp_path / "run", progress=False)
    assert resized_as(tmp_path / "run") == task.data.resizing
    train(plain, "none", folder=tmp_path / "plain", progress=False)
    assert resized_as(tmp_path / "plain") is None


def test_predictions_and_audits_of_a_run_resize_in_the_same_way(photos, file, tmp_path):
    task = as_task(f"folder:{photos}", size=32, model=NAME, weights=file, recipe={"epochs": 1})
    train(task, "none", folder=tmp_path / "run", progress=False)

    made = automorph.predict(tmp_path / "run", f"folder:{photos}", part="test")
    given = {"folds": None, "repeats": None, "options": {"size": 32}}
    audited, doubt = _data(f"folder:{photos}", 0, tmp_path / "run", None, whole=False, **given)

    assert not any("other examples than in training" in note for note in made.notes)
    assert made.accuracy == train(task, "none", folder=tmp_path / "run").accuracy["test"]
    assert doubt is None
    assert audited.hash == task.data.hash
    new = automorph.predict(tmp_path / "run", f"folder:{photos}")
    known = dict(zip(new.examples, new.probabilities.tolist(), strict=True))
    for name, row in zip(made.examples, made.probabilities.tolist(), strict=True):
        assert known[name] == pytest.approx(row, abs=1e-6)


def test_the_command_line_resizes_for_the_network_it_is_given(photos, file, tmp_path):
    words = ["train", f"folder:{photos}", "--size", "32", "--model", NAME, "--weights", str(file)]
    words += ["--epochs", "1", "--policy", "none", "--out", str(tmp_path / "run")]
    found = CliRunner().invoke(app, words)

    assert found.exit_code == 0, found.output
    assert "bicubic" in " ".join(found.output.split())
    assert resized_as(tmp_path / "run").crop_share == 0.95
