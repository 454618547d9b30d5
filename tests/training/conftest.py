"""A small real task: scikit-learn's digits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automorph.data import Dataset, limited, load_data, split
from automorph.training import Recipe, make_task

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """100 training, 100 validation and 100 test examples of the digits."""
    whole = split(load_data("digits"), validation=0.2, test=0.2, seed=0)
    rows = np.arange(100)
    return limited(whole, 100).replace(
        validation=whole.parts["validation"].take(rows), test=whole.parts["test"].take(rows)
    )


@pytest.fixture
def task(digits):
    """Four quick epochs of a narrow network."""
    recipe = Recipe(epochs=4, batch_size=32, lr=0.05, precision="fp32")
    return make_task(digits, model="cnn:4", recipe=recipe)


@pytest.fixture
def same():
    """Whether two networks have the same weights, bit for bit."""

    def compare(a, b) -> bool:
        first, second = a.model.state_dict(), b.model.state_dict()
        return first.keys() == second.keys() and all(
            torch.equal(first[name], second[name]) for name in first
        )

    return compare
