"""Suggested commands run as they are shown, with the options of the run; each page has one."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from automorph.cli import app, main
from automorph.cli.suggestions import policy_argument, suggest
from automorph.cli.task_words import CommandWords
from automorph.experiments import Command, external_task
from automorph.policies import load_policy, save_policy

SOURCE = Path(__file__).parents[2] / "src" / "automorph"
SMALL = ["--limit", "100", "--model", "cnn:4", "--epochs", "1"]
SCRIPT = """
import hashlib, json, pathlib, sys
policy, seed, epochs, out = sys.argv[1:]
text = pathlib.Path(policy).read_text()
value = len(text) % 97 / 100 + int(hashlib.sha1((text + seed).encode()).hexdigest()[0], 16) / 1e4
result = {"metric": "score", "validation": value, "checkpoint": "w"}
pathlib.Path(out, "w").write_text(epochs)
pathlib.Path(out, "result.json").write_text(json.dumps(result))
"""
COMMAND = f"{shlex.quote(sys.executable)} 'my train.py' {{policy}} {{seed}} {{epochs}} {{out}}"
RESUMABLE = f"{COMMAND} {{checkpoint}}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, texts, a table with subgroups and a training script."""
    top = tmp_path_factory.mktemp("my work")
    rng = np.random.default_rng(0)
    lines = ["path,kind,site,who"]
    for number in range(120):
        kind, site = number % 2, number // 2 % 2
        image = rng.integers(0, 120, (12, 12, 3), np.uint8)
        image[3:9, 3:9, kind] += 100
        name = top / "my photos" / ("cat", "dog")[kind] / f"{number}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(name)
        lines.append(f"{name.relative_to(top)},{('cat', 'dog')[kind]},{site},p{number // 3}")
    (top / "table.csv").write_text("\n".join(lines) + "\n")
    words = ("good fine film", "bad dull film")
    rows = [f"a {words[k % 2]} number {k} and {k % 7} more,{1 + k % 2}" for k in range(160)]
    (top / "texts.csv").write_text("the review,stars\n" + "\n".join(rows) + "\n")
    (top / "my train.py").write_text(SCRIPT)
    return top


RUNS: dict[str, list[str]] = {
    "compare": ["compare", "digits", *SMALL, "--policy", "none", "--policy", "crop", "--seeds", "2",
                "--jobs", "1"],
    "compare one": ["compare", "digits", *SMALL, "--policy", "crop", "--seeds", "1", "--jobs", "1"],
    "compare folder": ["compare", "folder:my photos", "--size", "8x10", "--policy", "none",
                       "--policy", "flip-crop", "--seeds", "5", "--jobs", "1", "--model", "cnn:4",
                       "--epochs", "1", "--engine", "local"],
    "compare texts": ["compare", "csv:texts.csv", "--text", "the review", "--label", "stars",
                      "--policy", "none", "--policy", "aeda", "--seeds", "2", "--jobs", "1",
                      "--model", "bag-of-words", "--epochs", "2", "--protect", "[A-Z]{2,}"],
    "compare command": ["compare", "--command", COMMAND, "--epochs", "2", "--seeds", "5",
                        "--timeout", "60", "--policy", "none", "--policy",
                        "random(space=randaugment)", "--policy", "flip-crop"],
    "search": ["search", "digits", *SMALL, "--method", "random", "--trials", "2", "--seeds", "2",
               "--jobs", "1", "--then", "none", "--seed", "3"],
    "search texts": ["search", "csv:texts.csv", "--text=the review", "--label=stars", "--model",
                     "bag-of-words", "--epochs", "1", "--method", "random", "--trials", "2",
                     "--seeds", "2", "--jobs", "1", "--space", "texts-plain"],
    "search command": ["search", "--command", COMMAND, "--epochs", "2", "--seeds", "2", "--method",
                       "random", "--trials", "2", "--then", "none"],
    "search schedule": ["search", "--command", RESUMABLE,
                        "--epochs", "4", "--seeds", "2", "--method", "pba(members=2,every=2)",
                        "--trials", "2", "--then", "none"],
    "explain": ["explain", "digits", "--limit", "200", "--space", "randaugment", "--deep",
                "--model", "cnn:4"],
    "explain texts": ["explain", "csv:texts.csv", "--text", "the review", "--label", "stars",
                      "--space", "texts-plain", "--deep", "--model", "bag-of-words"],
    "audit": ["audit", "digits", "--limit", "700", "--model", "cnn:4", "--epochs", "2",
              "--discover"],
    "audit subgroups": ["audit", "csv:table.csv", "--image", "path", "--label", "kind",
                        "--subgroup", "site", "--keep-together", "who", "--model", "cnn:4",
                        "--epochs", "2"],
    "patch": ["patch", "csv:table.csv", "--image", "path", "--label", "kind", "--subgroup", "site",
              "--translator", "statistics", "--objective", "gdro", "--seeds", "2", "--epochs", "2",
              "--model", "cnn:4", "--no-saliency", "--jobs", "1"],
    "train": ["train", "digits", *SMALL, "--policy", "crop"],
    "train table": ["train", "csv:table.csv", "--image", "path", "--label", "kind", "--model",
                    "cnn:4", "--epochs", "2", "--policy", "flip-crop", "--lr", "0.001"],
}  # fmt: skip
"""Small runs of every verb, by name."""
QUICK = ["compare", "compare one", "search command", "search schedule", "train", "audit"]
_SCHEDULED = "search schedule"


