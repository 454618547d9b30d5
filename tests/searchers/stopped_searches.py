"""Run a search from the command line until its N-th progress report, then wait for a signal.

A separate program, so that the signal is a real one. Usage: stopped_searches.py N WORDS..
"""

from __future__ import annotations

import signal
import sys
import time

import torch

from automorph.cli import main
from automorph.searchers import runner

torch.set_num_threads(1)
# Tests that a shell runs in the background would pass on that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
stop, *words = sys.argv[1:]
shown = runner.SearchRunner._show
reports = 0


def wait_at(self, *given, **options):
    """Report, and wait at the wanted place."""
    global reports
    shown(self, *given, **options)
    reports += 1
    if reports == int(stop):
        print("waiting", flush=True)
        time.sleep(120)


runner.SearchRunner._show = wait_at
main(words)
