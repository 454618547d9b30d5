"""Correct and incorrect predictions: by class, and the most informative examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from automorph.data import Split
    from automorph.experiments import Comparison
    from automorph.training import RunResult, Task

SHOWN = 16
"""Maximum number of examples of one kind."""

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]


def by_class(task: Task, predictions: Mapping[str, Numbers]) -> dict[str, list[float | None]]:
    """Return test accuracy by policy and class, or F1 by label; None for one without examples."""
    if task.data.target not in ("classes", "labels"):
        return {}
    part = _test(task)
    found = {}
    for name, predicted in predictions.items():
        scores = task.target.scores(predicted, part.expected)
        found[name] = [None if np.isnan(score) else float(score) for score in scores]
    return found


def base_rate_of(task: Task) -> dict[str, Any] | None:
    """Return the most frequent class of the test part, and the accuracy of always answering it."""
    from automorph.experiments import base_rate

    if task.data.target != "classes":
        return None
    name, accuracy = base_rate(_test(task).labels, task.data.classes)
    return {"class": name, "accuracy": accuracy}


def notable_examples_of(task: Task, comparison: Comparison) -> dict[str, dict[str, Any]]:
    """Return the most informative examples of a comparison."""
    ends = {"winner": comparison.winner, "baseline": comparison.baseline}
    return notable_examples(task, comparison.predictions, **ends)


def notable_examples(
    task: Task, predictions: Mapping[str, Numbers], *, winner: str, baseline: str
) -> dict[str, dict[str, Any]]:
    """Return test examples ``{"examples", "words"}`` by title.

    Those that the winner classifies correctly and the baseline does not, the reverse, and those
    that every policy and seed misclassifies, highest agreement first: their labels may be wrong.
    For a single network (``winner`` is ``baseline``), only its errors.
    """
    if task.data.target == "masks" and predictions:
        return _masks(task, predictions, winner=winner, baseline=baseline)
    if not predictions or task.data.target != "classes":
        return {}
    part = _test(task)
    right = {
        name: task.target.correct(found, part.labels).mean(axis=0)
        for name, found in predictions.items()
    }
    never = ~np.any([shares > 0 for shares in right.values()], axis=0)
    called, agreed = _mistaken(part.labels, predictions.values(), len(task.data.classes))
    kinds: dict[str, tuple[Shares, Numbers]] = {}
    if winner != baseline and {winner, baseline} <= set(right):
        ahead = right[winner] - right[baseline]
        theirs, mine = (
            _mistaken(part.labels, [predictions[name]], len(task.data.classes))[0]
            for name in (baseline, winner)
        )
        kinds[f"Correct with {winner}, incorrect with {baseline}"] = (ahead, theirs)
        kinds[f"Correct with {baseline}, incorrect with {winner}"] = (-ahead, mine)
    several = len(predictions) > 1 or len(next(iter(predictions.values()))) > 1
    title = "Incorrect under every policy and seed" if several else "Incorrect"
    title = f"{title}: {never.sum():,} of {len(part):,}"
    kinds[title] = (np.where(never, agreed, 0.0), called)
    found = {}
    for name, (shares, calls) in kinds.items():
        rows = _largest(shares)
        if len(rows):
            found[name] = {"examples": part.data[rows], "words": _words(task, rows, calls)}
    return found


MASKS = 6
"""Maximum number of images with masks."""


def _masks(
    task: Task, predictions: Mapping[str, Numbers], *, winner: str, baseline: str
) -> dict[str, dict[str, Any]]:
    """Return test images beside their masks and those predicted under the first seed.

    Those on which the winner is most ahead of the baseline and most behind it, by pixel accuracy;
    for a single network, the best and the worst.
    """
    from automorph.report import beside

    part = _test(task)
    shares = {
        name: task.target.correct(found, part.expected).mean(axis=0)
        for name, found in predictions.items()
    }
    if winner != baseline and {winner, baseline} <= set(shares):
        gain, shown = shares[winner] - shares[baseline], [baseline, winner]
        titles = f"{winner} most ahead of {baseline}", f"{baseline} most ahead of {winner}"
    elif winner in shares:
        gain, shown = -shares[winner], [winner]
        titles = "Most wrong pixels", "Most right pixels"
    else:
        return {}
    found = {}
    for title, order in zip(titles, (-gain, gain), strict=True):
        rows = np.argsort(order, kind="stable")[:MASKS]
        masks = [part.expected[rows], *(predictions[name][0][rows] for name in shown)]
        words = [
            f"{part.names[row]}: image, mask, "
            + ", ".join(f"{name} {shares[name][row]:.0%}" for name in shown)
            for row in rows
        ]
        found[title] = {"examples": beside(part.data[rows], *masks), "words": words}
    return found


def further_scores(task: Task, predictions: Numbers) -> dict[str, float]:
    """Return the target's further metrics on the test part, by name; of repeats, their means.

    ``predictions`` are ``(n,)`` or ``(repeats, n)``.
    """
    labels = _test(task).labels
    scores = [task.target.further_scores(one, labels) for one in np.atleast_2d(predictions)]
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}


def _mistaken(
    labels: Numbers, predictions: Iterable[Numbers], classes: int
) -> tuple[Numbers, Shares]:
    """Return the class each example is most often mistaken for, and the share of predictions."""
    every, rows = np.concatenate(list(predictions)), np.arange(len(labels))
    votes = np.zeros((len(labels), classes), np.uint16)
    for called in every:
        votes[rows, called] += 1
    votes[rows, labels] = 0
    return votes.argmax(axis=1), votes.max(axis=1) / len(every)


def _largest(shares: Shares) -> Numbers:
    """Return the rows with the largest shares above zero; ties are broken at random."""
    order = np.random.default_rng(0).permutation(len(shares))
    order = order[np.argsort(-shares[order], kind="stable")]
    return np.asarray(order[shares[order] > 0][:SHOWN], np.int64)


def _words(task: Task, rows: Numbers, called: Numbers) -> list[str]:
    names, labels = task.data.classes, _test(task).labels
    return [f"{names[labels[row]]}, predicted {names[called[row]]}" for row in rows]


def _test(task: Task) -> Split:
    from automorph.data import open_test

    return open_test(task.data)


def measured_metrics(
    task: Task, result: RunResult, measured: Comparison | None
) -> list[dict[str, Any]]:
    """Return the metrics of a training that were asked for, for its page.

    On the test part with a bootstrap interval over its examples; of a cross-validation, on the
    examples left out, with standard errors.
    """
    from automorph.metrics import interval

    if not task.asks_metrics:
        return []
    if measured is not None:
        row = measured.rows[0]
        values = [row.accuracy, *(row.also[one.name].value for one in measured.also)]
        return [
            {"title": one.name, "share": one.share, "higher_is_better": one.higher_is_better,
             "value": found.mean, "se": found.se}
            for one, found in zip((measured.metric, *measured.also), values, strict=True)
            if found is not None
        ]  # fmt: skip
    labels, lines = _test(task).expected, []
    for scorer in task.scorers:
        at = scorer.fixed(result.thresholds)
        line: dict[str, Any] = {
            "title": scorer.title, "share": scorer.share,
            "higher_is_better": scorer.higher_is_better,
            "threshold": None if scorer.point is None else at,
            "value": result.metrics["test"][scorer.name],
            "validation": result.metrics.get("validation", {}).get(scorer.name),
        }  # fmt: skip
        if (logits := result.logits.get("test")) is not None:
            ends = interval(scorer, labels, task.target.probabilities(logits), threshold=at)
            line |= {"low": ends.low, "high": ends.high}
        lines.append(line)
    return lines
