"""Several processes learn the same as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from automorph.training.checkpoint import read_checkpoint

LAUNCHED = Path(__file__).with_name("launched_method.py")
TWO = ("-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", "--num_machines", "1",
       "--mixed_precision", "no", "--dynamo_backend", "no", "--num_cpu_threads_per_process", "1",
       "--main_process_port", "0")  # fmt: skip


def outcome(folder, launcher, method):
    done = subprocess.run(
        [sys.executable, *launcher, str(LAUNCHED), str(folder), method],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    told = [json.loads(line)["augmenter"] for line in lines]
    result = json.loads((folder / "result.json").read_text())
    return read_checkpoint(folder / "model.safetensors")[0], told, result["units"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        "uncertainty(c=3,s=2,rule=adaptive)",
        "adversarial(m=2,every=2) + mixup",
        "augmix-jsd",
        "consistency(flip-crop,ratio=2,threshold=0)",
        "tanda-tr(policy=flip-crop,passes=2)",
    ],
)
def test_two_processes_learn_what_one_would(tmp_path, method):
    (one, alone, units), (two, shared, units_too) = (
        outcome(tmp_path / name, launcher, method) for name, launcher in (("1", ()), ("2", TWO))
    )

    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=2e-3, atol=5e-4)
    assert units == units_too
    assert len(alone) == len(shared) == 3
    for a, b in zip(alone, shared, strict=True):
        numbers = {key: value for key, value in a.items() if isinstance(value, (int, float))}
        assert {key: b[key] for key in numbers} == pytest.approx(numbers, rel=2e-3)
        assert b.get("operations", {}) == pytest.approx(a.get("operations", {}), abs=2e-3)
