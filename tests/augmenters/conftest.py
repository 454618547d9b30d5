"""A small real task, and its raw batches as the training loop passes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automorph.data import Dataset, limited, load_data, split
from automorph.training import RawBatch, Recipe, make_task

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_digits() -> Dataset:
    """100 training, 60 validation and 60 test examples of the digits."""
    whole = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
    rows = np.arange(60)
    return limited(whole, 100).replace(
        validation=whole.parts["validation"].take(rows), test=whole.parts["test"].take(rows)
    )


@pytest.fixture
def task(small_digits):
    """Three quick epochs of a narrow network."""
    recipe = Recipe(epochs=3, batch_size=25, lr=0.05, precision="fp32")
    return make_task(small_digits, model="cnn:4", recipe=recipe)


@pytest.fixture
def raw_batch(task):
    """Return a function that builds the raw batch of some examples."""

    def make(n=12, *, epoch=0, step=0, seed=0):
        part = task.data.train
        index = np.arange(n)
        return RawBatch(
            examples=part.data[index],
            labels=np.eye(task.classes, dtype=np.float32)[part.labels[index]],
            index=index,
            seed=seed,
            epoch=epoch,
            step=step,
            encoder=task.encoder,
        )

    return make


@pytest.fixture
def same():
    """Whether two networks have the same weights, bit for bit."""

    def compare(a, b) -> bool:
        first, second = a.model.state_dict(), b.model.state_dict()
        return first.keys() == second.keys() and all(
            torch.equal(first[name], second[name]) for name in first
        )

    return compare
