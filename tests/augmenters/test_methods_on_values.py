"""Training methods that compare losses learn values; those that compare probabilities refuse."""

import numpy as np
import pytest

from automorph.augmenters import as_treatment
from automorph.data import from_arrays
from automorph.errors import UsageError
from automorph.training import as_task, train

LEARN = ("uncertainty(c=4)", "views(m=2)", "adversarial(m=2)", "tanda-tr")
REFUSED = ("uncertainty(rule=adaptive)", "augmix-jsd")


@pytest.fixture(scope="module")
def task():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 8, 8, 1), np.uint8)
    data = from_arrays(images, images.mean(axis=(1, 2, 3)), target="values")
    return as_task(data, model="cnn:4", recipe={"epochs": 1})


@pytest.mark.parametrize("name", LEARN)
def test_a_method_that_compares_losses_learns_values(name, task):
    assert np.isfinite(train(task, as_treatment(name), progress=False).metrics["test"]["mae"])


@pytest.mark.parametrize("name", REFUSED)
def test_a_method_that_compares_probabilities_is_refused_by_name(name, task):
    with pytest.raises(UsageError, match=r"is a training method for classes, but .* have values"):
        train(task, as_treatment(name), progress=False)
