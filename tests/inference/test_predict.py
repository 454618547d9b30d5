"""Predictions: those of the training itself, of new examples, and of averaged views."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pyarrow.parquet as parquet
import pytest
from PIL import Image

import automorph
from automorph.cli import main
from automorph.data import load_data
from automorph.errors import DataError, UsageError
from automorph.files import read_json
from automorph.inference import Predictions
from automorph.training import unpacked

NAMES = ("nil", "one", "two")


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """Run a verb in a folder; return its messages as one line, and its JSON."""

    def run_in(home, *words, file="new.csv", fails=False):
        monkeypatch.chdir(home)
        out = tmp_path / file
        line = [*map(str, words), "--out", str(out)]
        if fails:
            with pytest.raises(SystemExit) as stop:
                main(line)
            assert stop.value.code == 2
        else:
            main(line)
        said = capsys.readouterr()
        return " ".join(said.err.split()), said.out, out

    return run_in


def rows_of(file):
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.parametrize("part", ["test", "validation"])
def test_the_figures_of_a_part_are_those_of_the_training_to_the_bit(home, call, part):
    _, out, _ = call(home, "predict", "run", "folder:photos", "--part", part, "--json")
    result, found = read_json(home / "run" / "result.json"), json.loads(out)
    assert found["accuracy"] == result["accuracy"][part]
    assert found["loss"] == result["loss"][part]
    assert "training examples" not in " ".join(found["notes"])
    assert found["notes"][0].startswith("options of the training were taken over: --size 12")


def test_each_prediction_is_that_of_the_training(home, call):
    _, _, file = call(home, "predict", "run", "folder:photos", "--part", "test")
    known = unpacked(read_json(home / "run" / "result.json")["predictions"]["test"])
    rows = rows_of(file)
    assert [row["label"] for row in rows] == [NAMES[number] for number in known]
    assert all(row["example"].startswith(row["true"] + "/") for row in rows)
    shares = np.array([[float(row[f"probability_{name}"]) for name in NAMES] for row in rows])
    assert np.abs(shares.sum(axis=1) - 1).max() < 1e-12
    assert [NAMES[number] for number in shares.argmax(axis=1)] == [row["label"] for row in rows]


def test_new_pictures_of_any_size_need_no_labels(home, call, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    source = sorted((home / "photos" / "one").iterdir())[0]
    for name in ("b.png", "a.png"):
        shutil.copy(source, folder / name)
    Image.open(source).convert("RGB").resize((40, 30)).save(folder / "c.jpg")
    said, _, file = call(home, "predict", "run", f"folder:{folder}", file="new.parquet")
    assert "images are read as 12x12 grey, as in training" in said
    assert "Accuracy" not in said
    table = parquet.read_table(file)
    assert table.column_names == ["example", "label", *(f"probability_{n}" for n in NAMES)]
    assert table.column("example").to_pylist() == ["a.png", "b.png", "c.jpg"]
    same = automorph.predict(home / "run", f"folder:{home / 'photos'}")
    row = list(same.examples).index(f"one/{source.name}")
    assert table.column("probability_one").to_pylist()[0] == pytest.approx(
        same.probabilities[row, 1], abs=1e-6
    )


def test_folders_that_are_no_classes_are_noted_and_no_picture_is_lost(home, call, tmp_path):
    top = tmp_path / "years"
    for name in ("2024", "2025"):
        shutil.copytree(home / "photos" / "two", top / name)
    said, _, file = call(home, "predict", "run", f"folder:{top}")
    assert "labels that are no classes of the network (200 examples): '2024', '2025'" in said
    assert "true" not in rows_of(file)[0]
    shutil.copy(top / "2024" / sorted(p.name for p in (top / "2024").iterdir())[0], top / "x.png")
    said, _, file = call(home, "predict", "run", f"folder:{top}", file="more.csv")
    assert "201 predictions" in said


def test_bad_pictures_are_refused_or_left_out_with_a_note(home, call, tmp_path):
    folder = tmp_path / "new"
    shutil.copytree(home / "photos", folder)
    (folder / "one" / "bad.png").write_bytes(b"no picture")
    said, _, file = call(home, "predict", "run", f"folder:{folder}", fails=True)
    assert "one/bad.png" in said
    assert not file.exists()
    said, _, file = call(home, "predict", "run", f"folder:{folder}", "--skip-bad")
    assert "1 example cannot be used and was left out" in said
    assert len(rows_of(file)) == 300
    assert "Accuracy" in said


def test_the_accuracy_on_the_whole_source_is_marked_as_too_high(home, call):
    said, _, _ = call(home, "predict", "run", "folder:photos")
    assert "trained on examples of this source, so its accuracy on all of them is too high" in said
    said, _, _ = call(home, "predict", "run", "folder:photos", "--part", "test", file="b.csv")
    assert "too high" not in said


def test_a_file_is_never_overwritten(home, call, tmp_path):
    (tmp_path / "new.csv").write_text("mine")
    said, _, file = call(home, "predict", "run", "folder:photos", fails=True)
    assert "exists and is not overwritten" in said
    assert file.read_text() == "mine"
    said, _, _ = call(home, "predict", "run", "folder:photos", file="new.xlsx", fails=True)
    assert "ends in .csv or .parquet" in said


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("nowhere", "nowhere does not exist; expected a run folder"),
        ("photos", "photos holds no model.safetensors"),
    ],
)
def test_a_folder_without_a_network_is_refused(home, call, run, message):
    assert message in call(home, "predict", run, "folder:photos", fails=True)[0]


def test_views_are_averaged_where_validation_favours_them(home, monkeypatch):
    source, options = f"folder:{home / 'photos'}", {"part": "test"}
    plain = automorph.predict(home / "run", source, **options)
    first = automorph.predict(home / "run", source, tta=3, **options)
    again = automorph.predict(home / "run", source, tta=3, **options)
    assert (first.probabilities == again.probabilities).all()
    used = "3 views are averaged" if first.views == 3 else "one view is used"
    assert first.notes[-1].endswith(used)
    assert "with 3 views by crop" in first.notes[-1]
    monkeypatch.setattr("automorph.inference.views.ViewChoice.favoured", True)
    averaged = automorph.predict(home / "run", source, tta=3, **options)
    assert averaged.views == 3
    assert np.abs(averaged.probabilities - plain.probabilities).max() > 1e-3
    assert np.abs(averaged.probabilities.sum(axis=1) - 1).max() < 1e-9
    monkeypatch.setattr("automorph.inference.views.ViewChoice.favoured", False)
    single = automorph.predict(home / "run", source, tta=3, **options)
    assert single.views is None
    assert (single.probabilities == plain.probabilities).all()


def test_views_are_compared_without_the_test_part(home, monkeypatch):
    from automorph.inference import run_predict

    seen = []
    whole = run_predict.choose_views

    def look(run, data, views):
        seen.append("test" in data.parts)
        return whole(run, data, views)

    monkeypatch.setattr(run_predict, "choose_views", look)
    automorph.predict(home / "run", f"folder:{home / 'photos'}", part="test", tta=1)
    assert seen == [False]


def test_views_for_new_pictures_are_compared_on_the_data_of_the_training(home, call, tmp_path):
    folder = tmp_path / "new"
    shutil.copytree(home / "photos" / "one", folder)
    said, _, _ = call(home, "predict", "run", f"folder:{folder}", "--tta", "2")
    assert "validation log-loss" in said
    with pytest.raises(UsageError, match=r"pass them as training_data="):
        automorph.predict(home / "run", f"folder:{folder}", tta=2)
    with pytest.raises(UsageError, match="is not that of the training"):
        automorph.predict(
            home / "run", f"folder:{folder}", tta=2,
            training_data=load_data(f"folder:{home / 'photos'}", size=12, limit=200),
        )  # fmt: skip
    with pytest.raises(UsageError, match="tta is 0"):
        automorph.predict(home / "run", f"folder:{folder}", tta=0)


@pytest.mark.parametrize(
    ("policy", "message"),
    [("none", "changes no single example"), ("uniformaugment", r"blends examples \(SamplePairing")],
)
def test_a_policy_without_views_of_single_examples_is_refused(home, tmp_path, policy, message):
    shutil.copytree(home / "run", tmp_path / "run")
    automorph.save_policy(automorph.load_policy(policy), tmp_path / "run" / "policy.json")
    source = f"folder:{home / 'photos'}"
    with pytest.raises(UsageError, match=message):
        automorph.predict(tmp_path / "run", source, part="test", tta=2)
    (tmp_path / "run" / "policy.json").unlink()
    with pytest.raises(UsageError, match=r"holds no policy\.json"):
        automorph.predict(tmp_path / "run", source, part="test", tta=2)


def test_arrays_are_predicted_as_files_are(home):
    data = load_data(f"folder:{home / 'photos'}", size=12).train
    found = automorph.predict(home / "run", data.data)
    files = automorph.predict(home / "run", f"folder:{home / 'photos'}")
    assert (found.probabilities == files.probabilities).all()
    assert found.accuracy is None
    assert list(found.examples[:2]) == ["0", "1"]
    with pytest.raises(DataError, match="contains texts, but the network was trained on images"):
        automorph.predict(home / "run", ["a text"])


def test_texts_are_read_from_the_columns_of_the_training(texts, call):
    _, out, file = call(texts, "predict", "run", "csv:reviews.csv", "--part", "test", "--json")
    result = read_json(texts / "run" / "result.json")
    assert json.loads(out)["accuracy"] == result["accuracy"]["test"]
    assert json.loads(out)["loss"] == result["loss"]["test"]
    assert {row["subgroup"] for row in rows_of(file)} == {"a", "b"}


def test_a_table_without_labels_and_subgroups_is_predicted(texts, call, tmp_path):
    (tmp_path / "new.csv").write_text("words,other\na fine film,1\nan awful film,2\n")
    said, _, file = call(texts, "predict", "run", f"csv:{tmp_path / 'new.csv'}", file="out.csv")
    assert "no labels: there is no column 'stars'" in said
    assert "no subgroups: there is no column 'place'" in said
    rows = rows_of(file)
    assert [row["example"] for row in rows] == ["0", "1"]
    assert list(rows[0]) == ["example", "label", "probability_down", "probability_up"]


def test_texts_have_views_too(texts, call):
    said, _, _ = call(texts, "predict", "run", "csv:reviews.csv", "--part", "test", "--tta", "2")
    assert "validation log-loss" in said


def test_labels_are_matched_as_values_and_unknown_ones_are_noted(tmp_path, texts):
    (tmp_path / "new.csv").write_text("words,stars\na fine film,up\nan odd film,sideways\nx,\n")
    found = automorph.predict(
        texts / "run", f"csv:{tmp_path / 'new.csv'}", text="words", label="stars"
    )
    assert found.labels.tolist() == [1, -1, -1]
    assert any("no classes of the network (1 examples): 'sideways'" in note for note in found.notes)


def test_the_columns_never_collide():
    found = Predictions(
        ("label", "true"), ["a", "b"], np.array([0, 1]), np.eye(2), np.array([1, -1]), np.ones(2)
    )
    assert found.columns() == {
        "example": ["a", "b"], "label": ["label", "true"], "true": ["true", ""],
        "probability_label": [1.0, 0.0], "probability_true": [0.0, 1.0],
    }  # fmt: skip
    assert (found.accuracy, found.loss) == (0.0, 1.0)


def test_images_of_16_bits_get_the_window_of_the_training(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for label, level in (("dark", 1000), ("light", 1400)):
        folder = tmp_path / "scans" / label
        folder.mkdir(parents=True)
        for number in range(40):
            values = random.integers(level, level + 300, (8, 8)).astype(np.uint16)
            Image.fromarray(values).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    words = ("--epochs", "2", "--model", "cnn:4", "--policy", "none", "-q", "--out", "run")
    main(["train", "folder:scans", *words])
    whole = automorph.predict("run", "folder:scans")
    shutil.copytree(tmp_path / "scans" / "light", tmp_path / "new")
    # Alone, these images would have another window.
    found = automorph.predict("run", "folder:new")
    rows = [whole.examples.index(f"light/{name}") for name in found.examples]
    assert np.abs(found.probabilities - whole.probabilities[rows]).max() < 1e-6
    shutil.copy(tmp_path / "run" / "model.safetensors", tmp_path / "alone.safetensors")
    with pytest.raises(DataError, match=r"expected the values .* \(--window LOW,HIGH\)"):
        automorph.predict("alone.safetensors", "folder:new")
    window = tuple(read_json(tmp_path / "run" / "run.json")["identity"]["data"]["window"])
    given = automorph.predict("alone.safetensors", "folder:new", window=window, precision="fp32")
    assert np.abs(given.probabilities - found.probabilities).max() < 0.05


def test_images_that_were_decoded_on_demand_are_read_alike(home, call, monkeypatch):
    monkeypatch.chdir(home)
    words = ("--size", "12", "--on-demand", "--epochs", "1", "--model", "cnn:4", "-q")
    main(["train", "folder:photos", *words, "--policy", "none", "--out", "lazy"])
    _, out, _ = call(home, "predict", "lazy", "folder:photos", "--part", "test", "--json")
    result = read_json(home / "lazy" / "result.json")
    assert json.loads(out)["loss"] == result["loss"]["test"]
    whole = automorph.predict("lazy", "folder:photos", precision="fp32")
    assert len(whole) == 300


def test_the_metrics_of_the_training_are_computed(home, call, monkeypatch, tmp_path):
    monkeypatch.chdir(home)
    run = str(tmp_path / "run")
    main(
        ["train", "folder:photos", "--size", "12", "--epochs", "1", "--model", "cnn:4", "--policy",
         "none", "-q", "--metric", "balanced-accuracy", "--also", "recall:two", "--out", run]
    )  # fmt: skip
    own = read_json(tmp_path / "run" / "result.json")["metrics"]["test"]
    said, out, _ = call(home, "predict", run, "folder:photos", "--part", "test", "--json")
    assert json.loads(out)["metrics"] == {
        "balanced accuracy": own["balanced-accuracy"],
        "recall of two": own["recall:two"],
    }
    said, _, _ = call(home, "predict", run, "folder:photos", "--part", "test", file="again.csv")
    assert f", balanced accuracy {own['balanced-accuracy']:.2%}, recall of two" in said
