"""The result of a comparison, and how its winner is chosen and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import _moved
from automorph.data import Dataset, Folds
from automorph.errors import AutomorphError
from automorph.experiments.advice import (
    Advice,
    advice_after_comparison,
    advice_on_constant,
    advice_on_few,
)
from automorph.experiments.conclusion import Verdict, judge
from automorph.experiments.cross_validated import pairs_in_words
from automorph.experiments.job import Treatment
from automorph.experiments.metric import ACCURACY, Metric
from automorph.experiments.statistics import noticeable, paired_difference
from automorph.experiments.table import Row
from automorph.notebook import table_html
from automorph.policies import Policy, RandomPolicy, stages_of


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison; ``rows`` are in the requested order.

    ``winner`` has the best mean validation accuracy, so the test part is never used to choose;
    ``accuracy`` in the rows is test accuracy. ``trained`` counts the trainings of this call; the
    others were read from the folder. ``predictions`` are the predicted classes of the test
    examples by policy, int64 ``(seeds, n)``. ``remarks``: what a reader of the table must know.
    ``advice`` is the one recommendation, which the verdict states.
    With another ``metric`` than accuracy, ``accuracy`` in the rows is that metric; ``also`` are the
    further ones, whose values are in the rows by name, and ``leaders`` the policies that are best
    by each on the validation part. If the user's own code trained, it is on the part of the data
    that the metric names. If the data have ``folds``, ``accuracy`` is that of the
    examples that a training has not seen, the seeds are the numbers of the trainings through all
    repeats, and ``predictions`` are those of all examples, ``(repeats, n)``.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    baseline: str
    winner: str
    verdict: Verdict
    confidence: float
    curves: dict[str, dict[str, Any]]
    policies: dict[str, Treatment]
    seconds: float
    trained: int
    predictions: dict[str, NDArray[np.int64]] = field(
        default_factory=dict, repr=False, compare=False
    )
    remarks: tuple[str, ...] = ()
    metric: Metric = ACCURACY
    advice: Advice | None = None
    folds: Folds | None = None
    also: tuple[Metric, ...] = ()
    leaders: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, policy: str) -> Row:
        return next(row for row in self.rows if row.policy == policy)

    def __str__(self) -> str:
        """Return the table, one line per policy, and the verdict."""
        width = max(len(row.policy) for row in self.rows)
        lines = [f"{row.policy:{width}}  {_in_words(row, self.metric)}" for row in self.rows]
        return "\n".join([*lines, self.verdict.text])

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.rows)} policies under {len(self.seeds)} seeds>"

    def _repr_html_(self) -> str:
        """Return the verdict and the table, for notebooks."""
        rows = [
            [
                row.policy,
                "" if row.validation is None else self.metric.value(row.validation.mean),
                f"failed: {row.error}" if row.accuracy is None else (
                    self.metric.value(row.accuracy.mean)
                ),
                "" if row.difference is None else self.metric.difference(row.difference.mean),
                row.note or (
                    "" if row.difference is None else self.metric.interval(row.difference)
                ),
            ]
            for row in self.rows
        ]  # fmt: skip
        columns = [
            "policy",
            "validation",
            self.metric.name,
            f"difference from {self.baseline}",
            "interval",
        ]
        return table_html(columns, rows, title=self.verdict.text, note=" ".join(self.remarks))

    def to_dict(self) -> dict[str, Any]:
        """Return the rows and the verdict as plain data."""
        return {
            "rows": [row.to_dict() for row in self.rows],
            "seeds": list(self.seeds),
            "baseline": self.baseline,
            "winner": self.winner,
            "verdict": asdict(self.verdict),
            "confidence": self.confidence,
            **({} if self.metric == ACCURACY else {"metric": self.metric.to_dict()}),
            **({"also": [one.to_dict() for one in self.also]} if self.also else {}),
            **({"leaders": self.leaders} if self.also else {}),
            **({"remarks": list(self.remarks)} if self.remarks else {}),
            **({} if self.folds is None else {"folds": self.folds.to_dict()}),
        }


def _in_words(row: Row, metric: Metric) -> str:
    if row.accuracy is None:
        return f"failed: {row.error}"
    gap = row.difference
    against = (
        "" if gap is None
        else f"  {metric.difference(gap.mean)} ({row.note or metric.interval(gap)})"
    )  # fmt: skip
    return f"{metric.value(row.accuracy.mean)}{against}"


def winner_of(rows: tuple[Row, ...], metric: Metric = ACCURACY, *, own: bool = False) -> str:
    """Return the policy with the best validation value. Raises if all failed.

    ``own``: the user's own code trained.
    """
    ran = [row for row in rows if row.accuracy is not None]
    if not ran:
        errors = "; ".join(f"{row.policy}: {row.error}" for row in rows)
        advice = "correct the training and repeat it" if own else "try a lower --lr"
        raise AutomorphError(f"no policy has a result ({errors}); {advice}")
    return max(ran, key=lambda row: _standing(row, metric)).policy


def verdict_of(
    rows: tuple[Row, ...],
    treatments: list[Treatment],
    base: str,
    winner: str,
    seeds: tuple[int, ...],
    confidence: float,
    metric: Metric = ACCURACY,
    *,
    constant: bool = False,
    data: Dataset | None = None,
) -> tuple[Verdict, Advice]:
    """Judge the winner against the baseline and against the best random policy; recommend a step.

    ``constant``: under every seed, the networks of the winner always answer one class. ``data`` are
    those of the trainings, unless they are the user's own.
    """
    folds = None if data is None else data.folds
    won = next(row for row in rows if row.policy == winner)
    control = control_of(rows, treatments, {winner, base}, metric)
    against = None
    if control and won.accuracy and control.accuracy:
        against = paired_difference(
            won.accuracy.values, control.accuracy.values, confidence=confidence,
            overlap=folds.overlap if folds else 0.0,
        )  # fmt: skip
    judged = judge(
        winner,
        base,
        won.difference,
        control=control.policy if control else None,
        against_control=against,
        seeds=len(seeds),
        confidence=confidence,
        metric=metric,
        pairs=pairs_in_words(folds, len(seeds)),
    )
    if constant:
        advice = advice_on_constant(winner)
        text = f"The networks trained with {winner} always answer one class: nothing is measured."
        return Verdict("unclear", f"{text} {advice.text}"), advice
    if folds is not None and data is not None and (few := too_few(rows, won, data, confidence)):
        text = f"{base} is best on the validation folds." if winner == base else judged.text
        return Verdict("unclear", f"{few.text} {text}"), few
    advice = advice_after_comparison(
        judged.kind, winner, base, compared=len(rows), seeds=len(seeds),
        failed_baseline=winner != base and won.difference is None,
        simpler=_level_with_none(
            rows, won, base, confidence, metric, folds.overlap if folds else 0.0
        ),
    )  # fmt: skip
    if advice.action == "add policies":
        return Verdict("unclear", advice.text), advice
    return Verdict(judged.kind, f"{judged.text} {advice.text}".rstrip()), advice


def _level_with_none(
    rows: Sequence[Row], won: Row, base: str, confidence: float, metric: Metric, overlap: float
) -> str:
    """Say that no augmentation is not shown to be worse than the winner, or nothing.

    Of a comparison with another baseline, which the winner may beat although nothing would do. It
    compares validation values, as the choice of the winner does, and since that is the best of all
    policies by these values, the error is divided by the number of the others (Bonferroni).
    """
    none = next((row for row in rows if row.policy == "none"), None)
    if none is None or "none" in (base, won.policy) or not (none.validation and won.validation):
        return ""
    values = none.validation.values, won.validation.values
    if len(values[0]) != len(values[1]) or len(values[0]) < 2:
        return ""
    others = sum(row.validation is not None for row in rows) - 1
    corrected = 1 - (1 - confidence) / others
    gap = paired_difference(*values, confidence=corrected, overlap=overlap)
    high = metric.gain(gap).high
    if (high if high is not None else metric.gain(gap).mean) < 0:
        return ""
    where = "in the validation parts of the folds" if overlap else "on the validation part"
    return (
        f"No augmentation may do as well: {where}, none differs from {won.policy} by "
        f"{metric.difference(gap.mean)}{metric.unit} ({metric.interval(gap)}, corrected for the "
        "number of policies), which is within chance."
    )


def too_few(
    rows: tuple[Row, ...],
    won: Row,
    data: Dataset,
    confidence: float,
    policy: str | None = None,
) -> Advice | None:
    """Return the advice of a cross-validation if no policy differs from the baseline, else None.

    ``policy`` is that of `advice_on_few`.
    """
    gaps = [row.difference for row in rows if row.difference is not None]
    if not gaps or any((gap.p_adjusted or 0.0) < 1 - confidence for gap in gaps):
        return None
    assert won.accuracy is not None
    pairs = len(won.accuracy.values)
    known = [
        least for gap in ([won.difference] if won.difference and won.difference.low else gaps)
        if (least := noticeable(gap, pairs, confidence=confidence)) is not None
    ]  # fmt: skip
    shape = data.train.data.shape
    return advice_on_few(
        data.domain, shape[-1] if len(shape) == 4 else 1,
        examples=len(data.train), shown=max(known, default=None), policy=policy,
    )  # fmt: skip


@_moved.renamed_arguments(arm="treatment")
def is_control(treatment: Any) -> bool:
    """Return True for a random policy, and for a chain with a random stage."""
    return isinstance(treatment, Policy) and any(
        isinstance(one, RandomPolicy) for one in stages_of(treatment)
    )


def control_of(
    rows: tuple[Row, ...], treatments: Sequence[Any], others: set[str], metric: Metric = ACCURACY
) -> Row | None:
    """Return the random policy with the best validation accuracy: the one to beat."""
    random = [
        row
        for row, treatment in zip(rows, treatments, strict=True)
        if row.accuracy and row.policy not in others and is_control(treatment)
    ]
    return max(random, key=lambda row: _standing(row, metric), default=None)


def _standing(row: Row, metric: Metric) -> float:
    """Rank a policy by its validation value, never by the test part; higher is better."""
    return metric.sign * row.validation.mean if row.validation else 0.0
