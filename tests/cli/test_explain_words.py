"""What explain says in the terminal beside its table."""

from __future__ import annotations

import csv

from automorph.cli import main


def test_the_terminal_says_why_it_cannot_tell_and_what_the_features_are(tmp_path, capsys):
    rows = [(f"a {('dull', 'fine')[k % 2]} film, number {k}", "ab"[k % 2]) for k in range(60)]
    with (tmp_path / "texts.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("message", "topic"), *rows])
    words = ["explain", f"csv:{tmp_path / 'texts.csv'}", "--text", "message", "--label", "topic"]
    main([*words, "--space", "texts-plain", "--out", str(tmp_path / "run")])
    said = " ".join(capsys.readouterr().err.split())
    assert "features: words and word pairs" in said
    assert "Cannot tell about 6 operations: too few examples (36; 50" in said
