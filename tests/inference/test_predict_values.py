"""A trained network predicts values in their units, with errors where they are known."""

import csv
import json

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error

from automorph.cli import main
from automorph.data import from_arrays, split
from automorph.errors import UsageError
from automorph.inference import export_model, predict
from automorph.training import as_task, load_trained, train

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    random = np.random.default_rng(0)
    scale = random.uniform(0.2, 1.0, (120, 1, 1, 1))
    images = (random.integers(100, 256, (120, 8, 8, 1)) * scale).astype(np.uint8)
    values = np.stack([images.mean(axis=(1, 2, 3)) * 3 + 10, -scale.ravel()], axis=1)
    data = split(from_arrays(images, values, classes=["weight", "shade"], target="values"))
    folder = tmp_path_factory.mktemp("values") / "run"
    task = as_task(data, model="cnn:4", recipe={"epochs": 3})
    return folder, data, train(task, "none", folder=folder, progress=False)


def test_figures_of_the_test_part_are_those_of_the_training(run):
    folder, data, result = run
    found = predict(folder, data, part="test")
    assert np.allclose(found.predictions, result.predictions["test"], rtol=1e-5)
    assert found.figures["MAE, mean of 2 values"] == pytest.approx(
        result.metrics["test"]["mae"], rel=1e-5
    )
    table = found.columns()
    error = np.subtract(table["predicted_weight"], table["true_weight"])
    assert np.allclose(table["error_weight"], error)
    assert mean_absolute_error(table["true_shade"], table["predicted_shade"]) < 1


def test_images_without_values_have_predictions_alone(run):
    folder, data, _ = run
    found = predict(folder, data.train.data[:5])
    assert list(found.columns()) == ["example", "predicted_weight", "predicted_shade"]
    assert (found.summary, found.accuracy) == ("", None)


def test_a_loaded_network_knows_its_units(run):
    folder, data, _ = run
    trained = load_trained(folder)
    assert trained.classes == ("weight", "shade")
    assert np.allclose(trained.target.mean, data.train.expected.mean(axis=0))


def test_an_exported_network_answers_in_units(run, tmp_path):
    folder, data, _ = run
    written = export_model(folder, "torch-export", tmp_path / "m.pt2")
    program = torch.export.load(written.file).module()
    answer = program(torch.from_numpy(data.train.data[:4].copy())).detach().numpy()
    assert np.allclose(answer, predict(folder, data.train.data[:4]).predictions, atol=0.05)


def test_views_and_other_verbs_are_refused_with_what_to_do(run):
    folder, data, _ = run
    with pytest.raises(UsageError, match="leave out --tta"):
        predict(folder, data, part="test", tta=2)


def test_texts_are_trained_and_predicted_on_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{'good ' * (i % 5)}film number {i},{i % 5}.5" for i in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["text,stars", *rows]))
    words = ["csv:t.csv", "--label", "stars", "--target", "values", "--epochs", "2", "--policy",
             "none", "--loss", "huber", "--out", "run", "--json"]  # fmt: skip
    assert main(["train", *words]) in (0, None)
    trained = json.loads(capsys.readouterr().out)
    assert set(trained["metrics"]["test"]) == {"mae"}
    assert "accuracy" not in trained
    assert main(["predict", "run", "csv:t.csv", "--out", "p.csv", "--json"]) in (0, None)
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["MAE"] < 5
    with (tmp_path / "p.csv").open(encoding="utf-8") as file:
        [first, *_] = csv.DictReader(file)
    assert float(first["error_stars"]) == pytest.approx(
        float(first["predicted_stars"]) - float(first["true_stars"])
    )
