"""Several processes train the same network as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from automorph.training.checkpoint import read_checkpoint

LAUNCHED = Path(__file__).with_name("launched_run.py")
TWO = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone")


def result(folder, launcher, *arguments):
    done = subprocess.run(
        [sys.executable, *launcher, str(LAUNCHED), str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return read_checkpoint(folder / "model.safetensors")[0], json.loads(
        (folder / "result.json").read_text()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("trivialaugment + mixup",),
        ("trivialaugment", "2"),
        ("trivialaugment", "1", "muon"),
        ("trivialaugment", "2", "sgd", "sampler"),
        ("mixup", "1", "sgd", "loss"),
    ],
    ids=["examples of the whole batch meet", "a step in two passes", "muon", "sampler", "loss"],
)
def test_two_processes_train_what_one_would(arguments, tmp_path):
    (one, alone), (two, shared) = (
        result(tmp_path / name, words, *arguments) for name, words in (("1", ()), ("2", TWO))
    )

    assert json.loads((tmp_path / "2" / "run.json").read_text())["facts"]["processes"] == 2
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=2e-3, atol=2e-4)
    assert shared["units"] == alone["units"]
    assert shared["accuracy"] == pytest.approx(alone["accuracy"], abs=0.005)
    assert shared["loss"] == pytest.approx(alone["loss"], rel=1e-3)
