"""Compiled Philox words and races, identical to those of ``automorph.operations.random``."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.native.library import library


class Counters(ctypes.Structure):
    """The struct ``Counters`` of core/interface.h."""

    _fields_ = (
        ("index", ctypes.c_void_p),
        ("copy", ctypes.c_void_p),
        ("n", ctypes.c_int64),
        ("epoch", ctypes.c_uint32),
        ("stage", ctypes.c_uint32),
    )


_first_byte: Callable[[Any], ctypes.c_char] = ctypes.c_char.from_buffer


def address(array: NDArray[Any]) -> int:
    """Return the address of a C-contiguous array's data; the caller keeps the array alive."""
    try:  # many times faster than `__array_interface__`
        return ctypes.addressof(_first_byte(array))
    except (TypeError, ValueError):  # read-only, or empty
        where: int = array.__array_interface__["data"][0]
        return where


def random_bits(
    index: NDArray[np.int64],
    copy: NDArray[np.uint32],
    *,
    epoch: int,
    stage: int,
    key: NDArray[np.uint32],
    start: int,
    draws: int,
) -> NDArray[np.uint32]:
    """Generate words uint32 ``(n, draws)`` from draw ``start`` on; ``key`` is ``(2,)``."""
    loaded, variant = library()
    out = np.empty((len(index), draws), np.uint32)
    counters = Counters(address(index), address(copy), len(index), epoch, stage)
    loaded.functions.automorph_bits(
        variant,
        ctypes.byref(counters),
        ctypes.c_void_p(address(key)),
        ctypes.c_uint32(start),
        ctypes.c_uint32(draws),
        ctypes.c_void_p(address(out)),
    )
    return out


def random_race(
    index: NDArray[np.int64],
    copy: NDArray[np.uint32],
    *,
    epoch: int,
    stage: int,
    keys: NDArray[np.uint32],
    start: int,
    draws: int,
) -> NDArray[np.int16]:
    """Find each draw's name with the largest word, int16 ``(n, draws)``; ``keys`` is ``(k, 2)``."""
    loaded, variant = library()
    out = np.empty((len(index), draws), np.int16)
    counters = Counters(address(index), address(copy), len(index), epoch, stage)
    loaded.functions.automorph_race(
        variant,
        ctypes.byref(counters),
        ctypes.c_void_p(address(keys)),
        len(keys),
        ctypes.c_uint32(start),
        ctypes.c_uint32(draws),
        ctypes.c_void_p(address(out)),
    )
    return out
