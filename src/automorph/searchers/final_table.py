"""The final table: the winner of the search and its controls, under paired seeds.

Only its trainings see the test part, once each; nothing is chosen by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import (
    ACCURACY,
    Advice,
    Cell,
    Difference,
    FullTraining,
    JobResult,
    Kind,
    Metric,
    Row,
    Treatment,
    Verdict,
    advice_on_constant,
    curves_of,
    external_rows,
    judge,
    metric_for,
    never_called,
    not_converged,
    paired_difference,
    predictions_of,
    repeated_trainings,
    rows_of,
)
from automorph.metrics import Scorer
from automorph.operations import SearchSpace
from automorph.policies import Policy, RandomPolicy, Uniform, load_policy
from automorph.searchers.child_training import with_post_policy
from automorph.text import find_wordnet


@dataclass(frozen=True)
class Control:
    """A row of the final table: its label, what is trained, and for how long."""

    label: str
    treatment: Treatment
    epoch_multiplier: int = 1

    def job(self, seed: int) -> FullTraining:
        """Return its training under a seed."""
        return FullTraining(
            policy=self.treatment, seed=seed, epoch_multiplier=self.epoch_multiplier
        )


def controls_of(
    winner: Treatment, space: SearchSpace, post_policy: Policy, epoch_multiplier: int
) -> dict[str, Control]:
    """Return the winner of the search and its controls by their part; equal ones appear once.

    The controls: no augmentation, the post-policy alone, a random policy of the same space (a new
    draw for every seed), RandAugment and TrivialAugment as published (on texts: the same draws from
    the space, and EDA if WordNet is installed), and the post-policy alone for ``epoch_multiplier``
    times the epochs (the compute-matched control).
    """
    treatment = with_post_policy(winner, post_policy)
    controls = {
        "found": Control(treatment.name, treatment),
        "none": Control("none", load_policy("none")),
        "tail": Control(post_policy.name, post_policy),
        "random": _control(RandomPolicy(operations=space), post_policy),
        "randaugment": _control(_randaugment(space), post_policy),
        "trivialaugment": _control(trivialaugment(space), post_policy),
        **({"eda": _control(load_policy("eda"), post_policy)} if _eda_fits(space) else {}),
        "longer": Control(
            f"{post_policy.name}, {epoch_multiplier} times as long", post_policy, epoch_multiplier
        ),
    }
    kept: dict[str, Control] = {}
    for part, control in controls.items():
        if all(control.job(0).describe() != other.job(0).describe() for other in kept.values()):
            kept[part] = control
    return kept


def _eda_fits(space: SearchSpace) -> bool:
    return space.domain == "text" and find_wordnet() is not None


def _control(policy: Policy, post_policy: Policy) -> Control:
    treatment = with_post_policy(policy, post_policy)
    return Control(treatment.name, treatment)


def _randaugment(space: SearchSpace) -> Policy:
    if space.domain == "image":
        return load_policy("randaugment(n=2,m=9)")
    return Uniform(operations=space, length=2, low=0.3, high=0.3)


def trivialaugment(space: SearchSpace) -> Policy:
    """Return TrivialAugment as published; on texts, the same draws from the space."""
    if space.domain == "image":
        return load_policy("trivialaugment")
    return Uniform(operations=space, length=1, levels=31)


@dataclass(frozen=True)
class FinalTable:
    """The rows, and curves and predictions on the test part (see `predictions_of`) by label.

    Of the user's own training, there are only rows, over the ``seeds`` that all controls finished;
    ``remarks`` say what is missing.
    """

    rows: tuple[Row, ...]
    seeds: tuple[int, ...]
    curves: dict[str, dict[str, Any]] = field(default_factory=dict)
    predictions: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    metric: Metric = ACCURACY
    remarks: tuple[str, ...] = ()
    also: tuple[Metric, ...] = ()


def table(
    controls: Mapping[str, Control],
    seeds: Sequence[int],
    outcomes: Mapping[tuple[str, int], JobResult],
    *,
    confidence: float = 0.95,
    own: bool = False,
    scorers: Sequence[Scorer] = (),
) -> FinalTable:
    """Build the table of all controls, in their order; ``own``: of the user's own training.

    ``scorers`` are the metrics of the task, if it asks for others than accuracy.
    """
    parts = list(controls)
    labels = [controls[part].label for part in parts]
    results = {
        Cell(number, seed): outcomes[part, seed]
        for number, part in enumerate(parts)
        for seed in seeds
    }
    # No augmentation may have won the search; its row is then named differently.
    base = controls["none"].label if "none" in controls else labels[0]
    if own:
        made = external_rows(labels, seeds, results, base, confidence)
        return FinalTable(made.rows, made.seeds, metric=made.metric, remarks=made.remarks)
    predictions = predictions_of(labels, seeds, results)
    metric, *also = map(metric_for, scorers) if scorers else (ACCURACY,)
    return FinalTable(
        rows_of(labels, tuple(seeds), results, base, confidence, scorers),
        tuple(seeds),
        curves_of(labels, seeds, results),
        predictions,
        metric,
        (
            *not_converged(labels, results), *repeated_trainings(labels, results),
            *never_called(predictions, scorers),
        ),
        tuple(also),
    )  # fmt: skip


def verdict_of(
    controls: Mapping[str, Control],
    rows: Sequence[Row],
    *,
    method: str,
    cost: float,
    seeds: int,
    confidence: float = 0.95,
    caveat: str = "",
    metric: Metric = ACCURACY,
    constant: bool = False,
) -> tuple[Verdict, Advice]:
    """Judge the winner of the search by the table; name the controls it does not beat.

    ``constant``: under every seed, the networks of the winner always answer one class. The advice
    is that of `advice_of`.
    """
    by_part = dict(zip(controls, rows, strict=True))
    winner = by_part["found"]
    spent = f"The search cost {cost:.1f} plain trainings."
    caveat = f"{caveat} " if caveat else ""
    basis = by_part.get("none")
    if winner.accuracy is None:
        kind: Kind = "unclear"
        text = f"{winner.policy} failed in the final training."
    elif basis is None:
        kind, text = "unclear", f"The search with {method} found nothing better than none."
    else:
        lead = judge(
            winner.policy, "none", winner.difference, seeds=seeds, confidence=confidence,
            metric=metric,
        )  # fmt: skip
        # `judge` words it as a choice between rows; here the search chose before.
        text = lead.text.replace("is best on the validation part", f"is what {method} found")
        kind = lead.kind
    advice = advice_of(by_part, kind, seeds=seeds, metric=metric, constant=constant)
    against = _against(by_part, winner, confidence, metric) if winner.accuracy else ""
    # Advice comes first.
    return Verdict(kind, f"{caveat}{advice.text} {text} {against}{spent}"), advice


def advice_of(
    by_part: Mapping[str, Row],
    kind: Kind,
    *,
    seeds: int,
    metric: Metric = ACCURACY,
    constant: bool = False,
) -> Advice:
    """Return the one recommendation of a search; its ``policy`` is a part of the table.

    The policy is chosen by the validation part alone: longer plain training, if it beats the policy
    found beyond chance; else a simpler one that is no worse; else the one found. If the test part
    (``kind``) does not show that it is better than none, it is to be compared under more seeds.
    """
    winner = by_part["found"]
    if constant:
        return advice_on_constant("found")
    if winner.accuracy is not None and (gap := longer_pays(by_part, metric)) is not None:
        text = (
            f"Train {by_part['longer'].policy}: on the validation part it gains more than the "
            f"policy found ({metric.difference(gap.mean)}, {metric.interval(gap)})."
        )
        return Advice("train longer", "longer", text)
    if winner.accuracy is None:
        row = _best(by_part, metric)
        return Advice("keep", row, f"Use {by_part[row].policy}.")
    if (plain := simpler(by_part, metric)) is not None:
        part = next(part for part, one in by_part.items() if one is plain)
        assert plain.validation is not None
        assert winner.validation is not None
        theirs, mine = (metric.value(one.mean) for one in (plain.validation, winner.validation))
        text = (
            f"Use {plain.policy}, which needs no search: on the validation part it is no worse "
            f"({theirs} against {mine})."
        )
        return Advice("use", part, text)
    if "none" not in by_part:
        return Advice("keep", "found", f"Use {winner.policy}.")
    if kind == "better":
        return Advice("use", "found", f"Use {winner.policy}.")
    more = max(10, 2 * seeds)
    text = f"Compare {winner.policy} with none under {more} seeds before you use it."
    return Advice("compare", "found", text, more)


def _best(by_part: Mapping[str, Row], metric: Metric) -> str:
    """Return the part of the best validation value that is not the search's and not longer."""
    known = [part for part in _SIMPLEST if part in by_part and by_part[part].validation]
    return max(known, key=lambda part: metric.sign * by_part[part].validation.mean,  # type: ignore[union-attr]
               default="found")  # fmt: skip


