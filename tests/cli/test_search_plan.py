"""A search with a budget of time prints the command that repeats it, and that command does."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from automorph.cli import main
from automorph.searchers import planning

SEARCH = ["search", "digits", "--limit", "60", "--model", "cnn:4", "--epochs", "1", "--method",
          "random", "--controls", "all", "--seeds", "2-3", "--budget", "1m"]  # fmt: skip


def timeless(content: Any) -> Any:
    if isinstance(content, dict):
        apart = ("seconds", "policy", "report")
        return {name: timeless(content[name]) for name in content if name not in apart}
    return [timeless(one) for one in content] if isinstance(content, list) else content


def test_the_printed_command_repeats_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planning, "_seconds_per_run", lambda *arguments: 2.0)
    here = ["--engine", "local", "--out", "first", "--jobs=1"]
    main([*SEARCH, *here])
    shown = " ".join(capsys.readouterr().err.split())
    kept = json.loads((tmp_path / "first" / "run.json").read_text())["search"]
    plan, repeat = kept["plan"], kept["repeat"]
    assert f"Plan for 1m: {plan['trials']} trials" in shown
    assert f"To repeat this search exactly: {repeat}" in shown
    assert repeat == (
        "automorph search digits --limit 60 --model cnn:4 --epochs 1 --method random "
        f"--controls all --trials {plan['trials']} --seeds {plan['seeds']} "
        f"--longer {plan['longer']}"
    )
    assert repeat in (tmp_path / "first" / "report.html").read_text("utf-8")
    assert plan["seeds"] == 2  # Of the three that were allowed.

    monkeypatch.setattr(planning, "_seconds_per_run", None)
    main([*shlex.split(repeat)[1:], "--engine", "local", "--out", "second"])
    first, second = (
        json.loads((tmp_path / name / "search.json").read_text()) for name in ("first", "second")
    )
    assert timeless(first) == timeless(second)
    assert "To repeat" not in capsys.readouterr().err
