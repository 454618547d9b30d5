"""Finished runs of every verb, and what ``--json`` and the page of each said.

Recorded from commit 3efc091; read the header of ``golden_record.py`` first: this, too, is not to be
run anew to make a test pass. To record: see there. To see what the verbs do today with a copy of
the recorded folders (in the folder from which they are called, below ``runs``)::

    python tests/golden/record_runs.py again

What was neutralised in the files: ``hardware`` and ``platform`` (the machine's words about itself)
read "recorded". Nothing else names a machine: all paths are relative to the folder of the call.
Times (``seconds``, ``started``, optuna's ``datetime_*``) and optuna's random ``worker_id`` stayed.
Pages were made from the neutralised files.

Only the command line is used, through the script that the package installs.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import golden_record as record

HERE = Path(__file__).parent
RUNS = HERE / "runs"
_SMALL = ["--model", "cnn:4", "--limit", "400"]
_TEXTS = ["csv:reviews.csv", "--text", "review", "--label", "stars"]

COMMANDS: dict[str, list[str]] = {
    "train": ["train", "digits", "--policy", "crop + randaugment(n=1,m=5)", "--epochs", "6",
              *_SMALL],
    "compare": ["compare", "digits", "--policy", "none", "--policy", "flip-crop", "--policy",
                "randaugment(n=1,m=5)", "--seeds", "3", "--epochs", "6", "--jobs", "1", *_SMALL],
    "compare-texts": ["compare", *_TEXTS, "--policy", "none", "--policy", "aeda", "--policy",
                      "random(space=texts-plain)", "--seeds", "2", "--epochs", "3", "--model",
                      "bag-of-words", "--jobs", "1"],
    "explain": ["explain", "digits", "--space", "autoaugment", "--limit", "120"],
    "search": ["search", "digits", "--method", "randaugment(by=tpe)", "--trials", "3", "--seeds",
               "2", "--epochs", "3", *_SMALL],
    "race": ["search", "digits", "--trials", "4", "--seeds", "2", "--epochs", "2", *_SMALL],
    "audit": ["audit", "digits-correlation", "--epochs", "6", *_SMALL],
    "patch": ["patch", "digits-correlation", "--translator", "statistics", "--objective", "gdro",
              "--seeds", "2", "--epochs", "6", "--no-saliency", "--jobs", "1", *_SMALL],
}  # fmt: skip
"""By the name of the folder, what was typed before ``--out runs/NAME --quiet --json``."""

OTHERS: dict[str, list[str]] = {
    "preview": ["preview", "digits", "--policy", "trivialaugment", "--policy", "cutout(4)",
                "--examples", "2", "--draws", "2", "--out", "preview.png", "--json", "--quiet"],
    "export": ["export", "flip-crop + randaugment(n=2,m=9)", "--to", "python", "--out",
               "augment.py", "--json"],
    "report": ["report", "runs/compare", "runs/train", "--out", "both.html", "--json"],
}  # fmt: skip
"""Verbs that leave no folder of a run."""

NEUTRAL = ("hardware", "platform")
TIMES = ("seconds", "cost")
"""What is not the same twice: seconds, and seconds per example."""


def reviews() -> str:
    """A table of texts: stars follow from a word, most of the time."""
    good = ("fine", "clever", "funny", "good")
    bad = ("dull", "long", "poor", "bad")
    rows = ["review,stars"]
    for number in range(160):
        word = (bad, good)[number % 2][number // 2 % 4]
        if number % 11 == 0:
            word = (good, bad)[number % 2][number // 2 % 4]
        thing = ("film", "story", "evening", "script", "actor")[number % 5]
        rows.append(f"It is a {word} {thing} number {number} . I saw it {number // 7} times !,"
                    f"{1 + 4 * (number % 2)}")  # fmt: skip
    return "\n".join(rows) + "\n"


def command_line() -> Callable[[list[str]], None]:
    """What the installed script ``automorph`` calls."""
    (found,) = entry_points(group="console_scripts", name="automorph")
    called: Callable[[list[str]], None] = found.load()
    return called


def called(words: list[str]) -> Any:
    """One command in this process; what it printed, read as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        command_line()(words)
    return json.loads(out.getvalue())


def words_of(name: str) -> list[str]:
    """The whole command of a recorded run."""
    return [*COMMANDS[name], "--out", f"runs/{name}", "--quiet", "--json"]