def command_of(name: str) -> list[str]:
    words = RUNS[name]
    if name == _SCHEDULED:
        return [word.replace("my train.py", "my resumable train.py") for word in words]
    return words


@pytest.fixture
def run(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Run a command in its own process state; return its first suggestion, and its page."""
    monkeypatch.chdir(place)
    resumable = SCRIPT.replace("epochs, out = sys.argv[1:]", "epochs, out, _ = sys.argv[1:]")
    (place / "my resumable train.py").write_text(resumable)

    def call(words: list[str], folder: str = "the run") -> tuple[str, dict[str, Any]]:
        capsys.readouterr()
        main([*words, "--out", str(tmp_path / folder)])
        shown = capsys.readouterr().err
        page = json.loads((tmp_path / folder / "report.json").read_text("utf-8"))["content"]
        # A search on few examples suggests a second one, by folds.
        command, *others = page["next"]
        printed = shown.partition("\nNext:\n")[2].strip().splitlines()
        assert [line.strip() for line in printed] == page["next"], "terminal and page differ"
        for other in others:
            assert parsed(other).params["folds"] == 5
        return command, page

    return call


def parsed(command: str) -> click.Context:
    """Parse a suggested command as the command line does."""
    program, verb, *words = shlex.split(command.rpartition(" && ")[2])
    assert program == "automorph"
    return app.commands[verb].make_context(verb, words)


def executed(command: str) -> None:
    """Run a command as printed, in a shell."""
    shell = command.replace("automorph ", f"{shlex.quote(sys.executable)} -m automorph ", 1)
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


CARRIED = {"--limit", "--size", "--text", "--label", "--image", "--subgroup", "--keep-together",
           "--command", "--protect", "--timeout"}  # fmt: skip


@pytest.mark.parametrize("name", [*QUICK, *(
    pytest.param(one, marks=pytest.mark.slow) for one in RUNS if one not in QUICK
)])  # fmt: skip
def test_the_suggestion_parses_and_has_the_options_of_the_run(name: str, run: Any) -> None:
    words = command_of(name)
    command, _ = run(words)
    if command.startswith("mkdir"):
        assert "--command" in words
        return
    typed = app.commands[words[0]].make_context(words[0], list(words[1:])).params
    context = parsed(command)
    for option in context.command.params:
        if option.opts[0] in CARRIED and typed.get(option.name or ""):
            assert context.params[option.name or ""] == typed[option.name or ""], option.name
    if "data" in typed and typed["data"] is not None:
        assert context.params["data"] == typed["data"]
    for option_name in ("model", "lr"):
        finished = "checkpoint" in context.params and context.params["checkpoint"]
        if words[0] != "explain" and typed.get(option_name) and not finished:
            assert context.params[option_name] == typed[option_name]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_the_suggestion_runs_as_it_is_shown(name: str, run: Any) -> None:
    command, _ = run(command_of(name))
    executed(command)


@pytest.mark.parametrize("name", ["compare", "search command"])
def test_a_verdict_recommends_one_thing(name: str, run: Any) -> None:
    _, page = run(command_of(name))
    text = page["verdict"]["text"]
    advice = [w for w in ("Use ", "Keep ", "; keep ", "use --seeds", "Train ", "Compare ")
              if w in text]  # fmt: skip
    assert len(advice) == 1, text


def test_few_seeds_lead_to_the_same_comparison_with_more(run: Any, tmp_path: Path) -> None:
    command, page = run(RUNS["compare"])
    if page["verdict"]["kind"] == "unclear" and page["winner"] != "none":
        assert "To find out, use --seeds 5." in page["verdict"]["text"]
        assert parsed(command).params["seeds"] == 5
        assert parsed(command).params["policies"] == ("none", "crop")


@pytest.mark.parametrize("name", ["schedule(1:none,1:crop)", "random(space=randaugment)", "crop"])
def test_what_is_handed_to_a_script_is_a_transform(
    name: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transforms refuse what changes with the epoch; the command of such a policy is `compare`."""
    monkeypatch.chdir(place)
    typed = ["--command", COMMAND, "--epochs", "2", "--retries", "0"]
    words = CommandWords(external_task(Command(COMMAND), epochs=2))
    policy = load_policy(name)
    save_policy(policy, tmp_path / "policy.json")
    with app.commands["search"].make_context("search", typed):
        printed = words._use(policy, tmp_path, found=policy)
    if name.startswith("schedule"):
        params = parsed(printed).params
        assert params["policies"] == (str(tmp_path / "policy.json"),)
        assert (params["command"], params["epochs"], params["retries"]) == (COMMAND, 2, 0)
        return
    file = shlex.split(printed)[6]
    transform = load_policy(file)
    assert transform(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)
    executed(printed)


def test_the_random_control_of_a_script_is_one_that_transforms_take(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(place)
    main(["compare", "--command", COMMAND, "--epochs", "1", "--seeds", "1", "--policy", "none",
          "--out", str(tmp_path / "run")])  # fmt: skip
    shown = " ".join(capsys.readouterr().err.split())
    assert "add --policy 'random(space=randaugment)'" in shown
    control = load_policy("random(space=randaugment)").with_seed(0)
    assert control(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)


def test_files_and_names_of_policies(tmp_path: Path) -> None:
    found, other = load_policy("crop"), load_policy("random(space=randaugment)")
    assert policy_argument(found, tmp_path, found=found) == str(tmp_path / "policy.json")
    assert policy_argument(other, tmp_path, found=found) == "random(space=randaugment)"


def test_values_are_written_as_they_are_typed() -> None:
    words = ["csv:my data.csv", "--size", "8x16", "--window=-5,7.5", "--subgroup", "a b",
             "--subgroup", "c", "--equal-classes", "--lr", "1e-4", "--crop", "0.25"]  # fmt: skip
    with app.make_context("automorph", ["train"]) as top:
        command = app.commands["train"]
        # DATA is checked when it is parsed.
        words[0] = "digits"
        with command.make_context("train", words, parent=top) as context, context:
            printed = suggest("compare", "digits", policies=["none"])
    again = parsed(printed).params
    for name in ("size", "window", "subgroup", "equal_classes", "lr", "crop"):
        assert again[name] == context.params[name], name


MENTIONED = re.compile(r"automorph ((?:list|doctor|quickstart|explain|audit)[a-z -]*)")


def test_commands_in_messages_parse() -> None:
    """Commands that errors and notes name, such as ``automorph list policies``."""
    from automorph.cli.listing import list_

    topics = set(next(one for one in list_.params if isinstance(one, click.Argument)).type.choices)
    checked = 0
    for path in SOURCE.rglob("*.py"):
        text = re.sub(r'["\']\s*\n\s*f?["\']', "", path.read_text("utf-8"))
        for topic in re.findall(r"automorph list ([a-z]+)", text):
            assert topic in topics, f"{path}: automorph list {topic}"
            checked += 1
        for flag in re.findall(r"automorph doctor (--[a-z]+)", text):
            app.commands["doctor"].make_context("doctor", [flag])
    assert checked > 5
