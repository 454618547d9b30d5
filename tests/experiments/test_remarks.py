"""A network that always answers one class is reported by every verb, beside the base rate."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import torch

from automorph.cli import main
from automorph.data import from_arrays, split
from automorph.experiments import base_rate, compare, constant_answers
from automorph.robustness import audit
from automorph.searchers import search
from automorph.training import make_task, recipe_for

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def task():
    """Noise of which three quarters are cats; nothing can be learned from it."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 8, 8, 1), np.uint8)
    labels = np.array(["cat", "cat", "cat", "dog"] * 50)
    data = split(from_arrays(images, labels), validation=0.2, test=0.2)
    return make_task(data, model="cnn:4", recipe=recipe_for("cnn:4", 120, epochs=1, lr=1e-6))


def test_names_of_constant_answers():
    answers = {"a": [[1, 1], [1, 1]], "b": [[0, 1]], "c": np.empty((2, 0), int)}
    (words,) = constant_answers(answers, ["cat", "dog"])
    assert words.startswith("a always answers 'dog': the network has learned nothing")
    assert base_rate([0, 1, 1, 1], ["cat", "dog"]) == ("dog", 0.75)


def test_compare_search_and_audit_say_it(task):
    constant = "always answers '"
    assert constant in compare(task, ["none"], seeds=1).remarks[0]
    assert any(constant in one for one in search(task, "random", trials=1, seeds=1).remarks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        part = np.zeros(len(task.data.train), int)
        labels = np.array(task.data.classes)[task.data.train.labels]
        source = from_arrays(task.data.train.data, labels, subgroups=np.arange(len(part)) % 2)
        found = audit(source, predictions=part)
    assert any("always answers 'cat'" in note for note in found.notes)


def test_the_command_line_and_the_page_say_it(tmp_path, capsys):
    command = ["compare", "digits", "--policy", "none", "--seeds", "1", "--epochs", "1", "--lr",
               "1e-9", "--limit", "100", "--model", "cnn:4", "--jobs", "1"]  # fmt: skip
    main([*command, "--out", str(tmp_path / "c")])
    shown = " ".join(capsys.readouterr().err.split())
    assert "none always answers" in shown
    assert "always '" in shown.split("none always answers")[1], "the base rate is a row"
    run = json.loads((tmp_path / "c" / "run.json").read_text())
    assert 0.09 < run["base_rate"]["accuracy"] < 0.12
    page = (tmp_path / "c" / "report.html").read_text()
    assert "none always answers" in page
    assert "the base rate" in page
    main(["train", *command[1:-2][:1], "--policy", "none", *command[6:-2], "--out",
          str(tmp_path / "t")])  # fmt: skip
    assert "none always answers" in " ".join(capsys.readouterr().err.split())


def test_a_policy_that_changes_nothing_is_named(task):
    texts = [f"фильм был очень {'хорош' if i % 2 else 'плох'} номер {i}" for i in range(80)]
    labels = ["да" if i % 2 else "нет" for i in range(80)]
    data = split(from_arrays(texts, labels), validation=0.2, test=0.2)
    cyrillic = make_task(
        data, model="bag-of-words", recipe=recipe_for("bag-of-words", 48, epochs=1)
    )
    remarks = compare(cyrillic, ["none", "typos(p=0.5)", "aeda"], seeds=1).remarks
    idle = [one for one in remarks if "changes none of" in one]
    assert [one.split()[0] for one in idle] == ["typos(p=0.5)"]
    assert "the same as no augmentation" in idle[0]
    images = compare(task, ["none", "crop", "mixup"], seeds=1).remarks
    assert not [one for one in images if "changes none of" in one]
