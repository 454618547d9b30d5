"""Positions hashed to uniform numbers, for splits and marks."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def hashed(stream: str, index: NDArray[np.int64], *, seed: int) -> NDArray[np.uint64]:
    """Hash positions to uniform 64-bit numbers: a pure function of (seed, stream, index).

    SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014) started
    at a BLAKE2b hash of seed and stream.
    """
    start = np.frombuffer(_digest(f"{seed}/{stream}"), dtype="<u8")
    z = start + (index.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()
