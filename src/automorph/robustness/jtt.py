"""Just train twice: the errors of a first training come more often in the second.

Liu, Haghgoo, Chen, Raghunathan, Koh, Sagawa, Liang, Finn, "Just train twice: improving group
robustness without training group information" (ICML 2021), section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.robustness.builtin import JTT
from automorph.training import PolicyAugmenter, Task, Units, evaluate, fitted, train


@dataclass(frozen=True, eq=False)
class FirstTraining:
    """How often every example comes in the second training, int64 ``(n,)``, and what it cost.

    ``notes`` are sentences about errors that do not serve their purpose.
    """

    copies: NDArray[np.int64]
    units: Units
    seconds: float
    notes: tuple[str, ...]


def train_first(
    task: Task, method: JTT, policy: Any | None, *, folder: Path | None, **options: Any
) -> FirstTraining:
    """Train for the method's epochs of the full schedule, and count every error 1 + weight times.

    ``policy`` augments, ``folder`` keeps the training, and ``options`` are those of
    `automorph.training.train`.
    """
    epochs = method.epochs or -(-task.recipe.epochs // 10)
    first = train(
        task.with_recipe(select="last"),
        PolicyAugmenter(fitted(policy, task) if policy is not None else None),
        parts=(), stop_epoch=min(epochs, task.recipe.epochs), folder=folder, **options,
    )  # fmt: skip
    assert first.model is not None
    part = task.data.train
    seen = evaluate(first.model, part, encoder=task.encoder, target=task.target)
    return FirstTraining(
        np.where(seen.correct, 1, 1 + method.weight),
        first.units + Units(forward=len(part)),
        first.seconds,
        tuple(_notes(seen.correct, seen.predictions, len(first.curves), task)),
    )


def _notes(
    correct: NDArray[np.bool_], predictions: NDArray[np.int64], epochs: int, task: Task
) -> list[str]:
    count = "1 epoch" if epochs == 1 else f"{epochs} epochs"
    after = f"jtt: after {count}, the first training"
    if correct.all():
        return [
            f"{after} makes no errors on the training part, so the second is plain training. "
            "Expected errors, most of them in the groups to be mended: shorten the first "
            "training, as in jtt(epochs=1), or strengthen the weight decay"
        ]
    if len(set(predictions.tolist())) == 1:
        only = task.data.classes[int(predictions[0])]
        return [
            f"{after} predicts {only!r} for every training example, so its errors are all "
            "examples of the other classes. Expected errors in some groups: lengthen the first "
            f"training, as in jtt(epochs={2 * epochs})"
        ]
    return []
