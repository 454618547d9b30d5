"""Exported networks: their probabilities on new images, through onnxruntime and torch."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch

import automorph
from automorph.cli import main
from automorph.errors import TrainingError
from automorph.inference import export_model
from automorph.training import Recipe, make_task, train

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (500, 12, 12, 1), np.uint8)


@pytest.fixture(scope="module")
def ours(home, images):
    return automorph.predict(home / "run", images, precision="fp32").probabilities


def test_onnxruntime_gives_our_probabilities(home, images, ours, tmp_path, monkeypatch, capsys):
    runtime = pytest.importorskip("onnxruntime")
    monkeypatch.chdir(home)
    file = tmp_path / "network.onnx"
    main(["export", "run", "--onnx", "--out", str(file), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["input"] == ["n", 12, 12, 1]
    assert said["difference"] <= TOLERANCE
    content = file.read_bytes()
    assert b"run_export.py" not in content  # No path of this machine.
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["classes"]) == ["nil", "one", "two"]
    assert json.loads(facts["shape"]) == [12, 12, 1]
    (found,) = session.run(["probabilities"], {"images": images})
    assert np.abs(found - ours).max() <= TOLERANCE
    (one,) = session.run(None, {"images": images[:1]})
    assert one.shape == (1, 3)
    with pytest.raises(SystemExit):
        main(["export", "run", "--onnx", "--out", str(file)])
    assert "exists and is not overwritten" in capsys.readouterr().err


def test_a_torch_program_gives_our_probabilities(home, images, ours, tmp_path):
    found = export_model(home / "run", "torch-export", tmp_path / "network.pt2")
    assert found.difference <= TOLERANCE
    extra = {"classes": ""}
    program = torch.export.load(found.file, extra_files=extra).module()
    assert json.loads(extra["classes"]) == ["nil", "one", "two"]
    assert np.abs(program(torch.from_numpy(images)).detach().numpy() - ours).max() <= TOLERANCE
    assert program(torch.from_numpy(images[:1])).shape == (1, 3)


def test_an_export_that_differs_is_not_written(home, tmp_path, monkeypatch):
    from automorph.inference import run_export

    monkeypatch.setattr(run_export, "_ours", lambda run, images: np.ones((len(images), 3)))
    with pytest.raises(TrainingError, match=r"differs from ours by .*Nothing was written"):
        export_model(home / "run", "torch-export", tmp_path / "network.pt2")
    assert not list(tmp_path.iterdir())


def test_texts_are_refused_with_what_to_do(texts, monkeypatch, capsys):
    monkeypatch.chdir(texts)
    with pytest.raises(SystemExit) as stop:
        main(["export", "run", "--onnx"])
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "network for texts, whose words become numbers in Python" in said
    assert "Use automorph predict" in said


def test_an_encoder_of_the_user_is_refused(tmp_path):
    data = automorph.from_arrays(
        np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8), [0, 1] * 30
    )

    def encode(images, device):
        return torch.from_numpy(np.array(images)).to(device).permute(0, 3, 1, 2).float() / 255

    task = make_task(data, model="cnn:4", recipe=Recipe(epochs=1), encoder=encode)
    train(task, seed=0, folder=tmp_path / "run", parts=())
    with pytest.raises(automorph.errors.UsageError, match="pass it in Python, as encoder="):
        export_model(tmp_path / "run", "torch-export")
    with pytest.raises(automorph.errors.UsageError, match="is your own function"):
        export_model(tmp_path / "run", "torch-export", encoder=encode)
    assert len(automorph.predict(tmp_path / "run", data.train.data, encoder=encode)) == 60


@pytest.mark.parametrize("name", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_library_is_named_with_the_way_to_install_it(
    home, tmp_path, monkeypatch, capsys, name
):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SystemExit) as stop:
        main(["export", str(home / "run"), "--onnx", "--out", str(tmp_path / "a.onnx")])
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"needs {name}, which is not installed" in said
    assert "automorph[export]" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "got no format; expected --to LIBRARY for a policy"),
        (("--to", "timm", "--onnx"), "got both --to and a format of networks"),
        (("--onnx", "--size", "8"), "got --size, which is for policies"),
        (("--onnx", "--out", "a.txt"), "a name that ends in .onnx"),
    ],
)
def test_formats_are_chosen_one_at_a_time(home, monkeypatch, capsys, words, message):
    monkeypatch.chdir(home)
    with pytest.raises(SystemExit) as stop:
        main(["export", "run", *words])
    assert stop.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
