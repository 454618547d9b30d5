"""Evidence besides accuracy: prediction flips under translation, contact sheets, saliency maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split, open_test
from automorph.robustness.groups import grouper_of
from automorph.robustness.saliency import overlay, saliency, share_on_mark
from automorph.robustness.translated import Translated
from automorph.robustness.translators.base import Translator, known_of
from automorph.training import Evaluation, Task, evaluate

SHOWN = 2
"""Images per group whose saliency is shown."""
MAPPED = 50
"""Images per group over which the share of saliency on the mark is averaged."""


def flip_rate(
    task: Task, model: nn.Module, translator: Translator | None, seen: Evaluation
) -> float | None:
    """Return P(argmax f(x) != argmax f(T(x))) on the test part, T into every other subgroup."""
    if translator is None:
        return None
    test = open_test(task.data)
    known = known_of(test)
    flipped, count = 0, 0
    for direction in sorted({b for _, b in translator.directions}):
        sources = [a for a, b in translator.directions if b == direction]
        rows = np.flatnonzero(np.isin(known.subgroups, sources))
        if not len(rows):
            continue
        made = translator.translate(test.data[rows], direction, known.rows(rows))
        moved = evaluate(
            model, Split(made, test.labels[rows]), encoder=task.encoder, target=task.target
        ).predictions
        flipped += int((moved != seen.predictions[rows]).sum())
        count += len(rows)
    return flipped / count if count else None


def maps_of(
    task: Task,
    models: dict[str, nn.Module],
    translator: Translator | None,
    seen: dict[str, Evaluation],
) -> tuple[dict[str, Any], dict[str, float | None]]:
    """Return maps of the models on the same test images, and each model's share on the mark."""
    test, names = open_test(task.data), task.data.subgroup_names
    groups = grouper_of(task.data).of(test)
    rows = _spread(groups, MAPPED)
    images, labels = test.data[rows], test.labels[rows]
    maps = {
        name: saliency(model, images, labels, encoder=task.encoder)
        for name, model in models.items()
    }
    shares = _on_mark(test.take(rows), maps, translator)
    few = np.concatenate([np.flatnonzero(groups[rows] == g)[:SHOWN] for g in np.unique(groups)])
    shown = images[few]
    if shown.shape[-1] != 3:
        shown = np.repeat(shown[..., :1], 3, axis=3)
    assert test.subgroups is not None
    looks = {
        "images": np.stack([shown, *(overlay(images[few], maps[name][few]) for name in models)], 1),
        "labels": [
            f"{task.data.classes[labels[i]]}, {names[test.subgroups[rows[i]]]}" for i in few
        ],
        "said": [
            [task.data.classes[int(seen[name].predictions[rows[i]])] for name in models]
            for i in few
        ],
    }
    return looks, shares


def _on_mark(
    part: Split, maps: dict[str, Any], translator: Translator | None
) -> dict[str, float | None]:
    """Return the mean share on the mark: where an image and its translation differ."""
    shares: dict[str, list[NDArray[np.float64]]] = {name: [] for name in maps}
    if translator is not None:
        known = known_of(part)
        for a, b in sorted(translator.directions):
            own = np.flatnonzero(known.subgroups == a)
            if not len(own):
                continue
            others = translator.translate(part.data[own], b, known.rows(own))
            for name, some in maps.items():
                shares[name].append(share_on_mark(some[own], part.data[own], others))
    means: dict[str, float | None] = {}
    for name, parts in shares.items():
        values = np.concatenate(parts) if parts else np.zeros(0)
        values = values[np.isfinite(values)]
        means[name] = float(values.mean()) if len(values) else None
    return means


def contact_rows(task: Task, renderings: Translated) -> dict[str, Any]:
    """Return some training images of every group, and their renderings."""
    train, names = task.data.train, task.data.subgroup_names
    groups = grouper_of(task.data).of(train)
    rows = _spread(groups, 3)
    made = renderings.take(rows).swapaxes(0, 1)
    assert train.subgroups is not None
    return {
        "images": np.concatenate([train.data[rows][:, None], made], axis=1),
        "labels": [
            f"{task.data.classes[train.labels[i]]}, {names[train.subgroups[i]]}" for i in rows
        ],
        "columns": ["original", *(f"as {names[z]}" for z in renderings.subgroups)],
    }


def _spread(groups: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return ``count`` evenly spaced rows of every group."""
    rows = []
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        rows.append(own[np.unique(np.linspace(0, len(own) - 1, count).astype(np.int64))])
    return np.concatenate(rows)
