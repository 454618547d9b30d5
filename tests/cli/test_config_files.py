"""Configuration files: a run repeats from its own, typed options win, mistakes are refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from automorph.cli import VERBS, app, main
from automorph.cli.config import config_schema

QUICK = ["--limit", "60", "--model", "cnn:4", "--epochs", "1"]
MARKED = ["digits-correlation", "--model", "cnn:4", "--epochs", "1", "--limit", "80"]
RUNS = {
    "train": ["digits", "--policy", "flip-crop", "--seed", "3", *QUICK],
    "compare": ["digits", "--policy", "none", "--policy", "trivialaugment", "--seeds", "2", *QUICK],
    "search": ["digits", "--method", "random", "--trials", "2", "--seeds", "2", *QUICK],
    "explain": ["digits", "--limit", "60", "--space", "augmix"],
    "audit": [*MARKED, "--seed", "1"],
    "patch": [*MARKED, "--translator", "exact", "--objective", "gdro", "--seeds", "1"],
}
_CLOCK = ("seconds", "cost", "time", "busy", "folder", "report", "checkpoint", "policy_file")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def without_clock(value: Any, folder: str) -> Any:
    """The result without wall times, and without the name of its folder."""
    if isinstance(value, dict):
        return {k: without_clock(v, folder) for k, v in value.items() if k not in _CLOCK}
    if isinstance(value, list):
        return [without_clock(one, folder) for one in value]
    return value.replace(folder, "RUN") if isinstance(value, str) else value


def result_of(capsys: pytest.CaptureFixture[str], folder: str, *words: str) -> Any:
    main([*words, "--out", folder, "--json", "--quiet"])
    return without_clock(json.loads(capsys.readouterr().out), folder)


FAST = ("train",)


@pytest.mark.parametrize(
    "verb", [one if one in FAST else pytest.param(one, marks=pytest.mark.slow) for one in RUNS]
)
def test_a_run_repeats_from_its_own_file(
    capsys: pytest.CaptureFixture[str], place: Path, verb: str
) -> None:
    first = result_of(capsys, "one-run", verb, *RUNS[verb])
    file = tomllib.loads((place / "one-run" / "run.toml").read_text())
    jsonschema.validate(file, SCHEMA)
    assert file["written-by"]["command"] == verb
    again = result_of(capsys, "other-run", verb, "--config", "one-run/run.toml")
    assert again == first
    second = tomllib.loads((place / "other-run" / "run.toml").read_text())
    assert second == file


SCHEMA = config_schema(app.commands)


def test_the_schema_is_a_schema_and_knows_all_commands() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]) == {verb.name for verb in VERBS}
    compare = SCHEMA["$defs"]["compare"]["properties"]
    assert compare["limit"]["type"] == "integer"
    assert {"data", "policy", "batch-size", "defaults", "written-by"} <= set(compare)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"data": "digits", "limt": 3}, SCHEMA)


def write(place: Path, text: str) -> None:
    (place / "my.toml").write_text(text)


def test_typed_options_replace_those_of_the_file(
    capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    write(place, 'data = "digits"\nlimit = 60\npolicy = ["none", "crop"]\nexamples = 2\n')
    words = ["preview", "--config", "my.toml", "--json", "--quiet"]
    main(words)
    assert json.loads(capsys.readouterr().out)["policies"] == ["none", "crop"]
    main([*words, "--policy", "flip"])
    assert json.loads(capsys.readouterr().out)["policies"] == ["flip"]


def test_a_recorded_default_counts_where_the_present_one_differs(
    capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    from automorph.cli.config import expanded

    write(place, 'data = "digits"\n[defaults]\ndraws = 8\nexamples = 9\n')
    command = app.commands["preview"]
    with app.make_context("automorph", ["list", "ops"]) as context:
        words = expanded(command, ["--config=my.toml", "--policy", "flip"], context)
    assert words == ["digits", "--examples", "9", "--policy", "flip"]


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        (
            "limt = 3",
            "unknown option 'limt' of automorph preview in my.toml. Did you mean",
        ),
        ("limit = [1, 2]", "expected a text or a number"),
        ("skip-bad = 'yes'", "expected true or false"),
        ("limit = 'many'", "many"),
        ("data = ", "expected a TOML file of options"),
        ("[defaults]\nlimt = 3", "Did you mean 'limit'?"),
        ("defaults = 3", "expected a table [defaults]"),
        ("[written-by]\ncommand = 'train'", "automorph train --config my.toml"),
    ],
)
def test_mistakes_are_refused(
    capsys: pytest.CaptureFixture[str], place: Path, text: str, fragment: str
) -> None:
    write(place, text)
    with pytest.raises(SystemExit) as stop:
        main(["preview", "digits", "--policy", "none", "--config", "my.toml"])
    assert stop.value.code == 2
    assert fragment in " ".join(capsys.readouterr().err.split())
