"""The test examples that tell most about policies or a network: what one gets right and not the
other, and what all get wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from automorph.cli.examples import tested_part

if TYPE_CHECKING:
    from automorph.experiments import Comparison
    from automorph.training import Task

SHOWN = 16
"""Maximum number of examples of one kind."""

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]


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
    For a single network (``winner`` is ``baseline``), only its errors. Of several labels, values
    and masks: those that differ most, and the largest errors.
    """
    if not predictions:
        return {}
    if task.data.target == "masks":
        return _masks(task, predictions, winner=winner, baseline=baseline)
    if task.data.target != "classes":
        return _outputs(task, predictions, winner=winner, baseline=baseline)
    part = tested_part(task)
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

    part = tested_part(task)
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


def _outputs(
    task: Task, predictions: Mapping[str, NDArray[Any]], *, winner: str, baseline: str
) -> dict[str, dict[str, Any]]:
    """Return test examples of several labels or values, with what was expected and predicted.

    Those on which the winner is most ahead of the baseline and most behind it, and those with the
    largest errors under all policies: the number of wrong labels, or the mean absolute error of the
    values in deviations. Errors and predictions are means over the seeds.
    """
    part = tested_part(task)
    predictions = {
        name: found.reshape(-1, *part.expected.shape) for name, found in predictions.items()
    }
    deviation = np.array(getattr(task.target, "std", 1.0))
    errors = {
        name: (np.abs(found.astype(float) - part.expected) / deviation).mean(axis=(0, 2))
        for name, found in predictions.items()
    }
    kinds, pair = {}, [winner]
    if winner != baseline and {winner, baseline} <= set(errors):
        gain, pair = errors[baseline] - errors[winner], [baseline, winner]
        kinds[f"Better predicted with {winner} than with {baseline}"] = gain
        kinds[f"Better predicted with {baseline} than with {winner}"] = -gain
    under = " under all policies" if len(errors) > 1 else ""
    kinds[f"Largest errors{under}"] = np.mean(list(errors.values()), axis=0)
    found = {}
    for title, amounts in kinds.items():
        rows = _largest(amounts)
        if len(rows):
            words = [
                "; ".join([
                    _written(task, part.expected[row]),
                    *(
                        f"{name if len(pair) > 1 else 'predicted'}: "
                        f"{_written(task, predictions[name][:, row].mean(axis=0))}"
                        for name in pair if name in predictions
                    ),
                ])
                for row in rows
            ]  # fmt: skip
            found[title] = {"examples": part.data[rows], "words": words}
    return found


def _written(task: Task, output: NDArray[Any]) -> str:
    """Write the labels, or the values, of an example."""
    names = task.data.predicted
    if task.data.target == "labels":
        return ", ".join(names[k] for k in np.flatnonzero(output >= 0.5)) or "no label"
    numbers = [f"{number:.4g}" for number in output]
    if len(numbers) == 1:
        return numbers[0]
    return ", ".join(f"{name} {number}" for name, number in zip(names, numbers, strict=True))


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
    names, labels = task.data.classes, tested_part(task).labels
    return [f"{names[labels[row]]}, predicted {names[called[row]]}" for row in rows]
