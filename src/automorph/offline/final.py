"""The trainings of the final table: the only ones that look at the test part, once each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.offline.children import Arm, plain_arm
from automorph.offline.method import Outcome
from automorph.training import Task, train


@dataclass(frozen=True, kw_only=True)
class Final:
    """A training to its end, evaluated on the test part; ``longer`` so many times the epochs."""

    policy: Arm
    seed: int
    longer: int = 1

    def describe(self) -> dict[str, Any]:
        """All that decides the outcome, as plain data."""
        plain = plain_arm(self.policy)
        return {"job": "final", "policy": plain, "seed": self.seed, "longer": self.longer}

    def run(self, task: Task, folder: Path) -> Outcome:
        """Train and evaluate; the score is the validation accuracy, as everywhere."""
        task = task.with_recipe(epochs=self.longer * task.recipe.epochs)
        result = train(task, self.policy, seed=self.seed, workers=0, progress=False)
        names = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
        curves: dict[str, Any] = {
            name: [getattr(epoch, name) for epoch in result.curves] for name in names
        }
        if any(epoch.augmenter for epoch in result.curves):
            curves["augmenter"] = [epoch.augmenter for epoch in result.curves]
        return Outcome(
            result.accuracy["validation"],
            result.units,
            result.seconds,
            {"test_accuracy": result.accuracy["test"], "curves": curves},
        )
