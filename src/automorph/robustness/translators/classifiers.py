"""Judges of translations: small classifiers, trained in a few seconds."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Dataset, Split
from automorph.robustness.dfr import features
from automorph.robustness.translators.base import Images, KnownTranslator, known_of
from automorph.training import Evaluation, Recipe, evaluate, make_task, recipe_for, train

FEW = 10
"""Below this number of images a share says nothing, and a judge learns nothing of a group."""
MOST = 400
"""Largest number of images per group for training judges and for checks."""


class Panel:
    """Judges: classifiers of subgroups and of classes, trained on balanced groups.

    A class that lies in one subgroup would teach the judge of classes that the mark of the other
    subgroup speaks against it. The judge then sees only subgroups in which every class occurs.
    """

    def __init__(self, part: Split, *, seed: int = 0) -> None:
        known = known_of(part)
        both = [
            y
            for y in np.unique(known.labels)
            if len(np.unique(known.subgroups[known.labels == y])) > 1
        ]
        self.seed = seed
        self.subgroups: nn.Module | None = None
        # If every class lies in one subgroup, subgroup and class cannot be separated.
        if both:
            rows = _balanced(known, np.isin(known.labels, both), seed)
            self.subgroups = train_judge(part.data[rows], known.subgroups[rows], seed)
        rows = _balanced(known, np.isin(known.subgroups, _whole(known)), seed)
        self.classes = train_judge(part.data[rows], known.labels[rows], seed)


def train_judge(images: Images, labels: NDArray[np.int64], seed: int) -> nn.Module:
    """Train a small network on about 4,000 image presentations, in a few seconds."""
    classes = tuple(map(str, range(int(labels.max()) + 1)))
    data = Dataset("judge", classes, Split(np.ascontiguousarray(images), labels))
    if data.domain == "text":
        return _text_judge(data, seed)
    side = min(images.shape[1:3])
    epochs = int(np.clip(round(6000 / len(images)), 6, 40))
    recipe = Recipe(epochs=epochs, batch_size=32, lr=0.05, warmup_epochs=1)
    task = make_task(data, model="cnn:8" if side <= 32 else "resnet9:8", recipe=recipe)
    result = train(task, None, seed=seed, parts=(), progress=False, device="cpu")
    assert result.model is not None
    result.model.encoder = task.encoder  # type: ignore[assignment]
    return result.model


def _text_judge(data: Dataset, seed: int) -> nn.Module:
    """Train a bag of words: single words reveal subgroup and class of a text."""
    epochs = int(np.clip(round(12_000 / len(data.train)), 10, 60))
    recipe = recipe_for("bag-of-words", len(data.train), epochs=epochs, lr=0.02, batch_size=32)
    task = make_task(data, model="bag-of-words", recipe=recipe)
    result = train(task, None, seed=seed, parts=(), progress=False, device="cpu")
    assert result.model is not None
    result.model.encoder = task.encoder  # type: ignore[assignment]
    return result.model


def _evaluation(judge: nn.Module, images: Images) -> Evaluation:
    part = Split(np.ascontiguousarray(images), np.zeros(len(images), np.int64))
    return evaluate(judge, part, encoder=judge.encoder)  # type: ignore[arg-type]


def share_seen(judge: nn.Module, images: Images, label: int) -> float:
    """Return the share of images that a judge classifies as a label."""
    return float((_evaluation(judge, images).predictions == label).mean())


@torch.inference_mode()
def features_of(judge: nn.Module, images: Images) -> NDArray[np.float64]:
    """Return the judge's last feature map, before its decision."""
    if images.dtype.kind == "T":
        part = Split(np.ascontiguousarray(images), np.zeros(len(images), np.int64))
        return features(judge, part, encoder=judge.encoder).astype(np.float64)  # type: ignore[arg-type]
    layers = list(judge.children())
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten))
    x = judge.encoder(np.ascontiguousarray(images), torch.device("cpu"))  # type: ignore[operator]
    for layer in layers[: last + 1]:
        x = layer(x)
    return np.asarray(x.double().numpy())


def _whole(known: KnownTranslator) -> NDArray[np.int64]:
    """Return the subgroups with enough images of every class; all of them if there is none."""
    present, classes = np.unique(known.subgroups), np.unique(known.labels)
    whole = [
        z
        for z in present
        if all(np.sum(known.labels[known.subgroups == z] == y) >= FEW for y in classes)
    ]
    return np.array(whole or present, np.int64)


def _balanced(known: KnownTranslator, usable: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    """Return equally many rows of every group; small groups are repeated."""
    rng = np.random.default_rng(seed)
    groups = [
        np.flatnonzero(usable & (known.labels == y) & (known.subgroups == z))
        for y in np.unique(known.labels)
        for z in np.unique(known.subgroups)
    ]
    present = [rows for rows in groups if len(rows)]
    n = min(MOST, max(map(len, present)))
    drawn = [np.resize(rng.permutation(rows), n) for rows in present]
    return np.concatenate(drawn)
