"""Intervals of a comparison under one seed: over the test examples, as there is one pair only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from automorph.data import open_test
from automorph.experiments.job import JobResult
from automorph.experiments.statistics import Difference
from automorph.experiments.table import Cell, Row
from automorph.metrics import Interval, interval, resampled, spread
from automorph.training import Task, unpacked, unpacked_floats

REMARK = (
    "One seed: the intervals are a paired bootstrap over the test examples. They do not cover what "
    "another seed would change."
)


def over_examples(
    rows: Sequence[Row],
    task: Task,
    seed: int,
    results: Mapping[Cell, JobResult],
    base: str,
    confidence: float,
) -> tuple[Row, ...]:
    """Return the rows with intervals of their differences from ``base`` over the test examples."""
    labels = open_test(task.data).expected
    ran = [place for place, row in enumerate(rows) if row.accuracy is not None]
    names = [rows[place].policy for place in ran]
    if base not in names:
        return tuple(rows)
    facts = [results[Cell(place, seed)].facts for place in ran]
    answers = [_answers(task, one) for one in facts]
    found = list(rows)
    for number, scorer in enumerate(task.scorers):
        thresholds = [scorer.fixed(one.get("thresholds", {})) for one in facts]
        values = resampled(scorer, labels, answers, thresholds=thresholds)
        for place, own, given, at in zip(ran, values, answers, thresholds, strict=True):
            row = found[place]
            measured = row.also[scorer.title] if number else None
            gap = measured.difference if measured else row.difference
            if gap is None:
                continue
            ends = spread(own - values[names.index(base)], confidence=confidence)
            if ends.low == ends.high == 0 and scorer.share_of and own[0] in (0, 1):
                # Both are 0 or both 1. They may differ by as much as either may be off.
                one = interval(scorer, labels, given, threshold=at, confidence=confidence)
                ends = Interval(one.low - one.high, one.high - one.low)
            wider = Difference(gap.mean, ends.low, ends.high)
            found[place] = (
                replace(row, also={**row.also, scorer.title: replace(measured, difference=wider)})
                if measured
                else replace(row, difference=wider)
            )
    return tuple(found)


def _answers(task: Task, facts: Mapping[str, Any]) -> NDArray[Any]:
    """Return the stored probabilities of the test examples; of masks, the predictions."""
    if task.data.target == "masks":
        return unpacked(facts["predictions"])
    return task.target.probabilities(unpacked_floats(facts["logits"]))
