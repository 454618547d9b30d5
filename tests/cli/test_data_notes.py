"""What is decided about a user's data is shown on the terminal, in the record and in the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from automorph.cli import main


@pytest.mark.parametrize(
    ("words", "record"),
    [
        (["audit", "--predictions", "guess", "--subgroup", "site", "--label", "label"],
         "audit.json"),
        (["train", "--policy", "aeda", "--epochs", "1", "--model", "bag-of-words"], "report.json"),
    ],
)  # fmt: skip
def test_notes_are_shown_everywhere(
    words: list[str], record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"text {i},{i % 2}{'.0' if i > 40 else ''},{'ab'[i // 2 % 2]},{i % 2}" for i in range(80)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,site,guess", *rows]), "utf-8")
    verb, *options = words

    main([verb, f"csv:{tmp_path / 'a.csv'}", *options, "--out", str(tmp_path / "run")])

    places = {
        "terminal": capsys.readouterr().err,
        "record": (tmp_path / "run" / record).read_text("utf-8"),
        "report": (tmp_path / "run" / "report.html").read_text("utf-8"),
    }
    for note in ("compared as values", "text column: "):
        assert [place for place, content in places.items() if note not in content] == []
