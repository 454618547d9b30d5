"""The README works verbatim: its Python runs and its commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.filterwarnings("ignore")
def test_the_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("albumentations", reason="automorph[albumentations] is not installed")
    names: dict[str, object] = {"__name__": "readme"}
    found = blocks("python")
    assert len(found) >= 6
    for number, code in enumerate(found, 1):
        exec(compile(code, f"README.md, example {number}", "exec"), names)
    assert names["accuracy"] > 0.5
    assert len(names["moved"].boxes[0]) == 1
    assert names["photos"][:4]["image"][0].size == (8, 8)
    assert names["data"][0][0].shape == (8, 8, 1)
    assert "A.Compose" in names["code"]


def test_integrations_are_short():
    """Ten lines each, except the loop, which includes its own data and network."""
    first, *others = blocks("python")
    assert len([line for line in first.splitlines() if line.strip()]) <= 20
    assert all(len([x for x in code.splitlines() if x.strip()]) <= 10 for code in others)


def test_the_commands_exist():
    from automorph.cli import app

    text = "\n".join(blocks("bash")).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("automorph ")]
    assert len(lines) > 8
    for line in lines:
        verb, *words = shlex.split(line, comments=True)[1:]
        command = app.commands[verb]
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        used = {word for word in words if word.startswith("--")}
        assert used <= known, line
        assert isinstance(command, click.Command)


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (README.parent / link).exists(), link
