"""The verdict of a nested cross-validation: what to use, and what choosing in this way gains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from automorph.data import Folds
from automorph.experiments import (
    ACCURACY,
    Advice,
    Kind,
    Metric,
    Row,
    Verdict,
    advice_on_constant,
    judge,
)
from automorph.searchers.search_advice import advice_on_simpler, best_without_search
from automorph.searchers.search_verdict import Evidence


@dataclass(frozen=True)
class Picks:
    """The policy that is kept, what the search picked in every cell, and how often it was that."""

    kept: str
    names: tuple[str, ...]
    same: int

    @property
    def in_words(self) -> str:
        """How often the searches agree.

        >>> Picks("crop", ("crop", "flip"), 1).in_words
        'The search on all examples picked crop, and so did 1 of the 2 searches in the folds.'
        """
        cells = len(self.names)
        if self.same == cells:
            return f"All {cells + 1} searches picked {self.kept}."
        others = f"so did {self.same}" if self.same else "none"
        return (
            f"The search on all examples picked {self.kept}, and {others} of the {cells} searches "
            f"in the folds{'' if self.same else ' did'}."
        )


def nested_verdict(
    by_part: Mapping[str, Row],
    folds: Folds,
    picks: Picks,
    *,
    cost: float,
    confidence: float,
    metric: Metric,
    constant: bool,
    few: Advice | None,
) -> tuple[Verdict, Advice]:
    """Judge what the search picks by the table of all cells; recommend a policy.

    ``constant``: the networks of the picks always answer one class; ``few``: what to say if no row
    differs from none beyond chance.
    """
    table = Evidence(by_part, None, folds.cells, confidence, metric, folds)
    picked = by_part["found"]
    kind: Kind = "unclear"
    if picked.difference is not None:
        kind = judge(
            picked.policy, "none", picked.difference, seeds=folds.cells, confidence=confidence,
            metric=metric,
        ).kind  # fmt: skip
    advice = _advice(by_part, picks, metric, better=kind == "better", constant=constant, few=few)
    sentences = (
        advice.text,
        _gain(table, picks),
        picks.in_words,
        table.defaults(),
        f"The {folds.cells + 1} searches cost {cost:.1f} plain trainings.",
    )
    return Verdict(kind, " ".join(filter(None, sentences))), advice


def _advice(
    by_part: Mapping[str, Row],
    picks: Picks,
    metric: Metric,
    *,
    better: bool,
    constant: bool,
    few: Advice | None,
) -> Advice:
    """Return the recommendation; its policy is a part of the table, chosen by validation rows."""
    if constant:
        return advice_on_constant("found")
    if few is not None:
        return _of_few(by_part, few, metric)
    part = best_without_search(by_part, metric)
    if part == "found":  # Nothing else has a result.
        return Advice("use", "found", f"Use {picks.kept}.")
    name = by_part[part].policy
    words = "on the validation folds it is no worse than what the search picks"
    if advice := advice_on_simpler(by_part, metric, words):
        return advice
    if better:
        return Advice("use", "found", f"Use {picks.kept}.")
    return Advice("use", part, f"Use {name}: searching is not shown to gain over none.")


def _of_few(by_part: Mapping[str, Row], few: Advice, metric: Metric) -> Advice:
    """Return what usually helps, unless no augmentation is better on the validation folds."""
    part, usual = next(one for one in by_part.items() if one[1].policy == few.policy)
    plain = by_part["none"]
    if usual.validation and plain.validation:
        theirs, mine = (one.mean for one in (usual.validation, plain.validation))
        if metric.sign * theirs < metric.sign * mine:
            text = (
                f"{few.text.partition('. ')[0]}. Keep none: on the validation folds it is better "
                f"than what usually helps, {usual.policy} ({metric.value(mine)} against "
                f"{metric.value(theirs)})."
            )
            return Advice("keep", "none", text)
    return replace(few, policy=part)


def _gain(table: Evidence, picks: Picks) -> str:
    """Say what choosing in this way gains over what one would use without a search."""
    picked, metric = table.by_part["found"], table.metric
    if picked.accuracy is None:
        return f"{picked.policy} failed in the final training."
    known = [
        (part, gap)
        for part, row in table.by_part.items()
        # From a policy that every search picked, there is no difference.
        if part != "found" and {*picks.names} != {row.policy}
        if (gap := table.gap("found", part)) is not None
    ]
    gaps = [
        table.measured("found", part, gap, first=not place)
        for place, (part, gap) in enumerate(known)
    ]
    if not gaps:
        return ""
    of = "" if metric.name == ACCURACY.name and metric.share else f" in {metric.name}"
    direction = "" if metric.higher_is_better else " (lower is better)"
    return (
        "On examples that neither the search nor the training has seen, what the search picks "
        f"differs{of}{direction} from {', and from '.join(gaps)}: this is what choosing in this "
        "way gains on new data."
    )
