"""The audit of a network that predicts several labels or values."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Dataset, Split, same_names
from automorph.errors import DataError, UsageError
from automorph.robustness.measure_outputs import Answers, measure_outputs
from automorph.robustness.output_audit import OutputAudit
from automorph.targets import SeveralLabels, Target
from automorph.training import (
    Encoder,
    OnEpoch,
    Task,
    as_task,
    evaluate,
    load_trained,
    make_task,
    thresholds_in,
    train,
    weights_file,
)


def audit_outputs(
    data: Dataset,
    part: Split,
    *,
    where: str,
    task: Task | None = None,
    model: Any | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    predictions: Any | None = None,
    recipe: dict[str, Any] | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: bool | OnEpoch | None = None,
    metrics: Sequence[str] = (),
) -> OutputAudit:
    """Audit one part ``where``; the options are those of `automorph.robustness.audit`."""
    notes: tuple[str, ...] = ()
    if predictions is not None:
        name, answers = "predictions", _given(predictions, data, part)
    elif checkpoint is not None:
        name, answers = str(checkpoint), _of_checkpoint(checkpoint, data, part, model)
    elif isinstance(model, nn.Module):
        name = type(model).__name__
        task = task or make_task(data, model=lambda: model)
        answers = _of_network(model, part, task.encoder, task.target, name)
    else:
        task = as_task(task or data, model=model, recipe=recipe, run_folder=folder, weights=weights)
        parts = ("validation",) if data.validation is not None else ()
        run = train(
            task, seed=seed, folder=None if folder is None else Path(folder), parts=parts,
            device=device, progress=progress,
        )  # fmt: skip
        assert run.model is not None
        name = f"{task.model}, trained plainly"
        target = task.target
        at = [run.thresholds.get(label, 0.5) for label in data.predicted]
        if isinstance(target, SeveralLabels):
            target = target.with_thresholds(at)
        answers = _of_network(run.model, part, task.encoder, target, name)
        if task.weights:
            notes = (f"The network started from the weights {task.weights}.",)
    if data.target == "labels" and answers.thresholds is None and predictions is None:
        line = "Labels are predicted from a probability of 0.5 on: no threshold is known."
        notes = (*notes, line)
    found = measure_outputs(
        data.target, part.expected, answers, data.predicted, subgroups=part.subgroups,
        subgroup_names=data.subgroup_names, metrics=metrics,
    )  # fmt: skip
    facts = {"data": data.name, "part": where, "subject": name}
    return replace(found, notes=(*notes, *found.notes), facts=facts)


def _of_checkpoint(
    path: str | os.PathLike[str], data: Dataset, part: Split, model: Any | None
) -> Answers:
    trained = load_trained(path, model=model if isinstance(model, nn.Module) else None)
    if not same_names(trained.classes, data.predicted):
        raise UsageError(
            f"{path} was trained on {list(trained.classes)[:8]}, but the data have "
            f"{list(data.predicted)[:8]}; expected the same, in the same order"
        )
    target: Target = trained.target
    if isinstance(target, SeveralLabels):
        target = target.with_thresholds(thresholds_in(weights_file(path)))
    encoder = trained.encoder or make_task(data, model=lambda: trained.model).encoder
    return _of_network(trained.model, part, encoder, target, str(path))


def _of_network(
    model: nn.Module, part: Split, encoder: Encoder, target: Target, name: str
) -> Answers:
    seen = evaluate(model, part, encoder=encoder, target=target)
    if not np.isfinite(seen.logits).all():
        raise DataError(
            f"{name} predicts NaN or infinity; expected finite numbers: check its weights and the "
            "range of its inputs"
        )
    at = target.thresholds if isinstance(target, SeveralLabels) else ()
    return Answers(seen.predictions, seen.probabilities, np.array(at) if at else None)


def _given(predictions: Any, data: Dataset, part: Split) -> Answers:
    """Return answers that were made elsewhere: an array ``(n, k)``."""
    shape = part.expected.shape
    if isinstance(predictions, str):
        raise UsageError(
            f"got the predictions {predictions!r} for data of {data.target}; expected a network "
            f"(--checkpoint), or in Python an array of shape {shape}"
        )
    found: NDArray[Any] = np.asarray(predictions)
    if found.ndim == 1 and shape[1] == 1:
        found = found[:, None]
    if found.shape != shape or found.dtype.kind not in "bfiu" or not np.isfinite(found).all():
        raise DataError(
            f"got predictions {found.dtype} of shape {found.shape}; expected finite numbers of "
            f"shape {shape}: one row for each example of the part, one column for each of "
            f"{list(data.predicted)[:8]}"
        )
    numbers = found.astype(np.float64)
    if data.target == "values":
        return Answers(numbers, numbers)
    if ((numbers < 0) | (numbers > 1)).any():
        raise DataError(
            f"got predictions from {numbers.min():.3g} to {numbers.max():.3g} for labels; expected "
            "decisions of 0 and 1, or probabilities"
        )
    decided = np.isin(numbers, (0, 1)).all()
    return Answers((numbers >= 0.5).astype(np.int64), None if decided else numbers)
