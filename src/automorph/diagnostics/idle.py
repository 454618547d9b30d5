"""Operations of a space that change nothing: a search should not spend trials on them."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from automorph.diagnostics.run_explain import is_identity
from automorph.diagnostics.sweeper import transform_of
from automorph.errors import AutomorphError
from automorph.experiments import changed_examples
from automorph.operations import SearchSpace
from automorph.training import Task, fitted

SAMPLED = 64
"""Training examples on which an operation is tried."""
MAGNITUDES = (0.3, 1.0)


def idle_operations(space: SearchSpace, task: Task) -> list[str]:
    """Return a sentence about the operations that change none of a sample of training examples.

    Each is tried at a mild and at its full magnitude. The list is empty if all operations change
    something.
    """
    train = task.data.train
    rows = np.unique(np.linspace(0, len(train) - 1, SAMPLED).astype(int))
    sample = train.data[rows]
    idle = []
    for operation in fitted(space, task):
        with suppress(AutomorphError):  # An operation that fails is reported by its trials.
            made = (transform_of(operation, one)(sample, 0) for one in MAGNITUDES)
            if not is_identity(operation) and not any(
                changed_examples(sample, one).any() for one in made
            ):
                idle.append(operation.name)
    if not idle:
        return []
    return [
        f"These operations of the space change none of {len(rows)} training {task.data.domain}s: "
        f"{', '.join(idle)}. A space without them needs fewer trials (--space)."
    ]
