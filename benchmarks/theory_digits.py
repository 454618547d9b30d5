"""Shared by the theory benchmarks: digits, their transformed copies, and LeNet."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from torch import nn

from automorph.data import load_data
from automorph.engine import apply
from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream

Draws = list[tuple[str, float]]

OPERATIONS_OF: dict[str, list[Draws]] = {
    "rotation": [[("Rotate", float(a))] for a in np.linspace(-15, 15, 8)],
    "crop": [[("ResizedCrop", 0.64)]] * 8,
    "blur": [[("Blur", float(r))] for r in np.linspace(0.15, 1.2, 8)],
    "shift": [[("TranslateX", x / 28), ("TranslateY", y / 28)] for x in (-2, 0, 2)
              for y in (-2, 0, 2) if (x, y) != (0, 0)],
    "brightness": [[("Brightness", float(f))] for f in np.linspace(0.75, 1.25, 8)],
    "contrast": [[("Contrast", float(f))] for f in np.linspace(0.65, 1.35, 8)],
    "few rotations": [[("Rotate", float(a))] for a in np.linspace(-15, 15, 4)],
    "h-flip": [[("HorizontalFlip", 0.0)]],
    "both flips": [[("HorizontalFlip", 0.0)], [("VerticalFlip", 0.0)],
                   [("HorizontalFlip", 0.0), ("VerticalFlip", 0.0)]],
}  # fmt: skip
"""Each operation as a list of copies: the operations of a copy and their values."""


@cache
def digits() -> Any:
    return load_data("mnist")


def sampled(seed: int, n: int) -> tuple[Any, Any]:
    """Training digits, equally many of each class."""
    part, rng = digits().train, np.random.default_rng(seed)
    labels = np.asarray(part.labels)
    rows = np.concatenate(
        [rng.choice(np.flatnonzero(labels == c), n // 10, replace=False) for c in range(10)]
    )
    rows = rng.permutation(rows)
    return np.ascontiguousarray(part.data[rows]), labels[rows]


def tested_digits(step: int) -> tuple[Any, Any]:
    """Every k-th test digit (the first half of the test part is the harder one)."""
    part = digits().test
    return np.ascontiguousarray(part.data[::step]), np.asarray(part.labels)[::step]


def copies_of(images: Any, name: str, seed: int, copies: list[Draws] | None = None) -> Any:
    """uint8 ``(n, T, 28, 28, 1)``, the original first; ``copies`` default to those of the name."""
    every = [images]
    for number, draws in enumerate(OPERATIONS_OF[name] if copies is None else copies):
        space = SearchSpace(name, tuple(OPERATIONS[op].at(value) for op, value in draws))
        steps = Sequences.of(np.tile(np.arange(len(draws)), (len(images), 1)), 1.0)
        stream = Stream(seed=seed, index=np.arange(len(images)), copy=number)
        every.append(apply(images, steps, space, stream, interpolation="bilinear"))
    return np.stack(every, axis=1)


def pixels(images: Any) -> Any:
    return (images.reshape(*images.shape[:-3], -1) / 255 - 0.1307) / 0.3081


def accuracy(scores: Any, labels: Any) -> float:
    return float((np.asarray(scores).argmax(-1) == labels).mean())


def lenet() -> nn.Sequential:
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        nn.Sequential(nn.Linear(256, 120), nn.ReLU()),
        nn.Sequential(nn.Linear(120, 84), nn.ReLU()),
        nn.Linear(84, 10),
    )
