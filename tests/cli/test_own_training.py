"""``compare --command`` and ``search --command``, from the command line to the report."""

from __future__ import annotations

import html
import json
import re
import shlex
import sys

import pytest

from automorph.cli import main
from automorph.policies import Mixture, Step, load_policy, save_policy

SCRIPT = """
import hashlib, json, pathlib, sys
policy, seed, epochs, out = sys.argv[1:]
text = pathlib.Path(policy).read_text()
name = json.loads(text)["name"]
if name == "flip" and seed == "1":
    print("a bracket [bold] in a log")
    raise SystemExit(7)
loss = 1 - len(name) / 100 + int(hashlib.sha1((text + seed).encode()).hexdigest()[0], 16) / 1e4
result = {"metric": "log loss", "higher_is_better": False, "validation": loss}
pathlib.Path(out, "result.json").write_text(json.dumps(result))
"""
COMMAND = f"{shlex.quote(sys.executable)} train.py {{policy}} {{seed}} {{epochs}} {{out}}"


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text(SCRIPT)

    def run_here(*words):
        main([str(word) for word in words])
        return capsys.readouterr()

    return run_here


@pytest.fixture
def refused(call, capsys):
    def run_here(*words):
        with pytest.raises(SystemExit) as stop:
            call(*words)
        assert stop.value.code == 2
        return capsys.readouterr().err

    return run_here


def text_of(path):
    page = re.sub(r"<(script|style)\b.*?</\1>", "", path.read_text("utf-8"), flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_compare_shows_a_loss_its_failures_and_what_is_missing(tmp_path, call):
    words = ["compare", "--command", COMMAND, "--epochs", 3, "--seeds", 4, "--out", "run"]
    words += [part for name in ("none", "flip", "flip-crop") for part in ("--policy", name)]
    shown = call(*words)
    said = " ".join(shown.err.split())
    assert "flip, seed 1: 2 times, the command ended with exit status 7" in said
    assert "a bracket [bold] in a log" in said
    assert "flip-crop is best on the validation part" in said
    assert "log loss (lower is better)" in said
    assert " points" not in said
    found = json.loads((tmp_path / "run" / "compare.json").read_text())["result"]
    assert found["metric"] == {
        "name": "log loss", "higher_is_better": False, "share": False, "part": "validation",
    }  # fmt: skip
    assert found["seeds"] == [0, 2, 3]
    assert any("exit status 7" in remark for remark in found["remarks"])
    page = text_of(tmp_path / "run" / "report.html")
    assert "Validation log loss, lower is better" in page
    assert "exit status 7" in page
    assert "examples of the policies are not shown" in page
    assert "%" not in re.sub(r"95%|\d+%", "", page.partition("Policies")[0])
    again = call(*words, "--json")
    assert json.loads(again.out)["winner"] == "flip-crop"
    call("report", "run")


def test_a_policy_that_always_fails_leaves_a_readable_table(tmp_path, call):
    log = 'print("first line of a log", "LAST LINE", sep="\\n")'
    script = SCRIPT.replace(' and seed == "1"', "").replace(
        'print("a bracket [bold] in a log")', log
    )
    (tmp_path / "train.py").write_text(script)
    words = ["compare", "--command", COMMAND, "--epochs", 1, "--seeds", 2, "--retries", 0]
    shown = call(*words, "--out", "run", "--policy", "none", "--policy", "flip").err
    assert re.search(r"^flip +failed *$", shown, re.M)
    assert re.search(r"^none +0\.9", shown, re.M)  # No column is squeezed by the log.
    assert re.search(r"^flip failed: 2 of 2: the command ended .*log.txt: LAST LINE$", shown, re.M)
    assert shown.count("first line of a log") == 1  # For both seeds together.
    page = text_of(tmp_path / "run" / "report.html")
    assert "first line of a log" not in page
    assert page.count("LAST LINE") == 2  # A note, and the table.


def test_search_ends_in_a_policy_and_a_report(tmp_path, call):
    words = ["--command", COMMAND, "--epochs", 3, "--method", "random", "--trials", 3]
    shown = call("search", *words, "--seeds", 2, "--out", "run", "--json")
    found = json.loads(shown.out)
    assert found["trainings"] == 3
    assert found["metric"]["name"] == "log loss"
    assert (tmp_path / "run" / "policy.json").exists()
    page = text_of(tmp_path / "run" / "report.html")
    assert "Scores are values of log loss on the validation data" in page
    assert "The cost counts epochs" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare", "--policy", "none"], "Pass DATA, or --command"),
        (
            ["compare", "digits", "--policy", "none", "--timeout", "3"],
            "--timeout without --command",
        ),
        (["compare", "digits", "--command", COMMAND, "--policy", "none"], "got DATA (digits)"),
        (["compare", "--command", COMMAND, "--policy", "none", "--model", "cnn"], "got --model"),
        (["compare", "--command", COMMAND, "--policy", "none"], "no number of epochs was given"),
        (["compare", "--command", "train", "--policy", "none"], "lacks {policy}"),
        (["search", "--command", COMMAND, "--epochs", "2", "--method", "dada"], "dada needs"),
        (["search", "--command", COMMAND, "--epochs", "2", "--space", "explained"], "narrowed by"),
    ],
)
def test_what_does_not_fit_is_refused(words, told, refused):
    assert told in " ".join(refused(*words).split())


def test_a_policy_file_that_changed_back_gets_its_own_report_again(tmp_path, call):
    words = ["compare", "--command", COMMAND, "--epochs", 3, "--seeds", 1, "--out", "run", "--json"]
    words += ["--policy", "none", "--policy", "own.json", "--engine", "local"]
    space, values = load_policy("randaugment").space, []
    for magnitude in (0.2, 0.8, 0.2):
        own = Mixture(
            label="own", operations=space, subpolicies=((Step("Rotate", magnitude=magnitude),),)
        )
        save_policy(own, tmp_path / "own.json")
        values.append(json.loads(call(*words).out)["rows"][1]["accuracy"]["mean"])
    assert values[0] == values[2] != values[1]
    report = json.loads((tmp_path / "run" / "compare.json").read_text())["result"]
    assert report["rows"][1]["accuracy"]["mean"] == values[2]
