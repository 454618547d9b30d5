"""`automorph audit`: the --json contract, the page, and the inputs that can be audited."""

import json

import numpy as np
import pytest
import torch

import automorph
from automorph.cli import main
from automorph.data import Split, limited, load_data, split
from automorph.errors import UsageError
from automorph.robustness.predictions import thumbnails
from automorph.training import as_task, train

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def digits():
    return load_data("digits-correlation")


def test_the_verb(place, capsys):
    words = ["audit", "digits-correlation", "--model", "cnn:8", "--epochs", "3", "--discover"]
    main([*words, "--part", "test", "--json"])
    told = json.loads(capsys.readouterr().out)
    main([*words, "--part", "test", "--json"])
    again = json.loads(capsys.readouterr().out)

    assert again == told
    assert {"accuracy", "robust_accuracy", "groups", "gap", "mutual_information"} <= set(told)
    assert [(g["class"], g["subgroup"]) for g in told["groups"]] == [
        ("even", "clean"), ("even", "corner"), ("odd", "clean"), ("odd", "corner"),
    ]  # fmt: skip
    assert told["robust_accuracy"] == min(g["accuracy"] for g in told["groups"])
    page = (place / told["report"]).read_text()
    assert "All groups" in page
    assert "Intersections of columns" in page


def test_a_trained_network_is_audited_by_its_folder(place, digits, capsys):
    run = train(as_task(digits, model="cnn:8", recipe={"epochs": 3}), folder=place / "run")
    main(["audit", "digits-correlation", "--checkpoint", "run", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert told["accuracy"] == pytest.approx(run.accuracy["test"])
    torch.save(run.model.state_dict(), "weights.pt")
    main(["audit", "digits-correlation", "--checkpoint", "weights.pt", "--model", "cnn:8",
          "--json"])  # fmt: skip
    assert json.loads(capsys.readouterr().out)["accuracy"] == told["accuracy"]
    assert automorph.audit(digits, model=run).accuracy.value == told["accuracy"]


def test_a_network_is_not_audited_on_what_it_was_trained_on(place):
    """Parts are stratified by subgroup, except for a training that named no subgroup."""
    digits = load_data("digits")
    odd, mark = digits.train.labels % 2, np.arange(len(digits.train)) % 3 == 0
    named = automorph.from_arrays(digits.train.data, odd, subgroups=mark.astype(int))
    plain = split(automorph.from_arrays(digits.train.data, odd))
    for limit in (None, 200):
        seen = plain if limit is None else limited(plain, limit)
        task = as_task(seen, model="cnn:4", recipe={"epochs": 1})
        run = train(task, folder=place / f"run{limit}")
        found = automorph.audit(named, checkpoint=place / f"run{limit}")
        assert found.accuracy.value == pytest.approx(run.accuracy["test"])
        assert not any("rows other than" in note for note in found.notes)
    other = automorph.from_arrays(
        digits.train.data[:900], odd[:900], subgroups=mark[:900].astype(int)
    )
    found = automorph.audit(other, checkpoint=place / "runNone")
    assert "some audited examples may be its training examples" in found.notes[0]


def test_predictions_of_all_kinds(place, digits):
    part = digits.test
    rng = np.random.default_rng(0)
    classes = np.where(rng.random(len(part)) < 0.9, part.labels, 1 - part.labels)
    expected = (classes == part.labels).mean()
    np.save("classes.npy", classes)
    lines = ["row,guess", *(f"{i},{digits.classes[c]}" for i, c in enumerate(classes))]
    (place / "named.csv").write_text("\n".join(lines) + "\n")
    scores = np.eye(2)[classes] * 3

    for given in (classes, "classes.npy", "named.csv:guess", scores):
        found = automorph.audit(digits, predictions=given)
        assert found.accuracy.value == pytest.approx(expected)
        assert (found.loss is not None) == (given is scores)
        assert found.facts["part"] == "test"


def test_predictions_find_their_rows_when_some_are_left_out(digits):
    kept = np.flatnonzero(np.arange(len(digits.test)) % 3 > 0)
    less = digits.replace(test=digits.test.take(kept))
    whole = digits.test.labels.copy()
    whole[::3] = 1 - whole[::3]

    assert automorph.audit(less, predictions=whole).accuracy.value == 1


def test_other_columns_are_looked_at(digits):
    part = digits.test
    site = np.where(np.arange(len(part)) % 4 == 0, "south", "north").astype(np.dtypes.StringDType())
    with_site = digits.replace(
        test=Split(part.data, part.labels, part.ids, part.subgroups, {"site": site})
    )
    wrong = (np.arange(len(part)) % 8 == 0) & (part.labels == 1)
    found = automorph.audit(with_site, predictions=np.where(wrong, 0, part.labels))

    assert found.intersections[0].values == {"site": "south"}
    assert found.intersections[0].class_name == "odd"


def test_without_subgroups_there_are_classes_and_slices(digits):
    plain = load_data("digits")
    data = plain.replace(subgroup_names=())
    found = automorph.audit(data, predictions=plain.train.labels, discover=True)

    assert found.gap == dict.fromkeys(plain.classes)
    assert found.slices == ()
    with pytest.raises(UsageError, match="--discover"):
        automorph.audit(data, predictions=plain.train.labels)


def test_small_copies_of_images(digits):
    small = thumbnails(digits.test, side=4)
    blocks = digits.test.data.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4))

    assert small.shape == (len(digits.test), 16)
    assert np.allclose(small, blocks.reshape(-1, 16))