_CONTROLS = {
    "tail": "the post-policy alone",
    "random": "a random policy of the same space",
    "randaugment": "RandAugment as published",
    "trivialaugment": "TrivialAugment",
    "eda": "EDA",
    "longer": "longer plain training",
}


def longer_pays(
    by_part: Mapping[str, Row], metric: Metric = ACCURACY, *, confidence: float = 0.95
) -> Difference | None:
    """Return the lead of longer plain training over the winner, if it is beyond chance.

    It decides which command is recommended next, so it compares validation accuracies. The search
    chose its policy on the same part, which favours that policy: the test is conservative.
    """
    winner, longer = by_part["found"], by_part.get("longer")
    if longer is None or longer.validation is None or winner.validation is None:
        return None
    values = longer.validation.values, winner.validation.values
    gap = paired_difference(*values, confidence=confidence)
    low = metric.gain(gap).low
    return gap if low is not None and low > 0 else None


def _against(by_part: Mapping[str, Row], winner: Row, confidence: float, metric: Metric) -> str:
    """Compare the winner with each control, in words."""
    assert winner.accuracy is not None
    groups: dict[str, list[str]] = {"It beats": [], "It is worse than": [], "Within chance of": []}
    for part, words in _CONTROLS.items():
        row = by_part.get(part)
        if row is None or row.accuracy is None:
            continue
        gap = paired_difference(winner.accuracy.values, row.accuracy.values, confidence=confidence)
        better = metric.gain(gap)
        beats = better.low is not None and better.low > 0
        worse = better.high is not None and better.high < 0
        if beats or worse:
            gain = f"{words} ({metric.difference(gap.mean)}, {metric.interval(gap)})"
            groups["It beats" if beats else "It is worse than"].append(gain)
        else:
            groups["Within chance of"].append(words)
    return "".join(f"{lead} {', '.join(names)}. " for lead, names in groups.items() if names)


def simpler(by_part: Mapping[str, Row], metric: Metric = ACCURACY) -> Row | None:
    """Return the simplest row without a search that is no worse on the validation part, or None.

    No augmentation is preferred to a random policy that is half an example better.
    """
    winner = by_part["found"]
    for part in _SIMPLEST:
        row = by_part.get(part)
        if row is None or row.validation is None or winner.validation is None:
            continue
        if metric.sign * row.validation.mean >= metric.sign * winner.validation.mean:
            return row
    return None


# The longer control is excluded: it is another recipe, not another policy.
_SIMPLEST = ("none", "tail", "trivialaugment", "randaugment", "eda", "random")
