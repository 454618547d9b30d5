"""A trained network predicts masks: files of class numbers, shares of classes, and exports."""

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from automorph.cli import main
from automorph.data import from_arrays, load_data, split
from automorph.errors import UsageError
from automorph.inference import export_model, predict
from automorph.targets import Masks
from automorph.training import as_task, load_trained, train

torch.set_num_threads(1)
SIDE = 16


def squares(n=40, seed=0):
    random = np.random.default_rng(seed)
    masks = np.zeros((n, SIDE, SIDE), np.uint8)
    for mask, (top, left) in zip(masks, random.integers(0, 9, (n, 2)), strict=True):
        mask[top : top + 7, left : left + 7] = 1
    noise = random.integers(0, 60, masks.shape)
    return (60 + 120 * masks + noise).astype(np.uint8)[..., None], masks


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    images, masks = squares()
    masks[0, 0] = 255  # Ignored.
    data = split(from_arrays(images, masks, classes=["ground", "field"], target="masks"))
    folder = tmp_path_factory.mktemp("masks") / "run"
    task = as_task(data, model="unet:4", recipe={"epochs": 3, "batch_size": 8})
    return folder, data, train(task, "none", folder=folder, progress=False)


def test_figures_of_the_test_part_are_those_of_the_training(run):
    folder, data, result = run
    found = predict(folder, data, part="test")
    np.testing.assert_array_equal(found.predictions, result.predictions["test"])
    assert found.figures["mean IoU"] == pytest.approx(result.metrics["test"]["mean-iou"])
    table = found.columns()
    assert np.allclose(np.add(table["share_ground"], table["share_field"]), 1)
    masks = data.parts["test"].annotations
    pairs = zip(found.predictions, masks, strict=True)
    right = [(a == b).sum() / (b < 255).sum() for a, b in pairs]
    assert np.allclose(table["right"], right)


def test_a_loaded_network_knows_that_it_predicts_masks(run):
    trained = load_trained(run[0])
    assert isinstance(trained.target, Masks)
    assert trained.classes == ("ground", "field")


def test_images_without_masks_have_files_and_shares(run, tmp_path):
    folder, *_ = run
    images, _ = squares(3, seed=1)
    found = predict(folder, images)
    assert list(found.columns()) == ["example", "mask", "share_ground", "share_field"]
    assert (found.summary, found.accuracy) == ("", None)
    found.save(tmp_path / "new.csv")
    for name, mask in zip(found.columns()["mask"], found.predictions, strict=True):
        with Image.open(tmp_path / "new-masks" / name) as written:
            assert (written.format, written.mode) == ("PNG", "L")
            np.testing.assert_array_equal(np.asarray(written), mask)
    (tmp_path / "new.csv").unlink()
    with pytest.raises(UsageError, match="new-masks exists and is not overwritten"):
        found.save(tmp_path / "new.csv")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["new-masks"]


def test_files_never_collide_nor_leave_the_folder(run):
    folder, *_ = run
    images, _ = squares(5)
    found = predict(folder, images)
    object.__setattr__(found, "examples", ["a.jpg", "A.png", "../../b.png", "/c.png", "train[3]"])
    assert found.mask_names == ("a.png", "A-2.png", "b.png", "c.png", "train[3].png")


@pytest.mark.parametrize("kind", ["onnx", "torch-export"])
def test_an_exported_network_answers_as_ours(run, tmp_path, kind):
    folder, *_ = run
    images, _ = squares(5, seed=2)
    written = export_model(folder, kind, tmp_path / f"m{'.onnx' if kind == 'onnx' else '.pt2'}")
    assert written.difference <= 1e-4
    if kind == "onnx":
        runtime = pytest.importorskip("onnxruntime")
        session = runtime.InferenceSession(written.file, providers=["CPUExecutionProvider"])
        facts = session.get_modelmeta().custom_metadata_map
        assert (facts["target"], json.loads(facts["classes"])) == ("masks", ["ground", "field"])
        answers = session.run(["probabilities"], {"images": images})[0]
    else:
        program = torch.export.load(written.file).module()
        answers = program(torch.from_numpy(images)).detach().numpy()
    assert answers.shape == (5, 2, SIDE, SIDE)
    trained = load_trained(folder)
    with torch.inference_mode():
        ours = trained.model(trained.encoder(images)).softmax(dim=1).numpy()
    assert np.abs(answers - ours).max() <= 1e-4
    np.testing.assert_array_equal(answers.argmax(axis=1), predict(folder, images).predictions)


def test_views_are_refused_with_what_to_do(run):
    with pytest.raises(UsageError, match="leave out --tta"):
        predict(run[0], run[1], part="test", tta=2)


def saved(folder, images, masks=None):
    for kind, arrays in (("images", images[..., 0]), ("masks", masks)):
        for number, one in enumerate(() if arrays is None else arrays):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.fromarray(one).save(folder / kind / f"{number:02}.png")
    return f"folder:{folder.name}"


def test_folders_are_trained_predicted_and_exported(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = saved(tmp_path / "cells", *squares())
    words = ["--target", "masks", "--model", "unet:4", "--epochs", "2", "--out", "run", "--json"]
    assert main(["train", cells, "--policy", "none", *words]) in (0, None)
    capsys.readouterr()

    # Two images of three have masks, and one of these has another size.
    images, masks = squares(3, seed=4)
    new = saved(tmp_path / "new", images, masks)
    (tmp_path / "new" / "masks" / "01.png").unlink()
    Image.fromarray(masks[2, :8]).save(tmp_path / "new" / "masks" / "02.png")
    assert main(["predict", "run", new, "--out", "p.csv", "--json"]) in (0, None)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["examples"], printed["labelled"]) == (3, 1)
    assert set(printed["metrics"]) == {"mean IoU", "Dice", "pixel accuracy"}
    assert any(
        "ignored masks that cannot be used (1): images/02.png" in n for n in printed["notes"]
    )
    assert "masks are 16x16, the size of the images of the training" in printed["notes"]
    assert printed["masks"] == "p-masks"
    with (tmp_path / "p.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["mask"] for row in rows] == ["images/00.png", "images/01.png", "images/02.png"]
    assert [bool(row["right"]) for row in rows] == [True, False, False]
    with Image.open(tmp_path / "p-masks" / rows[0]["mask"]) as written:
        share = (np.asarray(written) == 1).mean()
    assert share == pytest.approx(float(rows[0]["share_class 1"]))
    # What was written can be read as masks again.
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "images").symlink_to(tmp_path / "new" / "images")
    (tmp_path / "again" / "masks").symlink_to(tmp_path / "p-masks" / "images")
    assert len(load_data(f"folder:{tmp_path / 'again'}", target="masks").train) == 3

    alone = saved(tmp_path / "alone", images)
    assert main(["predict", "run", alone, "--out", "q.csv"]) in (0, None)
    assert "Wrote q-masks: a mask for each" in capsys.readouterr().err
    assert main(["export", "run", "--torch-export"]) in (0, None)
    assert "probabilities of pixels (n, 2, 16, 16)" in capsys.readouterr().err
