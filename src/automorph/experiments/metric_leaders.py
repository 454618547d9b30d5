"""Which policy leads by each metric, and why the leaders differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset, open_test
from automorph.experiments.job import JobResult
from automorph.experiments.metric import metric_for
from automorph.experiments.statistics import paired_difference
from automorph.experiments.table import Cell, tested
from automorph.metrics import Scorer

UNEVEN = 1.5
"""A class with more than this many times an even share of the examples is mentioned."""


def leaders_of(
    names: Sequence[str],
    seeds: Sequence[int],
    results: Mapping[Cell, JobResult],
    scorers: Sequence[Scorer],
) -> dict[str, str]:
    """Return the policy with the best mean validation value by each metric, by its title.

    Of equal policies, the one that leads by the first metric is taken. Empty without a validation
    part, and if no policy has finished.
    """
    found: dict[str, str] = {}
    for scorer in scorers:
        means = {}
        for place, name in enumerate(names):
            cells = [results[Cell(place, seed)] for seed in seeds]
            if any(cell.error for cell in cells):
                continue
            known = [cell.facts["metrics"].get("validation", {}).get(scorer.name) for cell in cells]
            if None not in known:
                means[name] = scorer.sign * fmean(known)
        if not means:
            return {}
        first = next(iter(found.values()), "")
        found[scorer.title] = max(means, key=lambda name: (means[name], name == first))
    return found


def why_leaders_differ(
    leaders: Mapping[str, str],
    scorers: Sequence[Scorer],
    names: Sequence[str],
    seeds: Sequence[int],
    results: Mapping[Cell, JobResult],
    data: Dataset,
    *,
    confidence: float,
    overlap: float = 0.0,
) -> list[str]:
    """Return why another policy leads by some metrics than by the first; else nothing.

    The text names the leaders, what each of these metrics judges, and which differences are clear.
    """
    if len(set(leaders.values())) < 2:
        return []
    labels = open_test(data).labels
    first, *others = scorers
    apart = [one for one in others if leaders[one.title] != leaders[first.title]]
    reasons = {kind_of(one): _what_it_judges(one, labels) for one in (first, *apart)}
    words = f"{_who_leads(leaders, first.title)}: {'; '.join(reasons.values())}."
    if len(seeds) > 1:
        values = {
            name: [results[Cell(place, seed)] for seed in seeds] for place, name in enumerate(names)
        }
        clear = _beyond_chance(
            leaders, first, apart, values, confidence=confidence, overlap=overlap
        )  # fmt: skip
        words += f" On the test part, {clear}."
    return [words]


def kind_of(scorer: Scorer) -> str:
    """Return what a metric judges: metrics of a kind differ for the same reason.

    >>> from automorph.metrics import load_metric
    >>> kind_of(load_metric("auroc", ("cat", "dog")))
    'ranking'
    """
    if scorer.point is not None:
        return "threshold"
    if scorer.uses == "probabilities":
        return "ranking" if scorer.higher_is_better else "probabilities"
    if scorer.positive is not None:
        return scorer.name.partition(":")[0]
    return "examples" if scorer.name == "accuracy" else "classes"


def _what_it_judges(scorer: Scorer, labels: NDArray[np.int64]) -> str:
    """Say what a metric judges on these examples."""
    counts = np.bincount(labels, minlength=len(scorer.classes))
    title, largest = scorer.title, int(counts.argmax())
    most, even = float(counts[largest] / counts.sum()), 1 / int(np.count_nonzero(counts))
    share = (
        f", and {most:.0%} of them are {scorer.classes[largest]!r}" if most > UNEVEN * even else ""
    )
    name = own = ""
    if scorer.positive is not None:
        name = repr(scorer.classes[scorer.positive])
        own = f"{counts[scorer.positive] / counts.sum():.0%} of the examples"
    return {
        "examples": f"{title} counts every test example alike{share}",
        "classes": f"{title} counts every class alike, however few examples it has",
        "recall": f"{title} counts only the examples of {name} ({own})",
        "precision": f"{title} counts only the examples that are called {name}",
        "f1": f"{title} counts only the examples that are {name} ({own}) or called so",
        "specificity": f"{title} counts only the examples that are not {name}",
        "threshold": f"{title} takes a threshold from the validation part, not the likeliest class",
        "ranking": f"{title} judges how examples are ranked, whatever the threshold",
        "probabilities": f"{title} judges how sure the answers are",
    }[kind_of(scorer)]


def _who_leads(leaders: Mapping[str, str], first: str) -> str:
    """Name the leaders, with the metrics by which they lead."""
    by_policy: dict[str, list[str]] = {}
    for title, policy in leaders.items():
        by_policy.setdefault(policy, []).append(title)
    best = leaders[first]
    words = f"By {_listed(by_policy.pop(best))}, {best!r} is the best policy on the validation part"
    others = [f"by {_listed(titles)}, {policy!r} is" for policy, titles in by_policy.items()]
    return f"{words}, but {'; '.join(others)}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _beyond_chance(
    leaders: Mapping[str, str],
    first: Scorer,
    apart: Sequence[Scorer],
    cells: Mapping[str, Sequence[JobResult]],
    *,
    confidence: float,
    overlap: float,
) -> str:
    """Say by which metrics the leaders differ beyond chance on the test part."""
    best, clear = leaders[first.title], dict[str, list[str]]()
    rivals = dict.fromkeys(leaders[scorer.title] for scorer in apart)
    pairs = [(scorer, leaders[scorer.title], best) for scorer in apart]
    pairs += [(first, best, rival) for rival in rivals]
    for scorer, lead, other in pairs:
        gap = paired_difference(
            tested(cells[lead], scorer), tested(cells[other], scorer), confidence=confidence,
            overlap=overlap,
        )  # fmt: skip
        lowest = metric_for(scorer).gain(gap).low
        if lowest is not None and lowest > 0:
            clear.setdefault(f"{lead!r} is ahead of {other!r} beyond chance", []).append(
                scorer.title
            )
    if not clear:
        return "these differences are within chance"
    return "; ".join(f"{words} by {_listed(titles)}" for words, titles in clear.items())
