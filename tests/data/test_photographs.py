"""Photographs recognised before they are decoded, and the size that is chosen for them."""

from __future__ import annotations

import contextlib

import pytest
from picture_files import noise
from PIL import Image

from automorph.data import Chosen, Photographs, Resizing, load_data, split
from automorph.errors import DataError


@pytest.fixture
def folder_of(tmp_path):
    def make(sizes):
        for number, (height, width) in enumerate(sizes):
            home = tmp_path / "ab"[number % 2]
            home.mkdir(exist_ok=True)
            Image.fromarray(noise(number, height, width, 3)).save(home / f"{number:02d}.png")
        return f"folder:{tmp_path}"

    return make


def asked(source, **options):
    seen = []
    with contextlib.suppress(DataError):
        load_data(source, sizing=lambda found: seen.append(found), **options)
    return seen[0] if seen else None


def test_files_of_different_sizes_are_photographs(folder_of):
    source = folder_of([(50 + n, 80) for n in range(20)])

    assert asked(source) == Photographs(n_train=12, side=60, alike=False)
    assert asked(source, limit=10).n_train == 8
    assert asked(source, size=32) is None


def test_large_files_of_one_size_are_photographs_and_small_ones_are_not(folder_of):
    assert asked(folder_of([(181, 200)] * 6)).alike
    assert asked(folder_of([(180, 200)] * 6)) is None


def test_arrays_of_one_size_are_left_alone():
    assert asked("digits") is None


def test_the_choice_is_applied_kept_and_noted(folder_of):
    source = folder_of([(50 + n, 80) for n in range(20)])
    choice = Chosen((32, 32), Resizing("bicubic", 0.9), "cnn", 1.0, 600.0, "chosen: 32 px")

    data = split(load_data(source, sizing=lambda _: choice))

    assert data.train.data.shape[1:] == (32, 32, 3)
    assert data.chosen == choice
    assert data.without_test().chosen == choice
    assert "chosen: 32 px" in data.notes
    named = split(load_data(source, size=32, resizing=choice.resizing))
    assert named.hash == data.hash
    assert named.chosen is None


def test_files_that_are_no_images_are_reported_as_ever(folder_of, tmp_path):
    source = folder_of([(50 + n, 80) for n in range(20)])
    (tmp_path / "a" / "00.png").write_bytes(b"no image")
    choice = Chosen((32, 32), None, "cnn", 1.0, 600.0, "chosen: 32 px")

    with pytest.raises(DataError, match="1 of 20 rows cannot be used"):
        load_data(source, sizing=lambda _: choice)


def test_without_a_choice_different_sizes_are_an_error(folder_of):
    with pytest.raises(DataError, match="different sizes"):
        load_data(folder_of([(50 + n, 80) for n in range(20)]), sizing=lambda _: None)
