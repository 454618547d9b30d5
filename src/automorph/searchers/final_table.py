"""The final table: what was found against what needs no search, under paired seeds.

Nothing is chosen by it: the test part only judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import AutomorphError
from automorph.experiments import (
    Cell,
    Difference,
    Row,
    Verdict,
    curves_of,
    interval,
    judge,
    paired_difference,
    points,
    predictions_of,
    rows_of,
)
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, Uniform, load_policy
from automorph.searchers.base import JobResult
from automorph.searchers.child_training import Treatment, with_post_policy
from automorph.searchers.final_training import Final
from automorph.text import find_wordnet


@dataclass(frozen=True)
class Control:
    """A row of the final table: what a reader calls it, what is trained, and for how long."""

    label: str
    treatment: Treatment
    epoch_multiplier: int = 1

    def job(self, seed: int) -> Final:
        """Its training under a seed."""
        return Final(policy=self.treatment, seed=seed, epoch_multiplier=self.epoch_multiplier)


def entrants(
    found: Treatment, space: SearchSpace, post_policy: Policy, epoch_multiplier: int
) -> dict[str, Control]:
    """What was found and its controls, by the part they play; equal ones stand once.

    The controls: no augmentation, the tail alone, a random policy of the same space (drawn anew
    for every seed), RandAugment and TrivialAugment as published (on texts: the same draws from the
    space, and EDA where WordNet lies here), and the tail alone for as many
    times the epochs as ``longer`` says (the compute-matched control).
    """
    standing = {
        "found": Control(found.name, with_post_policy(found, post_policy)),
        "none": Control("none", load_policy("none")),
        "tail": Control(post_policy.name, post_policy),
        "random": _entrant(RandomPolicy(operations=space), post_policy),
        "randaugment": _entrant(_randaugment(space), post_policy),
        "trivialaugment": _entrant(trivialaugment(space), post_policy),
        **({"eda": _entrant(load_policy("eda"), post_policy)} if _eda_fits(space) else {}),
        "longer": Control(
            f"{post_policy.name}, {epoch_multiplier} times as long", post_policy, epoch_multiplier
        ),
    }
    standing["found"] = Control(standing["found"].treatment.name, standing["found"].treatment)
    kept: dict[str, Control] = {}
    for part, entrant in standing.items():
        if all(entrant.job(0).describe() != other.job(0).describe() for other in kept.values()):
            kept[part] = entrant
    return kept


def _eda_fits(space: SearchSpace) -> bool:
    return space.domain == "text" and find_wordnet() is not None


def _entrant(policy: Policy, post_policy: Policy) -> Control:
    treatment = with_post_policy(policy, post_policy)
    return Control(treatment.name, treatment)


def _randaugment(space: SearchSpace) -> Policy:
    if space.domain == "image":
        return load_policy("randaugment(n=2,m=9)")
    return Uniform(operations=space, length=2, low=0.3, high=0.3)


def trivialaugment(space: SearchSpace) -> Policy:
    """TrivialAugment as published; on texts the same draws from the space."""
    if space.domain == "image":
        return load_policy("trivialaugment")
    return Uniform(operations=space, length=1, levels=31)


@dataclass(frozen=True)
class FinalTable:
    """Its rows; curves and predictions on the test part (see `predictions_of`) by label."""

    rows: tuple[Row, ...]
    curves: dict[str, dict[str, Any]]
    predictions: dict[str, NDArray[np.int64]]


def table(
    standing: Mapping[str, Control],
    seeds: Sequence[int],
    outcomes: Mapping[tuple[str, int], JobResult],
    *,
    confidence: float = 0.95,
) -> FinalTable:
    """The table of all entrants, in their order."""
    parts = list(standing)
    labels = [standing[part].label for part in parts]
    results = {
        Cell(number, seed): _cell(outcomes[part, seed])
        for number, part in enumerate(parts)
        for seed in seeds
    }
    # The row of no augmentation may be what was found.
    base = standing["none"].label if "none" in standing else labels[0]
    return FinalTable(
        rows_of(labels, tuple(seeds), results, base, confidence),
        curves_of(labels, seeds, results),
        predictions_of(labels, seeds, results),
    )


def _cell(outcome: JobResult) -> dict[str, Any] | AutomorphError:
    if outcome.error:
        return AutomorphError(outcome.error)
    return {
        "test_accuracy": outcome.facts["test_accuracy"],
        "validation_accuracy": outcome.score,
        "seconds": outcome.seconds,
        "units": {"forward": outcome.units.forward, "backward": outcome.units.backward},
        "curves": outcome.facts["curves"],
        "predictions": outcome.facts.get("predictions"),
    }


def verdict_of(
    standing: Mapping[str, Control],
    rows: Sequence[Row],
    *,
    method: str,
    cost: float,
    seeds: int,
    confidence: float = 0.95,
    caveat: str = "",
) -> Verdict:
    """What the table says of the policy found, in words; controls it does not beat are named."""
    by_part = dict(zip(standing, rows, strict=True))
    found = by_part["found"]
    spent = f"The search cost as much as {cost:.1f} plain trainings."
    caveat = f"{caveat} " if caveat else ""
    if found.accuracy is None:
        return Verdict("unclear", f"{found.policy} failed in the final training. {spent}")
    basis = by_part.get("none")
    lead = judge(
        found.policy, "none", found.difference if basis else None,
        seeds=seeds, confidence=confidence,
    )  # fmt: skip
    if basis is None:
        text = f"The search with {method} found nothing better than no augmentation."
    else:
        # The judge speaks of a choice between rows; here the policy was found before.
        text = lead.text.replace("is best on the validation part", f"is what {method} found")
    told = f"{_longer(by_part)}{_against(by_part, found, confidence)}"
    # What to do comes first.
    return Verdict(lead.kind, f"{caveat}{_advice(by_part, found)}{text} {told}{spent}")


_CONTROLS = {
    "tail": "the tail alone",
    "random": "a random policy of the same space",
    "randaugment": "RandAugment as published",
    "trivialaugment": "TrivialAugment",
    "eda": "EDA",
    "longer": "longer plain training",
}


def longer_pays(by_part: Mapping[str, Row], *, confidence: float = 0.95) -> Difference | None:
    """By how much longer plain training is ahead of what was found, if it is beyond chance.

    This decides what is advised next, so it compares validation accuracies. The search chose its
    policy on the same part, which favours that policy: the advice is given rather too seldom.
    """
    found, longer = by_part["found"], by_part.get("longer")
    if longer is None or longer.validation is None or found.validation is None:
        return None
    values = longer.validation.values, found.validation.values
    gap = paired_difference(*values, confidence=confidence)
    return gap if gap.low is not None and gap.low > 0 else None


def _longer(by_part: Mapping[str, Row]) -> str:
    if (gap := longer_pays(by_part)) is None:
        return ""
    return (
        f"{by_part['longer'].policy} gains more than the search on the validation part "
        f"({points(gap.mean)}, {interval(gap)}): train longer first. "
    )


def _against(by_part: Mapping[str, Row], found: Row, confidence: float) -> str:
    """How the found policy does against each control, in words."""
    assert found.accuracy is not None
    groups: dict[str, list[str]] = {"It beats": [], "It is worse than": [], "Within chance of": []}
    for part, words in _CONTROLS.items():
        row = by_part.get(part)
        if row is None or row.accuracy is None:
            continue
        gap = paired_difference(found.accuracy.values, row.accuracy.values, confidence=confidence)
        beats = gap.low is not None and gap.low > 0
        worse = gap.high is not None and gap.high < 0
        if beats or worse:
            said = f"{words} ({points(gap.mean)}, {interval(gap)})"
            groups["It beats" if beats else "It is worse than"].append(said)
        else:
            groups["Within chance of"].append(words)
    return "".join(f"{lead} {', '.join(said)}. " for lead, said in groups.items() if said)


def simpler(by_part: Mapping[str, Row]) -> Row | None:
    """The simplest row that needs no search and is no worse on the validation part, if any is.

    Rather no augmentation than a random one that is half an example better.
    """
    found = by_part["found"]
    for part in _SIMPLEST:
        row = by_part.get(part)
        if row is None or row.validation is None or found.validation is None:
            continue
        if row.validation.mean >= found.validation.mean:
            return row
    return None


# The control that trains for longer is another recipe, not another policy.
_SIMPLEST = ("none", "tail", "trivialaugment", "randaugment", "eda", "random")


def _advice(by_part: Mapping[str, Row], found: Row) -> str:
    row = simpler(by_part)
    if row is None or row.validation is None or found.validation is None:
        return ""
    theirs, mine = (f"{100 * one.mean:.1f} %" for one in (row.validation, found.validation))
    return (
        f"Use {row.policy}, which needs no search: on the validation part it is no worse "
        f"({theirs} against {mine}). "
    )
