"""How busy a machine was with other work while something ran.

Wall times of trainings are a fair comparison only on a machine that does nothing else. Passes,
which are counted, are the measure of cost on every machine.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import torch

_STAT, _WAITED = Path("/proc/stat"), Path("/proc/thread-self/schedstat")


class OtherWork:
    """Measures from 0 to 1 how far other processes kept the machine from the work of this thread.

    It is the share of the machine's processors that they used, or the share of the time that this
    thread waited for a processor, whichever is larger. Other trainings that run in parallel are
    other work, too.
    """

    def __init__(self) -> None:
        self._began, self._own = time.monotonic(), _own_seconds()
        self._all, self._waited = _all_seconds(), _waited_seconds()

    def share(self) -> float | None:
        """Return the share since the start; None if unknown, as with an accelerator."""
        wall, own = time.monotonic() - self._began, _own_seconds() - self._own
        everything, waited = _all_seconds(), _waited_seconds()
        if wall <= 0 or torch.accelerator.is_available():
            return None
        if everything is not None and self._all is not None:
            others = (everything - self._all - own) / wall
        elif hasattr(os, "getloadavg"):
            others = os.getloadavg()[0] - own / wall  # Of the last minute.
        else:
            return None
        share = others / (os.cpu_count() or 1)
        if waited is not None and self._waited is not None:
            share = max(share, (waited - self._waited) / wall)
        return round(min(1.0, max(0.0, share)), 3)


def _all_seconds() -> float | None:
    """Return the seconds that all processors of the machine have worked so far."""
    with suppress(OSError, ValueError):
        _, *ticks = _STAT.read_text("ascii").split("\n", 1)[0].split()
        user, nice, system, _idle, _blocked, hard, soft, stolen, *_ = map(int, ticks)
        # Stolen: what the host of a virtual machine gave to others.
        worked = user + nice + system + hard + soft + stolen
        return worked / os.sysconf("SC_CLK_TCK") if worked else None
    return None


def _waited_seconds() -> float | None:
    """Return the seconds that this thread could have worked and had no processor."""
    with suppress(OSError, ValueError, IndexError):
        return int(_WAITED.read_text("ascii").split()[1]) / 1e9
    return None


def _own_seconds() -> float:
    """Return the processor seconds of this process and of its children that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
