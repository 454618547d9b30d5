"""A network that always answers one class is reported by every verb, beside the base rate."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from automorph.cli import main
from automorph.data import from_arrays, split
from automorph.experiments import base_rate, compare, constant_answers, idle_policies
from automorph.policies import Mixture, Step, load_policy
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
               "1e-9", "--limit", "100", "--model", "cnn:4", "--recipe", "0.1",
               "--jobs", "1"]  # fmt: skip
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


CYRILLIC = "".join(
    f"фильм был очень {'хорош' if i % 2 else 'плох'} номер {i},{'да' if i % 2 else 'нет'}\n"
    for i in range(120)
)


def test_every_verb_names_a_policy_that_changes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.csv").write_text("text,label\n" + CYRILLIC, "utf-8")
    small = ["--model", "bag-of-words", "--epochs", "2"]

    def shown(*words):
        main([*words])
        return " ".join(capsys.readouterr().err.split())

    policy = ["--policy", "typos(p=0.5)"]
    told = shown("train", "csv:r.csv", *policy, *small, "--out", "t")
    assert "typos(p=0.5) changes none of" in told
    assert "typos(p=0.5) changes none of" in (tmp_path / "t" / "report.html").read_text("utf-8")
    assert "typos(p=0.5) changes none of" in shown("preview", "csv:r.csv", *policy)
    told = shown("search", "csv:r.csv", *small, "--space", "texts-plain", "--method", "random",
                 "--trials", "1", "--seeds", "1", "--jobs", "1", "--out", "s")  # fmt: skip
    idle = told.partition("operations of the space change none of ")[2].partition(". A space")[0]
    assert "Keyboard" in idle
    assert "Swap" not in idle


def test_a_search_names_operations_that_change_nothing(task):
    """A translation of colours changes no grey image; trials are wasted on it."""
    remarks = search(task, "random", space="randaugment", trials=1, seeds=1).remarks
    (idle,) = [one for one in remarks if "of the space change none" in one]
    assert "Color" in idle
    assert "Rotate" not in idle


def test_a_policy_that_changes_almost_nothing_is_named(task):
    rare = load_policy("crop").space
    seldom = Mixture(
        label="seldom", operations=rare,
        subpolicies=((Step(rare.names[0], 0.002, 1.0),),), weights=(1.0,),
    )  # fmt: skip
    often = replace(seldom, label="often", subpolicies=((Step(rare.names[0], 0.1, 1.0),),))
    found = idle_policies([seldom, often], task)
    assert len(found) == 1
    assert found[0].startswith("seldom changes ")


def test_a_schedule_that_begins_with_nothing_is_not_idle(task):
    longer = task.with_recipe(epochs=4)
    assert idle_policies([load_policy("schedule(2:none,2:crop)")], longer) == []
    assert idle_policies([load_policy("crop")], longer) == []
