"""Every verb on an unprepared file of texts: renamed columns, quotes and line breaks."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from automorph.cli import main

torch.set_num_threads(1)

HE, SHE = ("He", "his"), ("She", "her")
TOLD = (("dull", "awful", "poor"), ("fine", "lovely", "great"))
FILE = ["csv:my texts.csv", "--text", "the opinion", "--label", "Urteil"]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with open("my texts.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Urteil", "who", "the opinion"])
        for i in range(240):
            label, who = i % 2, int(rng.random() < 0.5)
            a, b = (f"Thing{rng.integers(30)}" for _ in range(2))
            first, second = rng.choice(TOLD[label], 2)
            pronoun = (HE, SHE)[who]
            text = f'{pronoun[0]} said: "{a}, {first}"\nand left {pronoun[1]} {b}; {second} 🙂 {i}'
            writer.writerow([("no, never", 'yes "so"')[label], "hs"[who], text])
    return tmp_path


def result(capsys, *words):
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


QUICK = ["--model", "bag-of-words", "--epochs", "2"]


def test_train_and_audit(capsys, place):
    told = result(capsys, "train", *FILE, "--subgroup", "who", *QUICK, "--out", "run")
    assert told["policy"] in ("eda(alpha=0.1)", "aeda(p=0.3)")
    audited = result(capsys, "audit", *FILE, "--subgroup", "who", "--checkpoint", "run")
    assert audited["accuracy"] == pytest.approx(told["accuracy"])
    assert {group["class"] for group in audited["groups"]} == {"no, never", 'yes "so"'}


def test_compare_shows_texts_before_and_after(capsys, place):
    policies = ["none", "typos", "mixup", "uncertainty(c=2,rule=top,space=texts-plain)"]
    words = [word for policy in policies for word in ("--policy", policy)]
    told = result(
        capsys, "compare", *FILE, *QUICK, *words, "--seeds", "1", "--jobs", "1",
        "--protect", r"Thing\d+", "--out", "runs/c",
    )  # fmt: skip
    assert len(told["rows"]) == 4
    page = (place / "runs/c/report.html").read_text(encoding="utf-8")
    assert "<ins>" in page
    assert "<del>Thing" not in page


def test_preview_marks_changes(capsys, place):
    main(["preview", *FILE, "--policy", "aeda", "--policy", "tf-idf", "--protect", "🙂"])
    told = capsys.readouterr().err
    assert "{+" in told
    assert "[-" in told
    page = (place / "preview.html").read_text(encoding="utf-8")
    assert "<ins>" in page
    assert "Content-Security-Policy" in page


def test_explain_ranks_operations_on_texts(capsys, place):
    told = result(capsys, "explain", *FILE, "--space", "texts-plain", "--out", "e")
    rows = {row["name"]: row for row in told["operations"]}
    assert {"Swap", "Delete", "Keyboard", "Sentences"} <= set(rows)
    assert rows["Case"]["invariance"] < 0.01  # The features do not depend on it.
    assert rows["Keyboard"]["invariance"] > 0.05
    assert "Texts before and after" in (place / "e/report.html").read_text(encoding="utf-8")


def test_patch_swaps_words(capsys, place):
    told = result(
        capsys, "patch", *FILE, *QUICK, "--subgroup", "who", "--seeds", "1", "--jobs", "1",
        "--objective", "camel", "--translator", "word-swap", "--out", "p",
    )  # fmt: skip
    assert told["translator"]["checks"][0]["kind"] == "word-swap"
    assert (place / "p/report.html").exists()


@pytest.mark.slow
def test_search_finds_a_policy(capsys, place):
    told = result(
        capsys, "search", *FILE, *QUICK, "--method", "fast-autoaugment(folds=2)", "--trials", "8",
        "--seeds", "1", "--jobs", "1", "--engine", "local", "--out", "s",
    )  # fmt: skip
    parts = {row["part"] for row in told["baselines"]}
    assert "none" in parts
    assert parts & {"eda", "trivialaugment"}
    assert (place / "s/policy.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", ["tanda(length=2,steps=30)", "text-autoaugment", "dada", "instant", "race"]
)
def test_every_kind_of_search_takes_texts(capsys, place, method):
    trials = "8" if method == "race" else "2"
    told = result(
        capsys, "search", *FILE, *QUICK, "--method", method, "--trials", trials,
        "--space", "texts-corpus", "--seeds", "1", "--jobs", "1", "--engine", "local",
        "--protect", r"Thing\d+",
    )  # fmt: skip
    assert told["method"] == method
    assert told["failed"] == 0