def marks(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file of a folder was written, and its content."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def again(names: list[str]) -> dict[str, Any]:
    """Every command once more in the folder of the call: what it says, and which files it wrote."""
    Path("reviews.csv").write_text(reviews(), "utf-8")
    found: dict[str, Any] = {}
    for name in names:
        before = marks(Path("runs") / name)
        told = called(words_of(name))
        after = marks(Path("runs") / name)
        found[name] = {
            "json": told,
            "written": [file for file in after if before.get(file) != after[file]],
            "gone": [file for file in before if file not in after],
        }
    for name, words in OTHERS.items():
        found[name] = {"json": called(words)}
    # The code of an export is among the cases of golden_record.py.
    found["export"]["json"]["code"] = ""
    return found


def pages(names: list[str]) -> dict[str, Any]:
    """The pages of all runs made again: what the verb says, and the shares that they show."""
    found = {}
    for name in names:
        told = called(["report", f"runs/{name}", "--json"])
        page = Path("runs", name, "report.html")
        found[name] = {"json": told, "shares": shares(page.read_text("utf-8"))}
    return found


def key_paths(content: Any, at: str = "") -> Iterator[str]:
    """The paths of all keys: ``rows[].accuracy.mean``."""
    if isinstance(content, dict):
        for key, value in content.items():
            path = f"{at}.{key}" if at else key
            yield path
            yield from key_paths(value, path)
    elif isinstance(content, list):
        for value in content:
            yield from key_paths(value, f"{at}[]")


def timeless(content: Any) -> Any:
    """The content without times."""
    if isinstance(content, dict):
        return {key: timeless(value) for key, value in content.items() if key not in TIMES}
    return [timeless(value) for value in content] if isinstance(content, list) else content


class _Words(HTMLParser):
    """The words of a page, without those of scripts, styles and drawings."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.inside += tag in ("script", "style", "svg")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in ("script", "style", "svg")

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.found.append(data)


def shares(page: str) -> list[str]:
    """The numbers in per cent that a page shows, and those with two digits after the point."""
    reader = _Words()
    reader.feed(page)
    text = " ".join(" ".join(reader.found).split())
    return sorted(set(re.findall(r"[+−]?\d+(?:\.\d+)? ?%|[+−]?\d+\.\d\d\b", text)))


def neutralised(folder: Path) -> None:
    """Take the machine's words about itself out of the JSON files."""
    said = re.compile(rf'("(?:{"|".join(NEUTRAL)})": ?)"[^"]*"')
    for path in folder.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".journal", ".md"):
            text = path.read_text("utf-8")
            path.write_text(said.sub(r'\1"recorded"', text), "utf-8")


def in_process(verb: str, names: list[str], folder: Path) -> Any:
    """`again` or `pages` in a process of its own, called from a folder."""
    environment = os.environ | {
        # The very package that this process has imported, from wherever it is called.
        "PYTHONPATH": str(Path(record.automorph.__file__).resolve().parents[1]),
        "OMP_NUM_THREADS": "1", "COLUMNS": "100",
    }  # fmt: skip
    for name in ("AUTOMORPH_DATA", "AUTOMORPH_SEED"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), verb, *names],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{verb} {names} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


def write() -> None:
    """Record all runs."""
    names = list(COMMANDS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first = in_process("again", names, folder)
        neutralised(folder / "runs")
        made = in_process("pages", names, folder)
        shutil.rmtree(RUNS, ignore_errors=True)
        shutil.copytree(folder / "runs", RUNS)
        second = in_process("again", names, folder)
    cases = {}
    for name, found in first.items():
        case: dict[str, Any] = {
            "json": found["json"],
            "keys": sorted(set(key_paths(found["json"]))),
        }
        if name in COMMANDS:
            case["words"] = words_of(name)
            case["written again"] = second[name]["written"]
            case["shares"] = made[name]["shares"]
            assert timeless(second[name]["json"]) == timeless(found["json"]), name
        cases[name] = case
    for page in RUNS.glob("*/report.html"):
        if page.stat().st_size > 300_000:
            page.unlink()
    record.written("runs.json", cases)


if __name__ == "__main__":
    verb, *names = sys.argv[1:] or ["write"]
    if verb == "write":
        write()
    else:
        chosen = names or list(COMMANDS)
        print(json.dumps({"again": again, "pages": pages}[verb](chosen)))
