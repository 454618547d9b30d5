"""The verdict of a search: what to use, how sure that is, and what the usual defaults cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automorph.data import Folds
from automorph.experiments import (
    ACCURACY,
    Advice,
    Difference,
    Kind,
    Looks,
    Metric,
    Row,
    Verdict,
    judge,
    paired_difference,
    pairs_in_words,
)
from automorph.searchers.final_table import Control
from automorph.searchers.search_advice import advice_of

USUAL = ("trivialaugment", "eda")
"""Parts of the table that one would use without a search, beside the post-policy."""
_CONTROLS = {
    "random": "a random policy of the same space",
    "randaugment": "RandAugment as published",
    "longer": "longer plain training",
}
"""The controls that only the whole table has (``controls="all"``), in words."""
_WHERE = {"test": "on the test part", "validation": "on the validation data"}


def verdict_of(
    controls: Mapping[str, Control],
    rows: Sequence[Row],
    *,
    method: str,
    cost: float,
    seeds: int,
    looks: Looks | None = None,
    confidence: float = 0.95,
    caveat: str = "",
    metric: Metric = ACCURACY,
    constant: bool = False,
    few: Advice | None = None,
) -> tuple[Verdict, Advice]:
    """Judge the winner of the search by the table: what to use, how sure, what defaults cost.

    ``looks`` is the design of the table (None: ``seeds`` fixed), which ended after ``seeds``.
    ``constant``: under every seed, the networks of the winner always answer one class. ``few``:
    what to say of data with too few examples, if nothing is shown. The advice is that of
    `advice_of`.
    """
    by_part = dict(zip(controls, rows, strict=True))
    design = looks or Looks(seeds, seeds)
    table = Evidence(by_part, design, seeds, confidence, metric)
    winner = by_part["found"]
    kind: Kind = "unclear"
    if winner.accuracy is not None and winner.difference is not None:
        kind = judge(
            winner.policy, "none", winner.difference, seeds=seeds, confidence=confidence,
            metric=metric,
        ).kind  # fmt: skip
    if few is not None and any(map(table.sign, table.gaps_of_defaults().values())):
        few = None
    advice = advice_of(
        by_part, kind, seeds=seeds, metric=metric, constant=constant, looks=design, few=few
    )
    sentences = (
        advice.text,
        table.how_sure(advice.policy, method),
        table.defaults(),
        caveat,
        table.other_controls(),
        f"The search cost {cost:.1f} plain trainings.",
    )
    return Verdict(kind, " ".join(filter(None, sentences))), advice


@dataclass(frozen=True)
class Evidence:
    """The rows of a final table by part, and sentences that compare them.

    The values of a row are those of its seeds, in the design ``looks``, or of the cells of
    ``folds``.
    """

    by_part: Mapping[str, Row]
    looks: Looks | None
    seeds: int
    confidence: float = 0.95
    metric: Metric = ACCURACY
    folds: Folds | None = None

    def gap(self, part: str, other: str) -> Difference | None:
        """Return the difference of two rows; None if one is missing, failed or stopped early."""
        rows = [self.by_part.get(name) for name in (part, other)]
        values = [one.accuracy.values for one in rows if one and one.accuracy and not one.note]
        if len(values) < 2:
            return None
        if self.looks is None:
            overlap = 0.0 if self.folds is None else self.folds.overlap
            return paired_difference(*values, confidence=self.confidence, overlap=overlap)
        return self.looks.difference(*values, confidence=self.confidence)

    def how_sure(self, part: str, method: str) -> str:
        """Say how the recommended part compares with none, and what the search found with it."""
        winner, metric = self.by_part["found"], self.metric
        if winner.accuracy is None:
            return f"{winner.policy} failed in the final training."
        others = [one for one in ("none", *USUAL) if one in self.by_part and one != part]
        if part != "found":
            others = ["found"] if part == "none" else ["none", "found"]
        said = [
            (other, gap)
            for other in others
            if (gap := self.gap(*((other, part) if part == "none" else (part, other))))
        ]
        found = f"{method} found {winner.policy}"
        if "none" not in self.by_part:
            found = f"{method} found nothing better than none"
        if not said:
            return f"{found}."
        of = "" if metric.name == ACCURACY.name and metric.share else f" in {metric.name}"
        direction = "" if metric.higher_is_better else " (lower is better)"
        subject = "it" if part == "found" else self.by_part[part].policy
        head = f"{_WHERE[metric.part]} {subject} differs{of}{direction} from "
        if part == "none":
            head = f"what {method} found, {winner.policy}, differs from it{of}{direction} "
        elif part == "found":
            head = f"{found}; {head}"
        text = head[0].upper() + head[1:] if part != "found" else head
        text += ", and from ".join(
            self.measured(part, other, gap, method, first=not place)
            for place, (other, gap) in enumerate(said)
        )
        if self.seeds == 1:
            text += ". A single seed cannot distinguish this from chance"
        if metric.part == "validation":
            text += ". There are no test values, and these validation values also chose the policy"
        return f"{text}."

    def measured(
        self, part: str, other: str, gap: Difference, method: str = "", *, first: bool
    ) -> str:
        """Write a difference with its interval; the ``first`` of a sentence says what it is."""
        row, metric = self.by_part[other], self.metric
        name = f"{row.policy}, which {method} found," if other == "found" else row.policy
        level = f"{self.confidence:.0%} interval " if first and gap.low is not None else ""
        pairs = f"; {self._pairs()}" if first else ""
        # Of the differences from none, the p-value is corrected for the number of policies.
        corrected = self.by_part[part].difference if other == "none" else None
        p = None if corrected is None else corrected.p_adjusted
        clear = self.sign(gap) != 0 if p is None else p < 1 - self.confidence
        return (
            f"{'' if part == 'none' else f'{name} '}by {metric.difference(gap.mean)}{metric.unit} "
            f"({level}{self._interval(gap)}{pairs}), {'beyond' if clear else 'within'} chance"
        )

    def gaps_of_defaults(self) -> dict[str, Difference]:
        """Return the differences of the usual defaults from none, by part; those that are known."""
        base = "none" if "none" in self.by_part else "found"  # The search may have found none.
        gaps = {part: self.gap(part, base) for part in ("tail", *USUAL)}
        return {part: gap for part, gap in gaps.items() if gap is not None}

    def defaults(self) -> str:
        """Say what the usual defaults cost on this data, if that is beyond chance."""
        if self.seeds == 1:
            return ""
        known = self.gaps_of_defaults()
        costs = [
            f"{self.by_part[part].policy} costs {self._size(gap)} ({self._interval(gap)})"
            for part, gap in known.items()
            if self.sign(gap) < 0
        ]
        if costs:
            return f"The usual defaults do harm here: {' and '.join(costs)} against none."
        gains = [
            f"{self.by_part[part].policy} gains {self._size(gap)}"
            for part, gap in known.items()
            if part != "tail" and self.sign(gap) > 0
        ]
        if gains:
            return f"The usual default does help here: {gains[0]} over none."
        return "No usual default is shown to help or to harm here." if known else ""

    def other_controls(self) -> str:
        """Compare the policy found with the controls of the whole table."""
        groups: dict[str, list[str]] = {
            "It beats": [], "It is worse than": [], "Within chance of": [],
        }  # fmt: skip
        for part, words in _CONTROLS.items():
            if (gap := self.gap("found", part)) is None:
                continue
            sign = self.sign(gap)
            gain = f"{words} ({self.metric.difference(gap.mean)}, {self.metric.interval(gap)})"
            if sign:
                groups["It beats" if sign > 0 else "It is worse than"].append(gain)
            else:
                groups["Within chance of"].append(words)
        return " ".join(f"{lead} {', '.join(names)}." for lead, names in groups.items() if names)

    def sign(self, gap: Difference) -> int:
        """Return 1 if a gain is beyond chance, -1 if a loss is, else 0."""
        better = self.metric.gain(gap)
        if better.low is None or better.high is None:
            return 0
        return 1 if better.low > 0 else -1 if better.high < 0 else 0

    def _interval(self, gap: Difference) -> str:
        if gap.low is None and self.seeds > 1:
            return "no interval, because the differences are equal"
        return self.metric.interval(gap)

    def _pairs(self) -> str:
        if self.looks is None:
            return pairs_in_words(self.folds, self.seeds)
        most = "" if self.seeds == self.looks.cap else f" of at most {self.looks.cap}"
        return f"{self.seeds} paired seed{'s' * (self.seeds > 1)}{most}"

    def _size(self, gap: Difference) -> str:
        size = self.metric.difference(abs(gap.mean)).lstrip("+")
        return f"{size}{self.metric.unit}"
