"""Every example runs unchanged and is listed in the README."""

from __future__ import annotations

import runpy
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
NEEDS = {"with_lightning": "lightning", "with_transformers": "transformers"}


def test_there_are_examples_and_all_are_told_of():
    text = (EXAMPLES / "README.md").read_text()
    assert len(FILES) >= 6
    assert all(f"[{path.name}]({path.name})" in text for path in FILES)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_runs(path, tmp_path, monkeypatch, capsys):
    needed = NEEDS.get(path.stem)
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(path), run_name="__main__")
    assert names["__doc__"]
    said = capsys.readouterr().out
    assert said or needed == "lightning"
    assert not list(tmp_path.iterdir())
