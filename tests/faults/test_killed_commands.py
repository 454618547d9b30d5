"""``kill -9`` at random moments loses and repeats no finished work and keeps the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_commands.py")
KILLS = int(os.environ.get("AUTOMORPH_KILLS", "20"))


def killed(verb, folder, kills, jobs=1):
    """Run a command that is killed the given number of times, and return the outcome."""
    done = subprocess.run(
        [sys.executable, PROGRAM, verb, folder, str(kills), "0", str(jobs)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("verb", "kills"),
    [
        ("train", 3),
        *(
            pytest.param(verb, KILLS, marks=pytest.mark.slow)
            for verb in ("search", "compare", "train", "patch")
        ),
    ],
)
def test_a_command_survives_kills(verb, kills, tmp_path):
    told = killed(verb, tmp_path, kills)

    assert told["killed"] > kills / 2
    assert told["finished at the last kill"] > 0
    assert told["lost or done again"] == 0
    assert told["same result"]
    assert told["whole"]
    assert told["left behind"] == []


@pytest.mark.slow
def test_a_search_in_processes_survives_kills(tmp_path):
    told = killed("search", tmp_path, 4, jobs=2)

    assert told["lost or done again"] == 0
    assert told["same result"]
