"""What a reader of a result must know first: networks and policies that do nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from automorph.errors import AutomorphError
from automorph.experiments.job import JobResult
from automorph.policies import Policy
from automorph.training import Task, fitted

SAMPLED = 64
"""Training examples on which a policy is tried."""
DRAWS = 2
NOT_CONVERGED = (
    "Not converged: the validation loss was still falling when the epochs were over, so longer "
    "training may change this result (--epochs)."
)


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
        rows = np.atleast_2d(np.asarray(predicted))
        if rows.size and (rows == rows[:, :1]).all():
            answers = " or ".join(repr(classes[y]) for y in sorted(set(rows[:, 0].tolist())))
            found.append(
                f"{name} always answers {answers}: the network has learned nothing from the "
                "examples. Train longer, change the learning rate (--lr), or check the labels."
            )
    return found


def idle_policies(policies: Iterable[Any], task: Task) -> list[str]:
    """Return a sentence about every policy that changes none of a sample of training examples.

    Policies without operations, policies that mix labels, and in-training methods are left out.
    """
    rows = np.unique(np.linspace(0, len(task.data.train) - 1, SAMPLED).astype(int))
    sample = task.data.train.data[rows]
    found = []
    for policy in policies:
        if not isinstance(policy, Policy) or not len(policy.space) or policy.mixes_labels:
            continue
        with suppress(AutomorphError):  # A policy that fails is a row of the table.
            draws = fitted(policy, task).with_seed(0)
            made = (draws.augment(sample, copy=copy) for copy in range(DRAWS))
            if all(np.array_equal(np.asarray(one), np.asarray(sample)) for one in made):
                found.append(
                    f"{policy.name} changes none of {len(rows)} training {task.data.domain}s in "
                    f"{DRAWS} draws each: it is the same as no augmentation here. Choose "
                    "operations that fit these data (automorph list policies)."
                )
    return found


def not_converged(names: Sequence[str], results: Mapping[Any, JobResult]) -> list[str]:
    """Return a sentence about the policies whose trainings had not converged.

    ``results`` are by cell. Trainings of which it is not known are left out.
    """
    found = []
    for place, name in enumerate(names):
        known = [
            outcome.facts["converged"]
            for cell, outcome in results.items()
            if cell.treatment == place and "converged" in outcome.facts
        ]
        if not all(known):
            found.append(f"{name}: {known.count(False)} of {len(known)} trainings")
    if not found:
        return []
    return [NOT_CONVERGED.replace(":", f" ({', '.join(found)}):", 1)]


def base_rate(labels: ArrayLike, classes: Sequence[str]) -> tuple[str, float]:
    """Return the most frequent class, and the accuracy of always answering it.

    >>> base_rate([0, 1, 1], ["cat", "dog"])
    ('dog', 0.6666666666666666)
    """
    counts = np.bincount(np.asarray(labels), minlength=len(classes))
    return classes[int(counts.argmax())], float(counts.max() / max(1, counts.sum()))
