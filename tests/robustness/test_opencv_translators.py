"""Translators on OpenCV: backgrounds are swapped, marks are removed and pasted."""

import builtins

import numpy as np
import pytest

from automorph.data import Split
from automorph.errors import DataError, UsageError
from automorph.robustness.translators.background import fit_backgrounds, foreground
from automorph.robustness.translators.base import known_of
from automorph.robustness.translators.inpainting import fit_inpainting, mark_of
from automorph.robustness.translators.opencv import donor, filled, pasted
from automorph.testing import check_translator

pytest.importorskip("cv2")
SIDE = 32


def scene(rng, colour, front):
    """Return a noisy background of a colour with a disc in the middle."""
    image = rng.normal(colour, 6, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
    y, x = np.ogrid[:SIDE, :SIDE]
    image[(y - 16) ** 2 + (x - 16) ** 2 < 49] = front
    return image


@pytest.fixture(scope="module")
def birds():
    """Two classes by the colour of the disc, two backgrounds: blue and green."""
    rng = np.random.default_rng(0)
    labels, subgroups = np.tile([0, 0, 1, 1], 8), np.tile([0, 1, 0, 1], 8)
    grounds, fronts = [(30, 60, 200), (40, 160, 50)], [(230, 220, 40), (200, 30, 160)]
    images = [scene(rng, grounds[z], fronts[y]) for y, z in zip(labels, subgroups, strict=True)]
    return Split(np.stack(images), labels, subgroups=subgroups)


@pytest.fixture(scope="module")
def stickers():
    """Brown discs on skin; subgroup 1 has a turquoise square at the border."""
    rng = np.random.default_rng(1)
    labels, subgroups = np.tile([0, 0, 1, 1], 8), np.tile([0, 1, 0, 1], 8)
    images = []
    for y, z in zip(labels, subgroups, strict=True):
        image = scene(rng, (220, 180, 160), [(120, 70, 40), (60, 30, 20)][y])
        if z:
            at = rng.integers(0, SIDE - 9)
            image[at : at + 9, :8] = (40, 200, 200)
        images.append(image)
    return Split(np.stack(images), labels, subgroups=subgroups)


def test_translators_meet_their_contract(birds, stickers):
    check_translator(fit_backgrounds(birds), part=birds)
    check_translator(fit_inpainting(stickers), part=stickers)


def test_the_foreground_is_found(birds):
    y, x = np.ogrid[:SIDE, :SIDE]
    disc = (y - 16) ** 2 + (x - 16) ** 2 < 49
    for image in birds.data[:6]:
        found = foreground(image)
        assert (found & disc).sum() / (found | disc).sum() > 0.8
    assert 0.1 < foreground(np.full((SIDE, SIDE, 1), 90, np.uint8)).mean() < 0.5


def test_a_background_is_swapped_and_the_foreground_stays(birds):
    swap = fit_backgrounds(birds)
    made = swap.translate(birds.data, 1, known_of(birds))
    rim = made[:, :3].mean((1, 2))
    assert (rim[:, 1] > rim[:, 2]).all()  # All are green.
    middle = (slice(None), slice(14, 19), slice(14, 19))
    np.testing.assert_array_equal(made[middle], birds.data[middle])
    own = birds.subgroups == 1
    # What is in the subgroup already keeps its background, but for the soft edge.
    assert np.abs(made[own].astype(int) - birds.data[own]).mean() < 5
    assert not swap.way_back
    with pytest.raises(DataError, match="two or more"):
        fit_backgrounds(birds.take(birds.subgroups == 0))


def test_marks_are_removed_and_pasted(stickers):
    swap = fit_inpainting(stickers)
    assert (swap.marked, swap.plain) == (1, 0)
    known, marked = known_of(stickers), stickers.subgroups == 1
    plain = swap.translate(stickers.data, 0, known)
    assert not any(mark_of(image, swap.ratio).any() for image in plain)
    made = swap.translate(stickers.data, 1, known)
    assert all(mark_of(image, swap.ratio).any() for image in made)
    # Every rendering has a hole that was filled, so that a filled hole tells nothing.
    assert (plain[~marked] != stickers.data[~marked]).any((1, 2, 3)).all()
    again = swap.translate(stickers.data[::-1], 1, known.rows(slice(None, None, -1)))
    np.testing.assert_array_equal(again[::-1], made)


def test_marks_without_a_colour_of_their_own_are_refused(birds):
    three = Split(birds.data, birds.labels, subgroups=np.arange(32) % 3)
    with pytest.raises(DataError, match="expected two"):
        fit_inpainting(three)
    same = Split(birds.data, birds.labels, subgroups=np.arange(32) // 4 % 2)
    with pytest.raises(DataError, match="at least 50 %"):
        fit_inpainting(same)


def test_holes_are_filled_from_their_rim_and_donors_depend_on_content():
    image = np.full((16, 16, 2), 100, np.uint8)
    hole = np.zeros((16, 16), bool)
    hole[5:9, 5:9] = True
    image[hole] = 0
    assert np.abs(filled(image, hole).astype(int) - 100).max() <= 3
    assert (pasted(image, filled(image, hole), hole)[6, 6] == 0).all()
    numbers = [donor(image + k, 50) for k in range(20)]
    assert numbers == [donor(image + k, 50) for k in range(20)]
    assert len(set(numbers)) > 10


def test_without_opencv_the_package_is_named(monkeypatch, birds):
    real = builtins.__import__

    def none(name, *rest, **more):
        if name == "cv2":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", none)
    with pytest.raises(UsageError, match="opencv-python-headless"):
        fit_backgrounds(birds)


def test_a_hole_in_one_colour_leaves_no_trace():
    image = np.full((SIDE, SIDE, 3), 100, np.uint8)
    hole = np.zeros((SIDE, SIDE), bool)
    hole[12:20, 12:20] = True
    assert (filled(image, hole) == 100).all()
