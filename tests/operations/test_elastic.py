"""ElasticTransform: both definitions keep their pixels, and noise is smoothed as SciPy does it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from automorph.engine import apply_native
from automorph.operations import OPERATIONS
from automorph.operations.elastic import _smooth
from definitions import PATHS, applied_by, assert_files_replay, digest

ELASTIC = OPERATIONS["ElasticTransform"]


def applied(apply: Any, images: NDArray[np.uint8], **settings: Any) -> NDArray[np.uint8]:
    return applied_by(ELASTIC, apply, images, **{"definition": 2, **settings})


def images_of(channels: int = 3) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (3, 40, 30, channels)).astype(np.uint8)


@pytest.mark.parametrize("apply", PATHS)
@pytest.mark.parametrize(
    ("definition", "noise", "pixels"),
    [
        (1, "normal", "0fd9b2466059692c"),
        (1, "uniform", "31d362d5e5a8d11b"),
        (2, "normal", "55f3cc8d8a036434"),
        (2, "uniform", "9d1d4653dc103e60"),
    ],
)
def test_pixels_stay_as_they_are(apply, definition, noise, pixels):
    found = applied(apply, images_of(), definition=definition, noise=noise)
    assert digest(found) == pixels


def test_double_precision_smooths_as_scipy_to_the_bit():
    field = np.random.default_rng(0).normal(size=(23, 31))
    for sigma in (0.1, 2.0, 6.0):
        assert (_smooth(field, sigma) == gaussian_filter(field, sigma, mode="nearest")).all()


def test_single_precision_smooths_nearly_as_well():
    field = np.random.default_rng(0).normal(size=(23, 31))
    single = _smooth(field.astype(np.float32), 6.0)
    assert single.dtype == np.float32
    assert np.abs(single - gaussian_filter(field, 6.0, mode="nearest")).max() < 1e-6


@pytest.mark.parametrize("definition", [1, 2])
@pytest.mark.parametrize(("alpha_x", "alpha_y"), [(60.0, 0.0), (0.0, 60.0)])
def test_each_amplitude_moves_pixels_along_its_axis(definition, alpha_x, alpha_y):
    height, width = 40, 30
    down, across = (axis[None, ..., None].astype(np.uint8) for axis in np.mgrid[:height, :width])
    moved, kept = (across, down) if alpha_x else (down, across)
    settings = {"alpha_x": alpha_x, "alpha_y": alpha_y, "definition": definition}
    inside = np.s_[:, 8:-8, 8:-8]
    assert (applied(apply_native, moved, **settings) != moved)[inside].any()
    assert (applied(apply_native, kept, **settings) == kept)[inside].all()


def test_a_file_replays_by_the_definition_that_it_states():
    assert_files_replay(ELASTIC, images_of())
