"""`explain` on several labels: the ridge regression on the label matrix, and risks by label."""

import numpy as np
import pytest

from automorph.data import from_arrays
from automorph.diagnostics import explain
from automorph.operations import SearchSpace, named_space

NAMES = ("top", "bottom", "left")


@pytest.fixture(scope="module")
def result():
    """Dots in three places: a vertical flip swaps two labels, a horizontal one hides the third."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, (300, 3))
    images = random.integers(0, 40, (300, 12, 12), np.uint8)
    for image, (top, bottom, left) in zip(images, labels, strict=True):
        image[1:3, 5:7] += np.uint8(150 * top)
        image[9:11, 5:7] += np.uint8(150 * bottom)
        image[5:7, 1:3] += np.uint8(150 * left)
        image[5:7, 9:11] += np.uint8(150 * left)
    data = from_arrays(images, labels, classes=NAMES, target="labels")
    flips = [one for one in named_space("catalogue") if "Flip" in one.name]
    return explain(data, SearchSpace("flips", tuple(flips)), features="pixels")


def test_an_operation_that_swaps_labels_puts_them_at_risk(result):
    found = result["VerticalFlip"]
    assert found.verdict == "label risk"
    risks = found.to_dict()["label_risks"]
    # The two are on or off together in half of the examples, which a swap leaves as they are.
    assert min(risks["top"], risks["bottom"]) > 0.15
    assert abs(risks["left"]) < 0.05
    assert "labels at risk (points of error: " in found.reason


def test_an_operation_that_keeps_all_labels_puts_none_at_risk(result):
    found = result["HorizontalFlip"]
    assert found.verdict != "label risk"
    assert max(found.to_dict()["label_risks"].values()) < 0.05


def test_held_out_decisions_are_right_where_labels_can_be_seen(result):
    assert result.accuracy > 0.97


def test_labels_that_nothing_shows_are_no_evidence():
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (200, 8, 8), np.uint8)
    data = from_arrays(images, random.integers(0, 2, (200, 2)), target="labels")
    flips = tuple(one for one in named_space("catalogue") if "Flip" in one.name)
    found = explain(data, SearchSpace("flips", flips), features="pixels")
    assert all(one.verdict == "cannot tell" for one in found.findings)
    assert "do not tell the labels" in found.findings[0].reason
