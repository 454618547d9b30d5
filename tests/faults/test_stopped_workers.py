"""Ctrl-C while workers start: the parent stops them, and only the parent prints a message."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automorph.errors import UsageError
from automorph.experiments.workers import Workers

PROGRAM = Path(__file__).with_name("stopped_workers.py")


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no signals are masked here")
def test_workers_that_start_are_stopped_without_a_word(tmp_path):
    started = subprocess.Popen(
        [sys.executable, PROGRAM], env={**os.environ, "STOPPED_WORKERS": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # Whoever started the tests in the background lets them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(started.pid, signal.SIGINT)  # Like a terminal: send it to all processes.
    out, error = started.communicate(timeout=60)

    assert out == "stopped\n"
    assert error == ""
    assert started.returncode == 0


def test_what_cannot_be_sent_is_told():
    with (
        Workers(2, print, (lambda: None,)) as workers,
        pytest.raises(UsageError, match=r"cannot be sent to other processes .*, or use jobs=1"),
    ):
        list(workers.run(print, [()]))
