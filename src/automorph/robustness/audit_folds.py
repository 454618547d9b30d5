"""An audit by cross-validation: every example is predicted by networks that have not seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from automorph.data import Folds, open_test
from automorph.robustness.audit_result import Audit, Group
from automorph.robustness.metrics import Estimate
from automorph.robustness.predictions import Subject, of_network
from automorph.training import Task, train

PART = "out-of-fold"
"""The name of the part of such an audit."""


def of_folds(task: Task, folder: Path | None, **options: Any) -> list[Subject]:
    """Train on every fold, and return the predictions of all examples, one subject per repeat.

    Trainings that are finished in ``folder`` are not repeated; ``options`` are those of `train`.
    """
    folds = task.data.folds
    assert folds is not None
    name = f"{task.network}, trained plainly with {folds.words}"
    found = []
    for cell in range(folds.cells):
        one = task.in_fold(cell)
        place = None if folder is None else folder / f"fold-{cell}"
        run = train(one, seed=cell, folder=place, parts=(), **options)
        assert run.model is not None
        part = open_test(one.data)
        found.append(
            of_network(run.model, part, encoder=one.encoder, classes=one.data.classes, name=name)
        )
    return _by_repeat(found, folds)


def _by_repeat(found: Sequence[Subject], folds: Folds) -> list[Subject]:
    predictions = folds.pooled([one.predictions for one in found])
    probabilities = folds.pooled([np.asarray(one.probabilities) for one in found])
    return [
        Subject(found[0].name, predictions[repeat], probabilities[repeat])
        for repeat in range(folds.repeats)
    ]


def averaged(audits: Sequence[Audit], *, rate: float) -> Audit:
    """Return the means of the audits of all repeats; p-values are twice their mean.

    In each repeat every example is predicted once, so its intervals are those of any audit. Twice
    the mean of p-values is a p-value, however they depend on each other (Rüschendorf, "Random
    variables with maximum sums", 1982). Intersections and single predictions are those of the
    first repeat.
    """
    first = audits[0]
    if len(audits) == 1:
        return first
    groups = tuple(
        _group([audit.groups[number] for audit in audits], rate)
        for number in range(len(first.groups))
    )
    return replace(
        first,
        groups=groups,
        worst=min((one for one in groups if one.n), key=lambda one: one.accuracy or 0.0),
        gap={name: _mean([audit.gap[name] for audit in audits]) for name in first.gap},
        only=first.only if len({audit.only for audit in audits}) == 1 else None,
        notes=(
            *first.notes,
            f"Figures are means over {len(audits)} repeats, in each of which every example is "
            "predicted once; intersections are those of the first repeat.",
        ),
        **{
            name: _mean([getattr(audit, name) for audit in audits])
            for name in ("accuracy", "robust", "information", "loss", "overconfidence")
        },
    )


def _group(repeats: Sequence[Group], rate: float) -> Group:
    first = repeats[0]
    measured = {
        name: _mean([getattr(group, name) for group in repeats])
        for name in ("accuracy", "low", "high", "loss", "confidence", "overconfidence")
    }
    p = min(1.0, 2 * float(np.mean([group.p for group in repeats])))
    return replace(first, **measured, p=p, alarm=p < rate)


def _mean(values: Sequence[Any]) -> Any:
    """Return the mean of numbers or of estimates; None if one is missing."""
    if any(value is None for value in values):
        return None
    if isinstance(values[0], Estimate):
        ends = np.mean([(one.value, one.low, one.high) for one in values], axis=0)
        return Estimate(*ends.tolist())
    return float(np.mean(values))
