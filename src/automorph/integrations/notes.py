"""Notes: what an integration guesses, leaves out or repeats, shown where the user looks.

Every note of the integrations is made here. It is a ``UserWarning`` that names the user's line.
What a worker of a loader prints is lost in notebooks and logs, so the main process repeats it.
"""

from __future__ import annotations

import os
import sys
import warnings
import weakref

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

_ROOM = 2000
"""Bytes of a note that reach the main process."""
_INSIDE = ("automorph.", "torch.")


def note(message: str) -> None:
    """Show a note, with the line outside Automorph and torch from which it came."""
    level = 1
    frame = sys._getframe(0)
    while frame.f_back is not None and f"{frame.f_globals['__name__']}.".startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


class Notes:
    """The notes of an object that workers of a loader use, each kind shown once.

    The text of a worker's note is in shared memory. The main process repeats it in `relay`, and at
    the latest when the object is deleted or the program ends.

    >>> Notes().relay()
    """

    def __init__(self) -> None:
        self._text = torch.zeros(_ROOM, dtype=torch.uint8)
        self._text.share_memory_()  # type: ignore[no-untyped-call]
        weakref.finalize(self, _relay, self._text, os.getpid())

    def add(self, message: str) -> None:
        """Show a note, in a worker also in the main process."""
        note(message)  # If warnings are errors, the loader itself carries this to the main process.
        if get_worker_info() is not None:
            text = message.encode()[:_ROOM]
            self._text[: len(text)] = torch.frombuffer(bytearray(text), dtype=torch.uint8)

    def relay(self) -> None:
        """Repeat a worker's note in the main process."""
        if get_worker_info() is None:
            _relay(self._text)


def _relay(cells: Tensor, process: int | None = None) -> None:
    if not int(cells[0]) or process not in (None, os.getpid()):
        return
    text = bytes(cells.tolist()).rstrip(b"\0").decode(errors="ignore")
    cells.zero_()
    note(f"{text} (from a worker of the loader)")
