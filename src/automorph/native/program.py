"""The program of a batch of images, passed to the compiled library in one call."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_int64
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from automorph.errors import AutomorphError
from automorph.native.library import library
from automorph.native.random import address

BLACK_BOX = -1
SIGNED, WHOLE, SHARE, NEUTRAL = 1, 2, 4, 8


class OperationRow(ctypes.Structure):
    """One operation of a space, as declared in core/interface.h.

    The value of magnitude ``m`` is ``base + m * plus``, or ``base + m * minus`` for the other sign.
    """

    _fields_ = (
        ("kernel", ctypes.c_int32),
        ("flags", ctypes.c_int32),
        ("base", ctypes.c_double),
        ("plus", ctypes.c_double),
        ("minus", ctypes.c_double),
        ("identity", ctypes.c_double),
        ("paint", ctypes.c_uint8 * 8),
    )


class _Batch(ctypes.Structure):
    _fields_ = (
        *(
            (name, ctypes.c_void_p)
            for name in (
                "images", "out", "op", "magnitude", "fire", "operations", "index", "copy",
                "position",
            )
        ),
        ("n", ctypes.c_int64),
        *(
            (name, ctypes.c_int32)
            for name in ("length", "operation_count", "height", "width", "channels")
        ),
        ("epoch", ctypes.c_uint32),
        ("key", ctypes.c_uint32 * 2),
        ("fill", ctypes.c_uint8 * 4),
        *((name, ctypes.c_int32) for name in ("bilinear", "fused", "prefixes", "outside")),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Program:
    """A batch of images and their sequences; all arrays are C-contiguous.

    ``images`` uint8 ``(n, H, W, C)``; ``op`` int16, ``magnitude`` float32 and ``fire`` bool, each
    ``(n, L)``; ``index`` int64 and ``copy`` uint32, each ``(n,)``; ``operations``: those of the
    space; ``fill`` uint8 ``(C,)``; ``key``: the two key words of the stream ``op``; ``outside``:
    a number of `Outside` in core/interface.h.
    """

    images: NDArray[np.uint8]
    op: NDArray[np.int16]
    magnitude: NDArray[np.float32]
    fire: NDArray[np.bool_]
    operations: ctypes.Array[OperationRow]
    index: NDArray[np.int64]
    copy: NDArray[np.uint32]
    fill: NDArray[np.uint8]
    key: tuple[int, int]
    epoch: int = 0
    bilinear: bool = False
    fused: bool = False
    prefixes: bool = False
    outside: int = 0

    def new_result(self) -> NDArray[np.uint8]:
        """Allocate the result: like ``images``, or ``(n, L + 1, H, W, C)`` with prefixes."""
        n, *shape = self.images.shape
        return np.empty(
            (n, self.op.shape[1] + 1, *shape) if self.prefixes else (n, *shape), np.uint8
        )


def walk(
    program: Program,
    out: NDArray[np.uint8],
    *,
    position: NDArray[np.int32] | None = None,
    threads: int = 1,
) -> bool:
    """Run every image's sequence; return True if all have reached the end.

    ``position`` int32 ``(n,)`` is where each image resumes (from ``out``, or from ``images`` at 0).
    It is updated to where the walk stopped: before an operation whose kernel is ``BLACK_BOX``, or
    at ``L``. An image that stops at 0 is not yet in ``out``, unless there are prefixes. It may be
    omitted if there is no such operation.
    """
    loaded, variant = library()
    n, height, width, channels = program.images.shape
    batch = _Batch(
        address(program.images),
        address(out),
        address(program.op),
        address(program.magnitude),
        address(program.fire),
        ctypes.addressof(program.operations),
        address(program.index),
        address(program.copy),
        None if position is None else address(position),
        n,
        program.op.shape[1],
        len(program.operations),
        height,
        width,
        channels,
        program.epoch,
        program.key,
        tuple(program.fill.tolist()),
        program.bilinear,
        program.fused,
        program.prefixes,
        program.outside,
    )
    function = loaded.functions.automorph_walk
    pointer = ctypes.byref(batch)

    # Use more parts than threads: on a busy machine some threads get less time than others.
    parts = 1 if threads == 1 or program.images.nbytes < _WORTH_THREADS else min(n, 4 * threads)
    waiting = deque(range(parts))
    states: list[int] = []

    def work() -> None:
        while waiting:
            try:
                number = waiting.popleft()
            except IndexError:  # another thread took the last part
                return
            first, last = n * number // parts, n * (number + 1) // parts
            states.append(function(variant, pointer, c_int64(first), c_int64(last)))

    others = [_pool(threads).submit(work) for _ in range(min(threads, parts) - 1)]
    work()
    for other in others:
        other.result()
    if min(states) < 0:
        raise AutomorphError(FAILURES[min(states)])
    return max(states) == 0


_WORTH_THREADS = 1 << 16
"""Smaller batches, in bytes, finish before a second thread would have started."""

FAILURES = {
    -1: "the compiled engine could not allocate scratch memory (two images per thread); use "
    "smaller images or fewer threads",
    -2: "sequences use an operation number outside the search space; sample them from this space",
}


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="automorph")


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork, so the child starts its own on demand.
    os.register_at_fork(after_in_child=_pool.cache_clear)
