"""No operation reads outside the batch: here the pages beside it cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CHILD = """
import ctypes, mmap
from itertools import product

import numpy as np
from automorph.errors import UsageError
from automorph.operations import OPERATIONS, SearchSpace
from automorph.policies import Mixture, Step

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int


def guarded(shape, at_end):
    # An array that ends where a page begins that cannot be read, or begins where one ends.
    size = int(np.prod(shape))
    room = -(-size // PAGE) * PAGE
    memory = mmap.mmap(-1, room + 2 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for place in (start, start + PAGE + room):
        assert libc.mprotect(place, PAGE, 0) == 0
    first = PAGE + room - size if at_end else PAGE
    return np.frombuffer(memory, np.uint8, size, first).reshape(shape), memory


rng = np.random.default_rng(0)
for channels in (1, 3, 4):
    for height, width in ((9, 33), (20, 64), (7, 101)):
        for at_end in (True, False):
            images, _ = guarded((3, height, width, channels), at_end)
            images[:] = rng.integers(0, 256, images.shape, np.uint8)
            for name, operation in OPERATIONS.items():
                print(name, images.shape, at_end, flush=True)
                space = SearchSpace(name, (operation,))
                for magnitude, mode in product((0.1, 0.8), ("nearest", "bilinear")):
                    steps = ((Step(name, 1.0, magnitude),),)
                    policy = Mixture(label=name, operations=space, subpolicies=steps)
                    try:
                        policy.rendered(interpolation=mode).augment(images, epoch=0, threads=1)
                    except UsageError:  # It mixes labels, and there are none.
                        break
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="pages are closed as on Linux")
def test_nothing_beside_the_batch_is_read(variant: str) -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=False,
        env={**os.environ, "AUTOMORPH_ENGINE": variant},
    )  # fmt: skip
    assert child.stdout.endswith("done\n"), (
        child.stdout.splitlines()[-1:] + child.stderr.splitlines()
    )
