"""The example notebooks run, show what they promise, and print no terminal codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")
import nbformat  # noqa: E402 - it comes with nbclient

NOTEBOOKS = Path(__file__).parents[2] / "examples" / "notebooks"
FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
SHOWN = {
    "images": ("image/png", "difference from none", "Solarize"),
    "texts": (">draw 3</th>", "difference from none"),
    "patching": ("below the rest, beyond chance", "against balanced"),
}
FAST = ("texts",)


def run(path: Path, folder: Path) -> list[dict[str, Any]]:
    """The outputs of a notebook, which runs in ``folder``."""
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(folder)}}
    ).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_there_are_three_and_all_are_told_of() -> None:
    text = (NOTEBOOKS.parent / "README.md").read_text("utf-8")
    assert {path.stem for path in FILES} == set(SHOWN)
    assert all(f"(notebooks/{path.name})" in text for path in FILES)
    cells = [one for path in FILES for one in json.loads(path.read_text("utf-8"))["cells"]]
    assert not any(one.get("outputs") for one in cells)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in SHOWN]
)
def test_a_notebook_runs_and_shows_its_results(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, _path())))
    outputs = run(NOTEBOOKS / f"{name}.ipynb", tmp_path)
    text = json.dumps(outputs)
    for words in SHOWN[name]:
        assert words in text
    assert "\\u001b" not in text
    assert not [one for one in outputs if one["output_type"] in ("error", "stream")]


def _path() -> list[Path]:
    import automorph

    return [Path(automorph.__file__).parents[1]]
