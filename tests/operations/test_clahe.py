"""CLAHE: its tables, what it keeps, and that its first definition gives the same pixels as ever."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from automorph.engine import apply_native
from automorph.operations import OPERATIONS
from automorph.operations.clahe import tables
from definitions import PATHS, applied_by, assert_files_replay, digest

CLAHE = OPERATIONS["CLAHE"]


def applied(apply: Any, images: NDArray[np.uint8], **settings: Any) -> NDArray[np.uint8]:
    return applied_by(CLAHE, apply, images, **{"definition": 2, **settings})


def photographs(channels: int = 3) -> NDArray[np.uint8]:
    """Smooth images with some detail and dark, saturated colours."""
    rng = np.random.default_rng(0)
    coarse = np.kron(rng.integers(0, 256, (3, 8, 8, channels)), np.ones((1, 6, 6, 1)))
    return np.clip(coarse + rng.normal(0, 4, coarse.shape), 0, 255).astype(np.uint8)


def test_the_tables_are_the_same_on_every_machine():
    assert digest(*tables()) == "561336429ba42116"


@pytest.mark.parametrize("apply", PATHS)
def test_pixels_of_both_definitions_stay_as_they_are(apply):
    assert digest(applied(apply, photographs())) == "9a862d23fa892c91"
    # Colours of the first definition depend on the library of mathematics, grey ones do not.
    assert digest(applied(apply, photographs(1), definition=1)) == "0581ea8d229d33b7"


@pytest.mark.parametrize("apply", PATHS)
def test_grey_levels_are_those_of_opencv(apply):
    images = photographs(1)
    ours = applied(apply, images, clip=(4.0, 4.0), tiles=(4, 4))
    theirs = cv2.createCLAHE(4.0, (4, 4))
    expected = np.stack([theirs.apply(one[..., 0]) for one in images])[..., None]
    assert np.abs(ours.astype(int) - expected).max() <= 1


def test_grey_stays_grey_and_its_level_is_that_of_a_grey_image():
    grey = photographs(1)
    colours = applied(apply_native, np.repeat(grey, 3, axis=3), clip=(4.0, 4.0))
    assert (colours == colours[..., :1]).all()


def test_a_tile_without_contrast_to_limit_changes_no_colour():
    """A table that is the identity gives colours back, but for the rounding of a level or two."""
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    ours = applied(apply_native, levels, clip=(1.0, 1.0), tiles=(1, 1))
    assert np.abs(ours.astype(int) - levels).max() <= 1
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (4, 40, 40, 3)).astype(np.uint8)
    both = [applied(apply_native, images, clip=(1.0, 1.0), definition=n) for n in (1, 2)]
    assert np.abs(both[0].astype(int) - both[1]).mean() < 1.0


def test_alpha_is_kept():
    images = photographs(4)
    for apply in PATHS:
        ours = applied(apply, images)
        assert (ours[..., 3] == images[..., 3]).all()
        assert (ours[..., :3] == applied(apply, np.ascontiguousarray(images[..., :3]))).all()


def test_a_file_replays_by_the_definition_that_it_states():
    assert_files_replay(CLAHE, photographs())
