"""A jumping clock changes nothing; two processes on one run folder detect each other."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from killed_commands import program, timeless

from automorph.data import limited, load_data, split
from automorph.errors import UsageError
from automorph.experiments import compare
from automorph.files import folder_lock
from automorph.robustness import patch
from automorph.searchers import search
from automorph.training import Recipe, make_task, train

torch.set_num_threads(1)
VERBS = ("train", "compare", "search", "patch")
RECIPE = Recipe(epochs=1, batch_size=32, lr=0.05, precision="fp32")


def command(verb, folder, **environment):
    return subprocess.run(
        program(verb, folder),
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_is_held_by_one_process(verb, tmp_path):
    data = limited(split(load_data("digits"), seed=0), 40)
    task = make_task(data, model="cnn:2", recipe=RECIPE)
    marked = make_task(split(load_data("digits-correlation")), model="cnn:2", recipe=RECIPE)
    calls = {
        "train": lambda: train(task, folder=tmp_path),
        "compare": lambda: compare(task, ["none"], seeds=1, folder=tmp_path),
        "search": lambda: search(task, "random", trials=1, seeds=1, folder=tmp_path),
        "patch": lambda: patch(marked, translator="none", seeds=1, folder=tmp_path),
    }
    with folder_lock(tmp_path), pytest.raises(UsageError, match="another process is using"):
        calls[verb]()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_two_commands_at_once(verb, tmp_path):
    """One process succeeds, the other reports why it cannot; the result is that of one process."""
    both = [
        subprocess.Popen(
            program(verb, tmp_path / "run"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate() for process in both]
    codes = sorted(process.returncode for process in both)
    straight = command(verb, tmp_path / "straight")
    results = [json.loads(out.splitlines()[-1]) for out, _ in ends]
    good = [timeless(result) for result in results if "error" not in result]

    assert codes in ([0, 2], [0, 0])  # The second may start once the first has finished.
    assert all(result == timeless(json.loads(straight.stdout.splitlines()[-1])) for result in good)
    if codes == [0, 2]:
        assert any("another process is using" in said for _, said in ends)
    assert not list((tmp_path / "run").glob("**/.lock"))


@pytest.fixture(scope="module")
def jumping(tmp_path_factory):
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("a clock that jumps needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("clock") / "jumping_clock.so"
    source = Path(__file__).with_name("jumping_clock.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", source, "-o", library], check=True)
    return str(library)


def test_the_clock_does_jump(jumping):
    looks = "import time; t = [time.time() for _ in range(400)]; print(max(t) - min(t))"
    said = subprocess.run(
        [sys.executable, "-c", looks], env={**os.environ, "LD_PRELOAD": jumping},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(said.stdout) > 700 * 86400


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_a_clock_that_jumps_changes_nothing(verb, jumping, tmp_path):
    found = command(verb, tmp_path / "jumping", LD_PRELOAD=jumping)
    again = command(verb, tmp_path / "jumping", LD_PRELOAD=jumping)
    straight = command(verb, tmp_path / "straight")

    assert found.returncode == again.returncode == straight.returncode == 0, found.stderr[-2000:]
    results = [json.loads(done.stdout.splitlines()[-1]) for done in (found, again, straight)]
    assert timeless(results[0]) == timeless(results[1]) == timeless(results[2])
    told = [file.read_text("utf-8") for file in (tmp_path / "jumping").rglob("*.json*")]
    seconds = [
        float(found) for text in told for found in re.findall(r'"seconds": ([-\d.e]+)', text)
    ]
    assert seconds
    assert 0 <= min(seconds) <= max(seconds) < 3600
