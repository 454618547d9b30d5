"""Finished trainings on a folder of small pictures and on a table of texts."""

from __future__ import annotations

import csv
import os

import numpy as np
import pytest
import torch
from PIL import Image

from automorph.cli import main
from automorph.data import load_data

torch.set_num_threads(1)
NAMES = ("nil", "one", "two")


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A folder ``photos`` of 300 grey digits of three classes, and the run of a training on it."""
    home = tmp_path_factory.mktemp("inference")
    data = load_data("digits").train
    for number, name in enumerate(NAMES):
        folder = home / "photos" / name
        folder.mkdir(parents=True)
        for row in np.flatnonzero(data.labels == number)[:100].tolist():
            Image.fromarray(data.data[row, :, :, 0]).save(folder / f"{row}.png")
    words = ("--size", "12", "--epochs", "3", "--model", "cnn:4", "--policy", "crop", "-q")
    called(home, "train", "folder:photos", *words, "--out", "run")
    return home


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    """A table of reviews whose columns have unusual names, and the run of a training on it."""
    home = tmp_path_factory.mktemp("texts")
    good, bad = ("fine", "lovely", "great"), ("dull", "awful", "weak")
    with (home / "reviews.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["words", "stars", "place"])
        for row in range(120):
            word = (good, bad)[row % 2][row // 2 % 3]
            writer.writerow(
                [f"a {word} film number {row}", ("up", "down")[row % 2], "ab"[row % 4 // 2]]
            )
    words = ("--text", "words", "--label", "stars", "--subgroup", "place", "--epochs", "2")
    called(home, "train", "csv:reviews.csv", *words, "--policy", "aeda", "-q", "--out", "run")
    return home


def called(home, *words):
    """Run a verb in a folder."""
    before = os.getcwd()
    os.chdir(home)
    try:
        main([str(word) for word in words])
    finally:
        os.chdir(before)
