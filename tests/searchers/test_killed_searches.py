"""``kill -9`` at random moments: no trial is lost or run twice, and the result is the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_searches.py")


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_search_survives_kills(kills, tmp_path):
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path, str(kills), "0"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)

    assert told["killed"] > kills / 2
    assert told["kept at the last kill"] > 0
    assert told["lost"] == told["again"] == told["twice"] == 0
    assert told["same"]
    assert told["same trials"]
