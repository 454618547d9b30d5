"""``--unlabelled`` from the command line to the report: counted, noted, or refused."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pytest

from automorph.cli import main
from automorph.data import load_data

SHORT = ("--limit", "200", "--epochs", "1")
CONSISTENT = "consistency(randaugment(n=1,m=5),ratio=1)"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "pool.npz", images=load_data("digits").train.data[:300])

    def run_here(*words):
        main([*map(str, words), "--unlabelled", "numpy:pool.npz"])
        return " ".join(capsys.readouterr().err.split())

    return run_here


def text_of(path):
    page = re.sub(r"<(script|style)\b.*?</\1>", "", path.read_text("utf-8"), flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_train_states_how_many_there_are_and_what_was_dropped(tmp_path, call):
    said = call("train", "digits", *SHORT, "--policy", CONSISTENT, "--out", "run")
    page = text_of(tmp_path / "run" / "report.html")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    for where in (said, page, " ".join(record["data"]["notes"])):
        assert "unlabelled examples: 300 from numpy:pool.npz, used without labels" in where
        assert "dropped because they are also in the test part: 61" in where
    assert "did not use" not in said
    assert "without labels 231" in page
    assert record["identity"]["data"]["unlabelled"]["n"] == 231
    assert "--unlabelled numpy:pool.npz" in said  # The suggested comparison has the same pool.
    again = call("train", "digits", *SHORT, "--policy", CONSISTENT, "--out", "run")
    assert "test accuracy" in again


def test_compare_names_the_policies_that_did_not_use_them(tmp_path, call):
    words = ("--policy", "none", "--policy", f"flip + {CONSISTENT}", "--seeds", "1", "--jobs", "1")
    said = call("compare", "digits", *SHORT, *words, "--out", "run")
    assert "231 more without labels" in said
    assert "none did not use the 231 unlabelled examples" in said
    assert "none did not use the 231 unlabelled examples" in text_of(
        tmp_path / "run" / "report.html"
    )


def test_search_gives_them_to_the_discriminator_of_tanda(call, monkeypatch):
    from automorph.searchers.tanda import searcher

    seen = []
    whole = searcher.learn_generator

    def learn(examples, *rest, **options):
        seen.append(len(examples))
        return whole(examples, *rest, **options)

    monkeypatch.setattr(searcher, "learn_generator", learn)
    words = ("--trials", "1", "--seeds", "1", "--engine", "local", "--space", "randaugment")
    said = call("search", "digits", *SHORT, *words, "--method", "tanda(steps=2)", "--out", "run")
    assert "did not use" not in said
    assert seen == [160 + 231]
    said = call("search", "digits", *SHORT, *words, "--method", "random", "--out", "other")
    assert "the search method random did not use the 231 unlabelled examples" in said


def test_a_method_without_a_pool_says_what_it_took(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    main(["train", "digits", *SHORT, "--policy", CONSISTENT, "--out", "run"])
    said = " ".join(capsys.readouterr().err.split())
    assert "had no unlabelled examples and took the training examples in their place" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "digits", "--unlabelled", "folder:nowhere"), "not found"),
        (("train", "digits", "--unlabelled", "fashion"), "Did you mean 'fashion-mnist'"),
        (("compare", "--command", "x {policy} {out}", "--policy", "none", "--unlabelled", "digits"),
         "got --unlabelled with --command"),
    ],
)  # fmt: skip
def test_a_wrong_pool_is_refused_at_once(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
