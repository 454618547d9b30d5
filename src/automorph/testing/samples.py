"""Small examples for the kits: images, texts, vectors, and a task that trains in a moment."""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import limited, load_data, split, strings
from automorph.operations import Domain, SearchSpace
from automorph.text import Corpus

if TYPE_CHECKING:
    from automorph.training import Task

_TEXTS = (
    "The film was not good, but the music made up for it.",
    "I don't think that anybody will watch this twice!",
    "A quiet story. It takes its time. It is worth yours.",
    "The old captain sailed a small boat across the wide bay.",
    "Two children found a key under the stone near the gate.",
    "Nobody knew why the train stopped between the stations.",
    "Her letter arrived late, yet it answered every question.",
    "Ten",
)


def example_images(
    n: int = 8, *, height: int = 24, width: int = 32, channels: int = 3, seed: int = 0
) -> NDArray[np.uint8]:
    """Make images uint8 ``(n, H, W, C)`` in turn of noise, three levels, one level, and waves.

    >>> example_images(4).shape
    (4, 24, 32, 3)
    """
    rng = np.random.default_rng(seed)
    shape = (height, width, channels)
    wave = np.add.outer(np.linspace(0, 3, height), np.linspace(0, 2, width))[..., None]
    kinds = (
        lambda: rng.integers(0, 256, shape, dtype=np.uint8),
        lambda: rng.choice(rng.integers(0, 256, 3, dtype=np.uint8), shape),
        lambda: np.full(shape, rng.integers(0, 256), np.uint8),
        lambda: (127.5 + 120 * np.sin(wave + rng.uniform(0, 6, channels))).astype(np.uint8),
    )
    return np.stack([kinds[i % len(kinds)]() for i in range(n)])


def example_texts() -> NDArray[Any]:
    """Return short English texts, NumPy's ``StringDType`` ``(8,)``."""
    return strings(list(_TEXTS))


def examples_of(domain: Domain) -> NDArray[Any]:
    """Return a batch of eight examples of a domain."""
    if domain == "text":
        return example_texts()
    if domain == "vector":
        return np.random.default_rng(0).uniform(-0.5, 0.5, (8, 2))
    return example_images()


def fitted_space(space: SearchSpace) -> SearchSpace:
    """Fit text operations that are not fitted yet to the example texts."""
    if space.domain != "text" or all(one.corpus is not None for one in space):
        return space
    return space.fitted(_corpus())


@cache
def _corpus() -> Corpus:
    return Corpus(list(_TEXTS))


@cache
def small_task(epochs: int = 2, *, examples: int = 60) -> Task:
    """Make a task that trains in a tenth of a second: some of the digits, and a narrow network.

    It has 60 validation examples and a test part.

    >>> small_task().data.sizes["train"]
    60
    """
    from automorph.training import Recipe, make_task

    whole = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
    data = limited(whole, examples)
    data = data.replace(validation=data.parts["validation"].take(np.arange(60)))
    recipe = Recipe(epochs=epochs, batch_size=20, lr=0.05, precision="fp32")
    return make_task(data, model="cnn:4", recipe=recipe)


@contextmanager
def other_global_randomness(seed: int) -> Iterator[None]:
    """Seed the global generators of Python, NumPy and torch (if imported); restore them after."""
    python, numpy = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    state = torch.random.get_rng_state() if torch else None
    random.seed(seed)
    np.random.seed(seed)
    if torch:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        if torch and state is not None:
            torch.random.set_rng_state(state)


def global_randomness() -> dict[str, bytes]:
    """Return the states of the global generators, to compare them before and after a call."""
    states: dict[str, Any] = {"random": random.getstate(), "numpy.random": np.random.get_state()}
    if torch := sys.modules.get("torch"):
        states["torch"] = torch.random.get_rng_state().tolist()
    return {name: pickle.dumps(state) for name, state in states.items()}


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread: sums are then taken in the same order every time."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
