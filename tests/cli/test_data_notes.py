"""What is decided about a user's data is shown on the terminal, in the record and in the report."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from automorph.cli import main
from automorph.data import load_data, split

QUICK = ["--epochs", "1", "--seeds", "2", "--jobs", "1"]
VERBS = {
    "train": ["--epochs", "1"],
    "compare": ["--policy", "none", *QUICK],
    "search": ["--method", "randaugment(by=tpe)", "--trials", "1", *QUICK],
    "patch": ["--translator", "none", "--objective", "balanced", "--no-saliency", *QUICK],
    "audit": ["--epochs", "1"],
    "explain": [],
}
"""Every verb that writes a folder, with the options of a quick run."""
ALONE = set(VERBS) - {"patch", "audit"}
"""The verbs that need no subgroups, which class folders lack."""
MODELLED = set(VERBS) - {"explain"}


def odd_table(folder: Path) -> list[str]:
    """Texts with labels in two forms, guessed columns, and an empty label."""
    rows = [f"text {i},{i % 2}{'.0' if i > 40 else ''},{'ab'[i // 2 % 2]}" for i in range(80)]
    path = folder / "odd.csv"
    path.write_text("\n".join(["text,label,site", *rows, "no label,,a"]), "utf-8")
    return [f"csv:{path}", "--subgroup", "site", "--skip-bad"]


def odd_folder(folder: Path) -> list[str]:
    """Images with stray files, a copy, and a folder named like a part with more words."""
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        for number in range(24):
            pixels = rng.integers(0, 256, (8, 8), dtype=np.uint8)
            path = folder / "photos" / name / "deeper" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    (folder / "photos" / "cats" / "copy.png").write_bytes(path.read_bytes())
    (folder / "photos" / "cats" / "labels.txt").write_text("stray")
    (folder / "photos" / "loose.png").write_bytes(path.read_bytes())
    return [f"folder:{folder / 'photos'}"]


SOURCES = {"table": (odd_table, "bag-of-words"), "folder": (odd_folder, "cnn:2")}
CASES = [
    (verb, source) for verb in VERBS for source in SOURCES if source == "table" or verb in ALONE
]


def run(verb: str, source: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a verb on an odd source; return what it wrote to the terminal."""
    make, model = SOURCES[source]
    words = [verb, *make(folder), *VERBS[verb], "--out", str(folder / "run")]
    main([*words, *(["--model", model] if verb in MODELLED else [])])
    return capsys.readouterr().err


def recorded(folder: Path, verb: str) -> tuple[str, ...]:
    """Return the notes in the record of a run."""
    if verb in ("train", "compare", "search"):
        return tuple(json.loads((folder / "run.json").read_text("utf-8"))["data"]["notes"])
    record = json.loads((folder / f"{verb}.json").read_text("utf-8"))
    return tuple((record if verb == "explain" else record["provenance"])["data_notes"])


@pytest.mark.parametrize(("verb", "source"), CASES)
def test_every_verb_shows_the_notes_in_three_places(
    verb: str, source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = run(verb, source, tmp_path, capsys)

    data, *options = SOURCES[source][0](tmp_path)
    subgroup = "site" if "--subgroup" in options else None
    loaded = load_data(data, subgroup=subgroup, skip_bad="--skip-bad" in options)
    notes = split(loaded, seed=0).notes
    assert len(notes) > 4
    assert recorded(tmp_path / "run", verb)[: len(notes)] == notes
    report = unescape((tmp_path / "run" / "report.html").read_text("utf-8"))
    places = {"terminal": terminal, "report": report}
    for note in notes:
        assert [place for place, content in places.items() if note not in content] == []


@pytest.mark.parametrize("source", SOURCES)
def test_preview_shows_the_notes(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Its result is a picture, or a page of texts: of them, only a page has room for notes.
    out = tmp_path / ("shown.html" if source == "table" else "shown.png")
    policy = "aeda" if source == "table" else "flip-crop"
    words = ["preview", *SOURCES[source][0](tmp_path), "--policy", policy, "--out", str(out)]

    main(words)
    terminal = capsys.readouterr().err
    main([*words, "--json"])
    with_json = capsys.readouterr()

    assert json.loads(with_json.out)["picture"] == str(out)
    data, *options = SOURCES[source][0](tmp_path)
    notes = load_data(
        data, subgroup="site" if options else None, skip_bad="--skip-bad" in options
    ).notes
    assert len(notes) > 2
    assert [note for note in notes if note not in terminal or note not in with_json.err] == []
    if source == "table":
        page = unescape(out.read_text("utf-8"))
        assert [note for note in notes if note not in page] == []


def test_a_training_that_an_older_version_began_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("train", "table", tmp_path, capsys)
    file = tmp_path / "run" / "run.json"
    record = json.loads(file.read_text("utf-8"))
    del record["data"]
    file.write_text(json.dumps(record), "utf-8")

    assert "Checkpoint:" in run("train", "table", tmp_path, capsys)
