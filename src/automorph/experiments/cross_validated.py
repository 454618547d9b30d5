"""What a cross-validated comparison says besides its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from automorph.data import Folds
from automorph.errors import UsageError
from automorph.experiments.job import JobResult
from automorph.experiments.metric import ACCURACY, metric_for
from automorph.experiments.statistics import paired_difference
from automorph.experiments.table import Cell, tested
from automorph.metrics import Scorer

OUT_OF_FOLD = replace(ACCURACY, part="out-of-fold")
"""Accuracy on the examples of the fold that a training has not seen."""


def seeds_of(
    folds: Folds | None, seeds: int | Sequence[int] | None, default: int
) -> tuple[int, ...]:
    """Return the seeds of all trainings of a policy: with folds, the numbers of its cells.

    Raises `UsageError` for seeds in addition to folds.
    """
    if folds is None:
        seeds = default if seeds is None else seeds
        return tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if seeds is not None:
        raise UsageError(
            f"got both seeds and {folds.words}; expected one of them, because each training of a "
            "cross-validation has a seed of its own: use more repeats (--repeats) in place of "
            "more seeds, or leave out the folds (--folds 0)"
        )
    return tuple(range(folds.cells))


def pairs_in_words(folds: Folds | None, seeds: int) -> str:
    """Describe the pairs of a difference in a verdict.

    >>> pairs_in_words(None, 5)
    '5 paired seeds'
    """
    if folds is None:
        return f"{seeds} paired seeds"
    return f"{folds.words}, corrected for overlapping training sets"


def nested_choice(
    names: Sequence[str],
    results: Mapping[Cell, JobResult],
    base: str,
    folds: Folds,
    confidence: float,
    scorer: Scorer | None = None,
) -> list[str]:
    """Return a sentence about the gain if every fold chooses by its own validation rows alone.

    The winner of the table is chosen by the validation rows of all folds together, which are test
    rows of other folds; this choice has not seen the rows on which it is measured. ``scorer`` is
    the metric (None: accuracy).
    """
    places = [
        place for place in range(len(names))
        if not any(results[Cell(place, cell)].error for cell in range(folds.cells))
    ]  # fmt: skip
    if names.index(base) not in places or len(places) < 2:
        return []
    chosen: list[float] = []
    plain: list[float] = []
    picked = set()
    for cell in range(folds.cells):
        scores = {place: results[Cell(place, cell)].score for place in places}
        if not all(map(isfinite, scores.values())):
            return []
        best = max(places, key=lambda place: scores[place])
        picked.add(names[best])
        chosen += tested([results[Cell(best, cell)]], scorer)
        plain += tested([results[Cell(names.index(base), cell)]], scorer)
    if picked == {base}:
        return []
    gap = paired_difference(chosen, plain, confidence=confidence, overlap=folds.overlap)
    metric = metric_for(scorer) if scorer else ACCURACY
    unit = metric.unit + ("" if metric == ACCURACY else f" of {metric.name}")
    return [
        "Chosen anew in every fold, by the validation rows of that fold alone, the policies differ "
        f"from {base} by {metric.difference(gap.mean)}{unit} ({metric.interval(gap)}): what "
        "choosing among these policies gains on new data."
    ]
