"""Times a function by calling it again and again; imports nothing of the package."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def seconds_per_call(run: Callable[[], Any], at_least: float = 0.02) -> float:
    """Return the time of a call, averaged over calls for at least ``at_least`` seconds."""
    calls, start = 0, time.perf_counter()
    while True:
        run()
        calls += 1
        passed = time.perf_counter() - start
        if passed >= at_least:
            return passed / calls
