"""The trainings of the final table: the only ones that look at the test part, once each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.experiments import cell_of
from automorph.searchers.base import JobResult
from automorph.searchers.child_training import Treatment, plain_treatment
from automorph.training import Task, train


@dataclass(frozen=True, kw_only=True)
class Final:
    """A training to its end, evaluated on the test part; ``longer`` so many times the epochs."""

    policy: Treatment
    seed: int
    epoch_multiplier: int = 1

    def describe(self) -> dict[str, Any]:
        """All that decides the outcome, as plain data."""
        plain = plain_treatment(self.policy)
        return {"job": "final", "policy": plain, "seed": self.seed, "longer": self.epoch_multiplier}

    def run(self, task: Task, folder: Path) -> JobResult:
        """Train and evaluate; the score is the validation accuracy, as everywhere."""
        task = task.with_recipe(epochs=self.epoch_multiplier * task.recipe.epochs)
        result = train(task, self.policy, seed=self.seed, workers=0, progress=False)
        told = cell_of(result)
        facts = {name: told[name] for name in ("test_accuracy", "curves", "predictions")}
        return JobResult(result.accuracy["validation"], result.units, result.seconds, facts)
