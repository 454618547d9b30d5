"""Running a command twice with the same AUTOMORPH_SEED gives the same bits, except for times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

AUTOMORPH = [sys.executable, "-c", "from automorph.cli import main; main()"]
QUICK = ["--limit", "100", "--model", "cnn:8", "--epochs", "2"]
MARKED = ["digits-correlation", "--model", "cnn:8", "--epochs", "2"]
COMMANDS = {
    "train": ["train", "digits", "--policy", "randaugment + mixup", *QUICK],
    "train online": ["train", "digits", "--policy", "uncertainty", *QUICK],
    "compare": ["compare", "digits", "--policy", "none", "--policy", "random", "--seeds", "2",
                *QUICK],
    "search": ["search", "digits", "--trials", "12", "--seeds", "2", *QUICK],
    "explain": ["explain", "digits", "--limit", "100"],
    "audit": ["audit", *MARKED, "--discover"],
    "patch": ["patch", *MARKED, "--translator", "cyclegan", "--steps", "20", "--seeds", "1"],
}  # fmt: skip
CLOCKS = {"seconds", "clock", "started", "pace", "hardware", "load", "cost", "check"}


def steady(value: Any) -> Any:
    """The content of a file without times and the checksums that cover them."""
    if isinstance(value, dict):
        return {key: steady(one) for key, one in value.items() if key not in CLOCKS}
    return [steady(one) for one in value] if isinstance(value, list) else value


def content(path: Path) -> Any:
    if path.suffix == ".json":
        return steady(json.loads(path.read_text("utf-8")))
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        return {name: array.tobytes() for name, array in load_file(path).items()}
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name].tobytes() for name in arrays.files}


def files_of(folder: Path, words: list[str]) -> dict[str, Any]:
    """Run the command in an empty folder and return the files it writes."""
    folder.mkdir()
    subprocess.run(
        [*AUTOMORPH, *words, "--out", "run", "--quiet"], cwd=folder, check=True, timeout=550,
        env=os.environ | {"AUTOMORPH_SEED": "3"}, capture_output=True,
    )  # fmt: skip
    found = sorted(folder.rglob("*"))
    kinds = (".json", ".safetensors", ".npz")
    return {str(p.relative_to(folder)): content(p) for p in found if p.suffix in kinds}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_equal_to_the_bit(name: str, tmp_path: Path) -> None:
    first, again = (files_of(tmp_path / side, COMMANDS[name]) for side in ("a", "b"))
    assert first
    assert first.keys() == again.keys()
    for file in first:
        assert first[file] == again[file], file
