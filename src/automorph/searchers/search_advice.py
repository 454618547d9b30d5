"""The advice of a search: which policy of its final table to use, and what to measure first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from automorph.data import FEW, Dataset
from automorph.experiments import (
    ACCURACY,
    Advice,
    Difference,
    Kind,
    Looks,
    Metric,
    Row,
    advice_on_constant,
    advice_on_few,
)

_BY_FOLDS = (
    "To test on every example, search with --folds 5 (folds=5): the search then runs anew in every "
    "fold, at the cost of 11 searches."
)
_REACH = 1.96 + 0.84
"""Standard errors that are noticed at 95 % confidence with a probability of 80 %."""


def advice_of(
    by_part: Mapping[str, Row],
    kind: Kind,
    *,
    seeds: int,
    metric: Metric = ACCURACY,
    constant: bool = False,
    looks: Looks | None = None,
    few: Advice | None = None,
) -> Advice:
    """Return the one recommendation of a search; its ``policy`` is a part of the table.

    The policy is chosen by the validation part alone: longer plain training, if it beats the policy
    found beyond chance; else a simpler one that is no worse; else the one found. If the test part
    (``kind``) does not show that it is better than none, it is to be compared under more seeds, or,
    with too ``few`` examples, by cross-validation; if the search found none on such data, the
    advice is that of ``few``, whose policy need not be in the table.
    """
    winner = by_part["found"]
    if constant:
        return advice_on_constant("found")
    if (
        winner.accuracy is not None
        and (gap := longer_pays(by_part, metric, looks=looks)) is not None
    ):
        text = (
            f"Train {by_part['longer'].policy}: on the validation part it gains more than the "
            f"policy found ({metric.difference(gap.mean)}, {metric.interval(gap)})."
        )
        return Advice("train longer", "longer", text)
    if winner.accuracy is None:
        row = best_without_search(by_part, metric)
        return Advice("keep", row, f"Use {by_part[row].policy}.")
    if few is not None and kind != "better":
        if "none" not in by_part:
            return few
        text = (
            f"{few.text.partition('. ')[0]}. Compare {winner.policy} with none by cross-validation "
            f"before you use it. {_BY_FOLDS}"
        )
        return Advice("compare", "found", text)
    if advice := advice_on_simpler(by_part, metric, "on the validation part it is no worse"):
        return advice
    if "none" not in by_part:
        return Advice("keep", "found", f"Use {winner.policy}.")
    if kind == "better":
        return Advice("use", "found", f"Use {winner.policy}.")
    more = max(10, 2 * seeds)
    text = f"Compare {winner.policy} with none under {more} seeds before you use it."
    return Advice("compare", "found", text, more)


def advice_on_simpler(by_part: Mapping[str, Row], metric: Metric, words: str) -> Advice | None:
    """Recommend a policy that needs no search and is no worse on validation data; see `simpler`."""
    if (plain := simpler(by_part, metric)) is None:
        return None
    part = next(part for part, one in by_part.items() if one is plain)
    both = plain.validation, by_part["found"].validation
    theirs, mine = (metric.value(one.mean) for one in both if one is not None)
    text = f"Use {plain.policy}, which needs no search: {words} ({theirs} against {mine})."
    return Advice("use", part, text)


def best_without_search(by_part: Mapping[str, Row], metric: Metric) -> str:
    """Return the part of the best validation value that is not the search's and not longer."""
    known = [part for part in _SIMPLEST if part in by_part and by_part[part].validation]
    return max(known, key=lambda part: metric.sign * by_part[part].validation.mean,  # type: ignore[union-attr]
               default="found")  # fmt: skip


def longer_pays(
    by_part: Mapping[str, Row],
    metric: Metric = ACCURACY,
    *,
    confidence: float = 0.95,
    looks: Looks | None = None,
) -> Difference | None:
    """Return the lead of longer plain training over the winner, if it is beyond chance.

    It decides which command is recommended next, so it compares validation accuracies. The search
    chose its policy on the same part, which favours that policy: the test is conservative.
    """
    winner, longer = by_part["found"], by_part.get("longer")
    if longer is None or longer.validation is None or winner.validation is None or longer.note:
        return None
    values = longer.validation.values, winner.validation.values
    design = looks or Looks(len(values[0]), len(values[0]))
    gap = design.difference(*values, confidence=confidence)
    low = metric.gain(gap).low
    return gap if low is not None and low > 0 else None


def simpler(by_part: Mapping[str, Row], metric: Metric = ACCURACY) -> Row | None:
    """Return the simplest row without a search that is no worse on the validation part, or None.

    No augmentation is preferred to a random policy that is half an example better, and to all
    others if the search found nothing better than it.
    """
    winner = by_part["found"]
    if "none" not in by_part:
        return None
    for part in _SIMPLEST:
        row = by_part.get(part)
        if row is None or row.validation is None or winner.validation is None or row.note:
            continue
        if metric.sign * row.validation.mean >= metric.sign * winner.validation.mean:
            return row
    return None


# The longer control is excluded: it is another recipe, not another policy.
_SIMPLEST = ("none", "tail", "trivialaugment", "randaugment", "eda", "random")


def few_in(data: Dataset, by_part: Mapping[str, Row], metric: Metric) -> Advice | None:
    """Return what to say of data with fewer than `FEW` examples, if their classes are tested.

    The policy is the part of the table that usually helps. What the test part shows reliably, of
    accuracy, supposes that two networks differ on as many examples as one of them has wrong, and on
    three at least, of which none may be seen by chance (the rule of three).
    """
    tested = data.sizes.get("test", 0)
    total = sum(data.sizes.values())
    usual = next((part for part in ("trivialaugment", "eda") if part in by_part), None)
    wins = by_part["found"].accuracy
    if total >= FEW or not tested or usual is None or data.target != "classes" or wins is None:
        return None
    shown = None
    if metric.name == ACCURACY.name:
        differ = max(1 - wins.mean, 3 / tested)
        shown = _REACH * math.sqrt(differ / tested)
    shape = data.train.data.shape
    said = advice_on_few(
        data.domain, shape[-1] if len(shape) == 4 else 1, examples=tested, shown=shown,
        part="test ", policy=by_part[usual].policy,
    )  # fmt: skip
    return replace(said, policy=usual, text=f"{said.text} {_BY_FOLDS}")
