"""What a reader of a result must know first: networks and policies that do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.data import Dataset
from automorph.errors import AutomorphError
from automorph.experiments.dead_seed import repeated
from automorph.experiments.job import JobResult
from automorph.metrics import Scorer
from automorph.policies import Policy
from automorph.training import Task, fitted, uses_unlabelled

SAMPLED, MORE = 64, 500
"""Training examples on which a policy is tried, and again if it changed hardly any of them."""
DRAWS, EPOCHS = 2, 8
"""Draws of each example; epochs in which a policy that changes with the epoch is tried."""
HARDLY = 0.01
"""A policy that changes a smaller fraction of the draws changes almost nothing."""
NOT_CONVERGED = (
    "Not converged: the validation loss was still falling when the epochs were over, so longer "
    "training may change this result (--epochs)."
)


def always_one(predicted: ArrayLike) -> bool:
    """Return True if every seed of predictions ``(n,)`` or ``(seeds, n)`` has one class only.

    >>> always_one([[1, 1], [0, 0]]), always_one([[0, 1]]), always_one([])
    (True, False, False)
    """
    rows = np.atleast_2d(np.asarray(predicted))
    return bool(rows.size and (rows == rows[:, :1]).all())


def constant_answers(predictions: Mapping[str, ArrayLike], classes: Sequence[str]) -> list[str]:
    """Return a sentence about every policy or model that predicts one class only.

    ``predictions`` are classes ``(n,)`` or ``(seeds, n)`` by name. Every seed must predict one
    class, which may differ between seeds. A name without predictions is left out.

    >>> [words] = constant_answers({"none": [[1, 1], [0, 0]], "crop": [[0, 1]]}, ["cat", "dog"])
    >>> words[:34]
    "none always answers 'cat' or 'dog'"
    """
    found = []
    for name, predicted in predictions.items():
        if always_one(predicted):
            rows = np.atleast_2d(np.asarray(predicted))
            answers = " or ".join(repr(classes[y]) for y in sorted(set(rows[:, 0].tolist())))
            found.append(
                f"{name} always answers {answers}: the network has learned nothing from the "
                "examples. Train longer, change the learning rate (--lr), or check the labels."
            )
    return found


def never_called(
    predictions: Mapping[str, NDArray[np.int64]], scorers: Sequence[Scorer]
) -> list[str]:
    """Return a sentence about policies whose networks never predict the class of a precision.

    There is no share of right answers among no answers; it counts as 0. ``predictions`` are classes
    ``(seeds, n)`` by name.
    """
    found = []
    for scorer in scorers:
        if not scorer.name.startswith("precision:"):
            continue
        never = {
            name: int((~_calls(rows, scorer)).all(axis=1).sum())
            for name, rows in predictions.items()
        }
        which = [
            f"{name} ({count} of {len(predictions[name])})"
            for name, count in never.items() if count
        ]  # fmt: skip
        if which:
            found.append(
                f"{scorer.title} counts as 0 for networks that never predict that class: "
                f"{', '.join(which)}."
            )
    return found


def _calls(rows: NDArray[Any], scorer: Scorer) -> NDArray[np.bool_]:
    """Return which examples are called positive, ``(seeds, n)``; labels are ``(seeds, n, k)``."""
    if rows.ndim == 3:
        return np.asarray(rows[..., scorer.positive] == 1)
    return np.asarray(rows == scorer.positive)


def idle_policies(policies: Iterable[Any], task: Task) -> list[str]:
    """Return a sentence about every policy that changes no training examples, or hardly any.

    A sample of the examples is tried. Policies without operations, policies that mix labels, and
    in-training methods are left out.
    """
    found = []
    for policy in policies:
        if isinstance(policy, Policy):
            with suppress(AutomorphError):  # A policy that fails is a row of the table.
                found.append(idle_policy(fitted(policy, task), task.data, task.recipe.epochs))
    return [sentence for sentence in found if sentence]


def idle_policy(policy: Policy, data: Dataset, epochs: int = EPOCHS) -> str:
    """Return a sentence about a fitted policy that changes hardly any example; empty for others."""
    if not len(policy.space) or policy.mixes_labels:
        return ""
    drawn = policy.with_seed(0)
    numbers = np.unique(np.linspace(0, epochs - 1, EPOCHS).astype(int)).tolist()
    for count in (SAMPLED, MORE):
        rows = np.unique(np.linspace(0, len(data.train) - 1, count).astype(int))
        sample = data.train.data[rows]
        changed = [
            changed_examples(sample, drawn.augment(sample, copy=copy, epoch=epoch))
            for copy in range(DRAWS)
            for epoch in (numbers if policy.needs_epoch else [0])
        ]
        if np.mean(changed) >= HARDLY:
            return ""
    draws = f"{len(rows)} training {data.domain}s in {len(changed)} draws each"
    if not np.any(changed):
        extent = f"none of {draws}: it is the same as no augmentation here"
    else:
        extent = f"only {np.mean(changed):.1%} of {draws}: it is almost no augmentation here"
    return (
        f"{policy.name} changes {extent}. Choose operations that fit these data (automorph list "
        "policies)."
    )


def unfinished_schedules(policies: Iterable[Any], epochs: int) -> list[str]:
    """Return a sentence about every policy that still changes when the training is over.

    >>> from automorph import load_policy
    >>> [words] = unfinished_schedules([load_policy("schedule(9:none,1:flip)")], epochs=5)
    >>> words[:71]
    'schedule(9:none,1:flip) changes until epoch 10, but the training has 5,'
    """
    return [
        f"{policy.name} changes until epoch {policy.span}, but the training has {epochs}, so its "
        "later parts are never used. Train longer (--epochs), or use a schedule of that length: "
        "Schedule.stretched in Python, pba:NAME(epochs=..) by name."
        for policy in policies
        if isinstance(policy, Policy) and policy.span > epochs
    ]


def changed_examples(before: Any, after: Any) -> NDArray[np.bool_]:
    """Return ``(n,)``: which examples differ from what they were, in any pixel or character.

    >>> changed_examples(["a", "b"], ["a", "c"]).tolist()
    [False, True]
    >>> changed_examples(np.array([], "T"), np.array([], "T")).tolist()
    []
    """
    one, other = np.asarray(before), np.asarray(after)
    if one.shape != other.shape:
        return np.ones(len(one), bool)
    if not len(one):
        return np.zeros(0, bool)
    if one.ndim < 3:
        return np.asarray((one != other).reshape(len(one), -1).any(axis=1))
    same = np.ones(len(one), bool)
    # A few lines at a time: most images that differ do so in the first ones.
    lines = max(1, one.shape[1] // 8)
    for start in range(0, one.shape[1], lines):
        rows: Any = slice(None) if same.all() else np.flatnonzero(same)
        if not same.any():
            break
        part = one[rows, start : start + lines] == other[rows, start : start + lines]
        same[rows] = part.reshape(len(part), -1).all(axis=1)
    return ~same


def use_of_unlabelled(treatments: Iterable[Any], task: Task) -> list[str]:
    """Return a sentence about unlabelled examples that were not used, or were needed."""
    pool = task.data.unlabelled
    uses = {one.name: uses_unlabelled(one) for one in treatments}
    if pool is None:
        return [
            f"{name} had no unlabelled examples and took the training examples in their place; "
            "give some with --unlabelled (unlabelled=...)."
            for name, use in uses.items()
            if use
        ]
    idle = [name for name, use in uses.items() if not use]
    which = f"the {len(pool):,} unlabelled examples"
    return [f"{', '.join(idle)} did not use {which}: {_USERS}."] if idle else []


_USERS = "the in-training methods consistency and tanda-tr do, and the search method tanda"


def unused_by_search(method: str, task: Task) -> list[str]:
    """Return a sentence about unlabelled examples that a search method does not use."""
    pool = task.data.unlabelled
    return [] if pool is None else [
        f"the search method {method} did not use the {len(pool):,} unlabelled examples: {_USERS}."
    ]  # fmt: skip


def not_converged(names: Sequence[str], results: Mapping[Any, JobResult]) -> list[str]:
    """Return a sentence about the policies whose trainings had not converged.

    ``results`` are by cell. Trainings of which it is not known are left out.
    """
    found = []
    for name, converged in _facts("converged", names, results):
        known = [*converged.values()]
        if not all(known):
            found.append(f"{name}: {known.count(False)} of {len(known)} trainings")
    if not found:
        return []
    return [NOT_CONVERGED.replace(":", f" ({', '.join(found)}):", 1)]


def repeated_trainings(names: Sequence[str], results: Mapping[Any, JobResult]) -> list[str]:
    """Return a sentence about every policy of which trainings died; ``results`` are by cell."""
    return [repeated(name, died) for name, died in _facts("died", names, results) if died]


def _facts(
    fact: str, names: Sequence[str], results: Mapping[Any, JobResult]
) -> Iterator[tuple[str, dict[int, Any]]]:
    """Yield each policy with a fact of its trainings by seed, without those that lack it."""
    for place, name in enumerate(names):
        yield (
            name,
            {
                cell.seed: outcome.facts[fact]
                for cell, outcome in results.items()
                if cell.treatment == place and fact in outcome.facts
            },
        )


def base_rate(labels: ArrayLike, classes: Sequence[str]) -> tuple[str, float]:
    """Return the most frequent class, and the accuracy of always answering it.

    >>> base_rate([0, 1, 1], ["cat", "dog"])
    ('dog', 0.6666666666666666)
    """
    counts = np.bincount(np.asarray(labels), minlength=len(classes))
    return classes[int(counts.argmax())], float(counts.max() / max(1, counts.sum()))
