"""The README works verbatim: its Python runs, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

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


def test_links_lead_somewhere():
    for link in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (README.parent / link).exists(), link
