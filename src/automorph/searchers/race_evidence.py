"""What the trainings of a race say: how candidates stand, by scores of the same examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import JobResult
from automorph.searchers.prior import Gain, posterior
from automorph.searchers.row_scores import rows_of

FEW_WRONG = 10
"""With fewer wrong predictions, the validation part cannot tell good candidates apart."""


@dataclass(frozen=True)
class Measured:
    """Results of a candidate on some splits: ``rows`` are scores of their examples, ``(n,)`` each.

    Lower scores are better. Without any (of the user's own training), only the mean ``score`` and
    ``loss`` count. ``wrong`` of ``examples`` were predicted wrongly.
    """

    score: float
    loss: float
    rows: tuple[NDArray[np.float64], ...]
    wrong: int | None
    examples: int


@dataclass(frozen=True)
class Place:
    """A candidate's ``gain`` over the reference, and the standard error against the leader."""

    candidate: int
    gain: float
    error: float


def measured_of(
    outcomes: Mapping[int, Sequence[JobResult]], *, scaled: bool
) -> dict[int, Measured]:
    """Return what the results on the same splits say of each candidate; failed ones have none.

    Splits on which every training failed are left out. ``scaled``: after temperature scaling.
    """
    count = min((len(own) for own in outcomes.values()), default=0)
    usable = [
        split
        for split in range(count)
        if any(math.isfinite(own[split].score) for own in outcomes.values())
    ]
    found = {}
    for candidate, own in outcomes.items():
        results = [own[split] for split in usable]
        if results and all(math.isfinite(result.score) for result in results):
            found[candidate] = _measured(results, "scaled" if scaled else "brier")
    return found


def is_saturated(measured: Mapping[int, Measured]) -> bool:
    """Whether two candidates have too few wrong predictions to show a difference."""
    wrong = sorted(one.wrong for one in measured.values() if one.wrong is not None)
    return len(wrong) > 1 and wrong[1] < FEW_WRONG


def places_of(
    measured: Mapping[int, Measured],
    reference: int | None,
    prior: Mapping[int, Gain] | None = None,
) -> list[Place]:
    """Return the candidates, best first; equal ones in their own order.

    Gains are over the ``reference`` (None: the best), and posterior means if there is a ``prior``
    of gains over the reference.
    """
    if not measured:
        return []
    if not all(one.rows for one in measured.values()):
        order = sorted(measured, key=lambda i: (-measured[i].score, measured[i].loss, i))
        return [Place(i, measured[i].score, 0.0 if i == order[0] else math.inf) for i in order]
    if reference is None or reference not in measured:
        reference = min(measured, key=lambda i: (_mean(measured[i]), i))
        prior = _relative_to(reference, prior)
    noise, gains = training_noise(measured), {}
    for candidate, one in measured.items():
        gain, error = difference(measured[reference], one, noise)
        gains[candidate] = posterior(gain, error, (prior or {}).get(candidate))
    order = sorted(gains, key=lambda i: (-gains[i], i))
    best = measured[order[0]]
    return [
        Place(i, gains[i], 0.0 if i == order[0] else difference(measured[i], best, noise)[1])
        for i in order
    ]


def difference(one: Measured, other: Measured, noise: float = 0.0) -> tuple[float, float]:
    """Return how much better ``other`` is on the same examples, and the standard error.

    The error is that over the examples, but not below the ``noise`` of trainings.
    """
    gaps = np.concatenate(one.rows) - np.concatenate(other.rows)
    error = gaps.std(ddof=1) / math.sqrt(len(gaps)) if len(gaps) > 1 else math.inf
    return float(gaps.mean()), max(float(error), noise)


def training_noise(measured: Mapping[int, Measured]) -> float:
    """Return the standard error of a mean difference that differences between splits suggest.

    It is the mean over all pairs of candidates, as two splits alone say little of one pair. With
    one split it is 0, because nothing is known.
    """
    means = np.array([[rows.mean() for rows in one.rows] for one in measured.values()])
    if means.ndim < 2 or means.shape[1] < 2 or len(means) < 2:
        return 0.0
    gaps = means[:, None] - means[None]
    variances = gaps.var(axis=2, ddof=1)[np.triu_indices(len(means), 1)]
    return math.sqrt(float(variances.mean()) / means.shape[1])


def _relative_to(reference: int, prior: Mapping[int, Gain] | None) -> dict[int, Gain] | None:
    """Return priors of gains over another reference, whose own gain is as uncertain."""
    if not prior or reference not in prior:
        return None
    base = prior[reference]
    return {
        candidate: Gain(one.mean - base.mean, one.variance + base.variance)
        for candidate, one in prior.items()
        if candidate != reference
    }


def _measured(results: Sequence[JobResult], kind: str) -> Measured:
    facts = [result.facts for result in results]
    known = all(kind in one for one in facts)
    losses = [float(one["loss"]) for one in facts if one.get("loss") is not None]
    return Measured(
        fmean(result.score for result in results),
        fmean(losses) if losses else 0.0,
        tuple(rows_of(one, kind) for one in facts) if known else (),
        sum(int(one["wrong"]) for one in facts) if all("wrong" in one for one in facts) else None,
        sum(int(one.get("examples") or 0) for one in facts),
    )


def _mean(one: Measured) -> float:
    return float(np.concatenate(one.rows).mean())
