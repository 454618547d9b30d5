"""``python -m automorph`` is the command line."""

from __future__ import annotations

import subprocess
import sys

from automorph import __version__


def test_the_package_runs_as_a_module(tmp_path):
    run = [sys.executable, "-m", "automorph"]
    shown = subprocess.run([*run, "--version"], capture_output=True, text=True, cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, f"automorph, version {__version__}\n")
    refused = subprocess.run([*run, "frobnicate"], capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 2
    assert "Usage: automorph " in refused.stderr
