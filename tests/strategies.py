"""Hypothesis strategies: images of any size, search spaces, sequences and streams."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from automorph.operations import (
    CATALOGUE,
    NOTHING,
    SearchSpace,
    Sequences,
    Stream,
    list_spaces,
    named_space,
)

# The same examples on every run, no files left behind, and no deadline on a busy machine.
settings.register_profile(
    "automorph", max_examples=60, derandomize=True, database=None, deadline=None
)
settings.load_profile("automorph")

IMAGE_SPACES = tuple(name for name in list_spaces() if named_space(name).domain == "image")
magnitudes = st.floats(0, 1, width=32)


@st.composite
def images(
    draw: st.DrawFn,
    n: int | None = None,
    *,
    most: int = 5,
    sides: tuple[int, int] = (1, 40),
    channels: tuple[int, ...] = (1, 3, 4),
) -> NDArray[np.uint8]:
    """uint8 ``(n, H, W, C)``: noise, few levels, flat, or smooth; sizes differ along x and y."""
    count = draw(st.integers(1, most)) if n is None else n
    height, width = draw(st.integers(*sides)), draw(st.integers(*sides))
    shape = (count, height, width, draw(st.sampled_from(channels)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(("noise", "levels", "flat", "smooth")))
    if kind == "noise":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if kind == "levels":
        return rng.choice(rng.integers(0, 256, 3, dtype=np.uint8), shape)
    if kind == "flat":
        return np.ascontiguousarray(np.broadcast_to(rng.integers(0, 256, dtype=np.uint8), shape))
    wave = np.add.outer(np.linspace(0, 3, height), np.linspace(0, 2, width))[None, :, :, None]
    phases = rng.uniform(0, 6, (count, 1, 1, shape[3]))
    return (127.5 + 120 * np.sin(wave + phases)).astype(np.uint8)


@st.composite
def spaces(draw: st.DrawFn, *, partners: bool = True) -> SearchSpace:
    """A named image space, or some operations of the catalogue in any order."""
    if draw(st.booleans()):
        space = named_space(draw(st.sampled_from(IMAGE_SPACES)))
        operations = space.operations
    else:
        operations = tuple(draw(st.permutations(CATALOGUE))[: draw(st.integers(1, 8))])
    kept = [operation for operation in operations if partners or not operation.partner]
    return SearchSpace("drawn", tuple(kept or CATALOGUE[:1]))


@st.composite
def sequences(draw: st.DrawFn, n: int, space: SearchSpace, *, most: int = 4) -> Sequences:
    """``n`` sequences of up to ``most`` operations; some positions are empty or do not fire."""
    length = draw(st.integers(0, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    op = rng.integers(NOTHING, len(space), (n, length))
    extreme = rng.random(op.shape) < 0.2
    magnitude = np.where(extreme, rng.integers(0, 2, op.shape), rng.random(op.shape))
    return Sequences.of(op, magnitude, rng.random(op.shape) < 0.8)


@st.composite
def streams(draw: st.DrawFn, n: int) -> Stream:
    """A stream of ``n`` distinct examples."""
    first = draw(st.integers(0, 2**31))
    index = np.random.default_rng(first).permutation(3 * n)[:n] + first
    return Stream(
        seed=draw(st.integers(0, 2**32)),
        epoch=draw(st.integers(0, 1000)),
        index=index,
        copy=draw(st.integers(0, 100)),
    )


@st.composite
def batches(
    draw: st.DrawFn,
    *,
    most: int = 5,
    partners: bool = True,
    sides: tuple[int, int] = (1, 40),
) -> tuple[NDArray[np.uint8], Sequences, SearchSpace, Stream]:
    """All arguments of ``automorph.engine.apply``."""
    batch = draw(images(most=most, sides=sides))
    space = draw(spaces(partners=partners))
    return batch, draw(sequences(len(batch), space)), space, draw(streams(len(batch)))
