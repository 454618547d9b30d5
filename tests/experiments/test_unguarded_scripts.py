"""A script without a main guard is refused with advice, instead of waiting for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

UNGUARDED = """
import automorph
from automorph.training import as_task

task = as_task("digits", model="cnn:4", recipe={"epochs": 1})
automorph.compare(task, ["none", "flip-crop"], seeds=1, jobs=2, progress=False)
"""
IN_A_FOLDER = UNGUARDED.replace("progress=False", "progress=False, folder='kept'")
READS = """
from automorph.data import load_data

images = load_data("folder:images", size=16, decoders=2, on_demand=True)
list(images.train.data[:2])
"""


@pytest.mark.parametrize(
    "script", [UNGUARDED, IN_A_FOLDER, READS], ids=["trains", "keeps", "reads"]
)
def test_a_script_without_a_guard_is_refused(script: str, tmp_path: Path) -> None:
    from PIL import Image

    for label in ("a", "b"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (16, 16), (number, 9, 9)).save(
                tmp_path / "images" / label / f"{label}{number}.png"
            )
    (tmp_path / "own_work.py").write_text(script)
    ended = subprocess.run(
        [sys.executable, "own_work.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert 'if __name__ == "__main__":' in ended.stderr
    assert "starts its work again in each of its worker processes" in ended.stderr
    assert "leaked" not in ended.stderr
