"""Cross-validation on the command line: asked for, chosen for few examples, and turned off."""

import json

import numpy as np
import pytest
from PIL import Image

from automorph.__main__ import main

QUICK = ["--model", "cnn:4", "--epochs", "1", "--json"]
COMPARE = ["compare", "folder:few", *QUICK, "--policy", "none", "--policy", "flip-crop", "--jobs",
           "1"]  # fmt: skip


@pytest.fixture
def few(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / "few" / name).mkdir(parents=True)
        for k in range(12):
            image = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
            image.save(tmp_path / "few" / name / f"{k}.png")
    return tmp_path


def shown_by(capsys, words):
    main(words)
    shown = capsys.readouterr()
    return json.loads(shown.out), shown.err


def test_few_examples_are_cross_validated_unless_it_is_turned_off(few, capsys):
    said, _ = shown_by(capsys, [*COMPARE, "--out", "auto"])
    assert said["folds"] == {"count": 5, "repeats": 2, "examples": 24}
    assert said["metric"]["part"] == "out-of-fold"
    assert len(said["rows"][0]["accuracy"]["values"]) == 10
    notes = json.loads((few / "auto" / "run.json").read_text())["data"]["notes"]
    assert any("--folds 0" in note for note in notes)
    page = (few / "auto" / "report.html").read_text()
    assert "Fold 5, repeat 2" in page
    assert "Nadeau and Bengio" in page
    assert "paired seeds" not in page
    assert "over the seeds" not in page
    assert "test accuracy" not in page.lower()
    for off in (["--folds", "0", "--seeds", "1"], ["--seeds", "1"]):
        assert "folds" not in shown_by(capsys, [*COMPARE, *off, "--out", "off"])[0]
    # A folder that was begun on one split continues on it.
    content, _ = shown_by(capsys, [*COMPARE, "--out", "off"])
    assert content["seeds"] == [0, 1, 2, 3, 4]


def test_train_measures_by_cross_validation_and_trains_on_all_examples(few, capsys):
    words = ["train", "folder:few", *QUICK, "--policy", "none", "--folds", "3", "--repeats", "1",
             "--out", "run"]  # fmt: skip
    said, _ = shown_by(capsys, words)
    identity = json.loads((few / "run" / "run.json").read_text())["identity"]
    parts = identity["data"]["parts"]
    assert set(parts) == {"train", "validation"}
    assert sum(part["n"] for part in parts.values()) == 24
    jobs = (few / "run" / "folds" / "jobs.jsonl").read_text()
    assert jobs.count('"kind": "final"') == 3
    again, _ = shown_by(capsys, words)
    assert again["accuracy"] == said["accuracy"]
    assert (few / "run" / "folds" / "jobs.jsonl").read_text() == jobs
    assert "left out of the training" in (few / "run" / "report.html").read_text()


def test_a_policy_that_was_found_on_the_data_is_not_cross_validated_unasked(few, capsys):
    shown_by(capsys, [*COMPARE, "--folds", "0", "--seeds", "1", "--out", "first"])
    found = json.loads((few / "first" / "policy.json").read_text())
    assert found["provenance"]["data_hash"]
    other = "flip-crop" if found["name"] == "none" else "none"
    words = ["compare", "folder:few", *QUICK, "--policy", other, "--policy", "first/policy.json",
             "--jobs", "1"]  # fmt: skip
    assert "folds" not in shown_by(capsys, [*words, "--out", "again"])[0]
    asked, _ = shown_by(capsys, [*words, "--folds", "3", "--repeats", "1", "--out", "asked"])
    assert "was found on these data" in asked["remarks"][0]


def test_search_tests_in_every_fold_what_it_picks_and_keeps_one_more_pick(few, capsys):
    words = ["search", "folder:few", "--model", "cnn:4", "--epochs", "1", "--folds", "3",
             "--repeats", "1", "--method", "random", "--trials", "1", "--engine", "local",
             "--out", "run"]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main([*words, "--resume", "--json"])
    assert ended.value.code == 2
    _, shown = shown_by_words(capsys, words)
    assert "4 searches, one in each of 3 folds x 1 repeat and one on all examples" in shown
    assert "they cost about 16 plain trainings" in shown
    said, _ = shown_by(capsys, [*words, "--resume", "--json"])
    assert said["folds"] == {"count": 3, "repeats": 1, "examples": 24}
    assert said["metric"]["part"] == "out-of-fold"
    assert (said["row"]["policy"], len(said["picks"])) == ("what the search picks", 3)
    assert [row["part"] for row in said["baselines"]] == ["none", "tail", "trivialaugment"]
    kept = json.loads((few / "run" / "policy.json").read_text())["provenance"]
    assert kept["trained_with"] == said["found"]
    assert sum(kept["picked"].values()) == 3
    page = " ".join((few / "run" / "report.html").read_text().split())
    assert "Picks of the folds" in page
    assert "What does choosing in this way gain?" in page
    assert "4.0 trainings" in page
    record = json.loads((few / "run" / "run.json").read_text())
    assert "--folds 3" in record["next"][0]


def shown_by_words(capsys, words):
    main(words)
    shown = capsys.readouterr()
    return shown.out, " ".join(shown.err.split())
