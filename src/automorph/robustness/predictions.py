"""The subject of an audit: predictions of a network or from a file, for one part of the data."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import (
    Dataset,
    Split,
    class_value,
    is_numeric,
    same_names,
)
from automorph.diagnostics import hashed_words
from automorph.errors import DataError, UsageError
from automorph.metrics import OperatingPoint
from automorph.models import build_model, tensors_in
from automorph.robustness.dfr import features
from automorph.robustness.prediction_files import aligned, as_array, read_predictions
from automorph.targets import target_of
from automorph.training import (
    Encoder,
    as_two_classes,
    evaluate,
    fill,
    load_trained,
    make_task,
    operating_point_of,
    trained_from,
    weights_file,
)


@dataclass(frozen=True, eq=False)
class Subject:
    """Predictions int64 ``(n,)`` with, if known, probabilities ``(n, classes)`` and embeddings.

    ``name`` identifies their source, ``notes`` states how its predictions were read. With an
    operating ``point``, the predictions are its decisions.
    """

    name: str
    predictions: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None = None
    features: NDArray[np.float32] | None = None
    notes: tuple[str, ...] = ()
    point: OperatingPoint | None = None


def of_network(
    model: nn.Module, part: Split, *, encoder: Encoder, classes: tuple[str, ...], name: str
) -> Subject:
    """Return the predictions of a network, and its features if it ends in a linear layer."""
    seen = evaluate(model, part, encoder=encoder)
    if seen.logits.shape[1] != len(classes):
        raise UsageError(
            f"{name} has {seen.logits.shape[1]} classes, but the data have {len(classes)} "
            f"({', '.join(classes[:5])}); expected a network trained on these classes"
        )
    if not np.isfinite(seen.logits).all():
        raise DataError(
            f"{name} predicts NaN or infinity for {_rows(~np.isfinite(seen.logits).all(axis=1))}; "
            "expected finite numbers: check its weights and the range of its inputs"
        )
    try:
        embeddings = features(model, part, encoder=encoder)
    except UsageError:
        embeddings = None
    return Subject(name, seen.predictions, seen.target.probabilities(seen.logits), embeddings)


def of_checkpoint(
    path: str | os.PathLike[str], data: Dataset, part: Split, *, model: str | nn.Module | None
) -> Subject:
    """Return the predictions of the network of a run folder, or of a file of weights."""
    file = Path(path).expanduser()
    if not file.exists():
        raise UsageError(
            f"{file} does not exist; expected a run folder or a file of weights: check the path"
        )
    if file.suffix in (".pt", ".pth", ".bin"):
        network = _weights(file, data, model)
        named = model if isinstance(model, str) else lambda: network
        encoder = make_task(data, model=named).encoder
        return of_network(network, part, encoder=encoder, classes=data.classes, name=str(path))
    two = as_two_classes(weights_file(file), data.classes)
    trained = (
        load_trained(file, model=model if isinstance(model, nn.Module) else None)
        if two is None
        else trained_from(*two, file)
    )
    if not same_names(trained.classes, data.classes):
        raise UsageError(
            f"{file} was trained on the classes {list(trained.classes)[:8]}, but the data have "
            f"{list(data.classes)[:8]}; expected the same, in the same order"
        )
    encoder = trained.encoder or make_task(data, model=lambda: trained.model).encoder
    found = of_network(trained.model, part, encoder=encoder, classes=data.classes, name=str(path))
    point = operating_point_of(file)
    if point is None:
        return found
    assert found.probabilities is not None
    # The threshold of the training, never one of the audited examples.
    decided = point.decide(found.probabilities, trained.classes)
    return replace(found, predictions=decided, point=point, notes=(point.words,))


def of_predictions(source: Any, data: Dataset, part: Split, *, where: str) -> Subject:
    """Return predictions that were made elsewhere.

    ``source`` is an array: classes ``(n,)``, or probabilities or logits ``(n, classes)``; or a
    string: ``FILE``, ``FILE:COLUMN`` (CSV, Parquet, JSON lines, .npy, .npz), or a column of the
    data. Classes are matched by name, numbers as values (1, ``1.0`` and ``"1"`` are the same); only
    where no class is called by a number, whole numbers are positions, which ``Subject.notes``
    states. Rows are those of the part ``where``, in the order of the source of the data. Raises
    `DataError` for missing values, NaN and unknown classes.
    """
    name = source if isinstance(source, str) else "predictions"
    notes: list[str] = []
    values = read_predictions(source, part, notes) if isinstance(source, str) else as_array(source)
    values = aligned(values, part, name, where)
    read = _of_scores if values.ndim == 2 else _of_classes
    found = read(values, data, name)
    return replace(found, notes=(*notes, *found.notes))


def thumbnails(part: Split, side: int = 8) -> NDArray[np.float32]:
    """Return small images as features ``(n, side * side * C)``, for predictions without a network.

    For texts, words and pairs of words (see `automorph.diagnostics.hashed_words`).
    """
    if part.domain == "text":
        return hashed_words(part.data)(part.data)
    n, height, width, channels = part.data.shape
    rows = np.linspace(0, height, side + 1).astype(int)
    columns = np.linspace(0, width, side + 1).astype(int)
    small = np.empty((n, side, side, channels), np.float32)
    for i in range(side):
        for j in range(side):
            down = slice(rows[i], max(rows[i] + 1, rows[i + 1]))
            across = slice(columns[j], max(columns[j] + 1, columns[j + 1]))
            small[:, i, j] = part.data[:, down, across].mean(axis=(1, 2))
    return small.reshape(n, -1)


def _weights(file: Path, data: Dataset, model: str | nn.Module | None) -> nn.Module:
    if model is None:
        raise UsageError(
            f"{file} contains only weights; expected the name of the network as well: pass "
            "--model timm:NAME (model=...)"
        )
    if isinstance(model, str) and data.domain == "text":
        network = make_task(data, model=model).build(0)
    elif isinstance(model, str):
        height, width, channels = data.train.data.shape[1:]
        # The file replaces the pretrained weights, which thus need not be loaded.
        network = build_model(
            model.removesuffix(":pretrained"),
            channels=channels,
            classes=len(data.classes),
            size=(height, width),
        )
    else:
        network = model
    fill(network, tensors_in(file.read_bytes(), file), file)
    return network


def _of_scores(values: NDArray[Any], data: Dataset, name: str) -> Subject:
    if values.shape[1] != len(data.classes) or values.dtype.kind not in "fiu":
        raise DataError(
            f"{name}: got predictions of shape {values.shape}; expected ({len(values):,}, "
            f"{len(data.classes)}), a probability or logit for each class"
        )
    scores = values.astype(np.float64)
    if (bad := ~np.isfinite(scores).all(axis=1)).any():
        raise DataError(
            f"{name}: the predictions are NaN or infinite for {_rows(bad)}; expected finite numbers"
        )
    sums = scores.sum(axis=1)
    probable = (scores >= 0).all() and np.allclose(sums, 1, atol=1e-3)
    target = target_of(data)
    known = scores if probable else target.probabilities(scores)
    return Subject(name, target.predict(scores), known)


def _of_classes(values: NDArray[Any], data: Dataset, name: str) -> Subject:
    known = {class_value(label): number for number, label in enumerate(data.classes)}
    if values.dtype == np.bool_ and "True" not in known:
        values = values.astype(np.int64)  # as a threshold on a score gives them
    found = [class_value(value, "prediction") for value in values.tolist()]
    if (bad := np.array([value is None for value in found])).any():
        raise DataError(
            f"{name}: no prediction (NaN or empty) for {_rows(bad)}; expected a class for every "
            "example"
        )
    notes: tuple[str, ...] = ()
    unknown = {value for value in found if value not in known}
    typed = not any(isinstance(value, str | bool) for value in values.tolist())
    whole = typed and all(isinstance(value, int) for value in found)
    if unknown and whole and not any(map(is_numeric, data.classes)):
        known = {number: number for number in range(len(data.classes))}
        unknown = {value for value in found if value not in known}
        notes = (
            f"Predictions were read as positions: 0 is {data.classes[0]!r}, "
            f"{len(data.classes) - 1} is {data.classes[-1]!r}.",
        )
    if unknown:
        shown = sorted(map(str, unknown))[:5]
        raise DataError(
            f"{name}: got the predictions {', '.join(map(repr, shown))}, which are not "
            f"classes of the data; expected {', '.join(map(repr, data.classes[:10]))}"
            f"{_positions(data)}"
        )
    return Subject(name, np.array([known[value] for value in found], np.int64), notes=notes)


def _positions(data: Dataset) -> str:
    if any(map(is_numeric, data.classes)):
        return (
            "; as these are numbers, positions cannot be told from names: convert positions to "
            "names, with data.classes"
        )
    return ", or their positions from 0"


def _rows(bad: Any) -> str:
    rows = np.flatnonzero(np.asarray(bad))
    more = ", .." if len(rows) > 3 else ""
    return f"{len(rows):,} of {len(bad):,} examples (rows {', '.join(map(str, rows[:3]))}{more})"
