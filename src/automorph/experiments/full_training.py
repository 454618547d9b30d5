"""The job of every comparison: a whole training, evaluated on the test part at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automorph.experiments.dead_seed import AGAIN, train_alive
from automorph.experiments.external import ExternalTask
from automorph.experiments.external_training import job_folder, train_external
from automorph.experiments.job import JobResult, Treatment, key_of, plain_treatment
from automorph.experiments.other_work import OtherWork
from automorph.experiments.progress import report
from automorph.training import RunResult, Task, packed, packed_floats

NETWORKS = "networks"
"""The folder of networks that trainings keep until it is known which of them is needed."""
CURVES = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")


@dataclass(frozen=True, kw_only=True)
class FullTraining:
    """A training for ``epoch_multiplier`` times the recipe's epochs, or for ``epochs``.

    If neither changes the length, a training that ends when it has converged does so.

    Of a cross-validated task, the seed is also the number of the fold (see `Task.in_fold`).

    The score is the validation accuracy (nan without a validation part), as in every job; with
    another metric, its validation value, negated if lower is better. Test accuracy, curves and
    predictions are ``facts``, and so are the metrics that the task asks for and then, for intervals
    over examples, the logits of the test part. ``keep`` keeps its network, in `network_folder`.
    """

    policy: Treatment
    seed: int
    epoch_multiplier: int = 1
    epochs: int | None = None
    keep: bool = False

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result, as plain data."""
        plain = plain_treatment(self.policy)
        length = {} if self.epochs is None else {"epochs": self.epochs}
        return {
            "job": "final", "policy": plain, "seed": self.seed, "longer": self.epoch_multiplier,
            **length,
        }  # fmt: skip

    def network_folder(self, folder: Path) -> Path:
        """Return the run folder of the network, in that of all jobs."""
        return folder / NETWORKS / key_of(self)

    def network_files(self, folder: Path) -> tuple[Path, Path]:
        """Return where its network is: that of a training that was repeated, and the usual one."""
        place = self.network_folder(folder)
        return place / AGAIN / "model.safetensors", place / "model.safetensors"

    def files(self, folder: Path) -> tuple[Path, ...]:
        """Return what the job leaves for the rest of the run."""
        return self.network_files(folder) if self.keep else ()

    def run(self, task: Task | ExternalTask, folder: Path) -> JobResult:
        """Train and evaluate; on an `ExternalTask`, as its code does.

        ``facts`` say how ``busy`` the machine was with other work, where that is known.
        """
        other = OtherWork()
        result = self._run(task, folder)
        return replace(result, facts={**result.facts, "busy": other.share()})

    def _run(self, task: Task | ExternalTask, folder: Path) -> JobResult:
        if isinstance(task, ExternalTask):
            epochs = None if task.epochs is None else self.epoch_multiplier * task.epochs
            place = job_folder(folder, self.policy, self.seed, key_of(self))
            return train_external(task, self.policy, seed=self.seed, folder=place, epochs=epochs)
        task = task.in_fold(self.seed)
        epochs = self.epochs or self.epoch_multiplier * task.recipe.epochs
        fixed = self.epochs is not None or self.epoch_multiplier > 1
        result, died = train_alive(
            task.with_recipe(epochs=epochs) if fixed else task, self.policy, seed=self.seed,
            folder=self.network_folder(folder) if self.keep else None,
            progress=lambda epoch: report(epoch.epoch / epochs),
        )  # fmt: skip
        facts = {**facts_of(result), **({"died": died} if died else {})}
        return JobResult(score_of(result, task), result.units, result.seconds, facts)


def score_of(result: RunResult, task: Task) -> float:
    """Return what chooses, higher is better; nan without a validation part."""
    if not result.metrics:
        return result.accuracy.get("validation", math.nan)
    scorer, values = task.scorer, result.metrics.get("validation", {})
    return scorer.sign * values.get(scorer.name, math.nan)


def cell_of(result: RunResult) -> dict[str, Any]:
    """Return the result of a training that was evaluated on the test part, as plain data."""
    return {
        **facts_of(result),
        "validation_accuracy": result.accuracy.get("validation"),
        "seconds": result.seconds,
        "units": {"forward": result.units.forward, "backward": result.units.backward},
    }


def facts_of(result: RunResult) -> dict[str, Any]:
    """Return what is stored of a training that was evaluated on the test part, as plain data."""
    curves: dict[str, list[Any]] = {
        name: [getattr(epoch, name) for epoch in result.curves] for name in CURVES
    }
    if any(epoch.augmenter for epoch in result.curves):
        curves["augmenter"] = [epoch.augmenter for epoch in result.curves]
    return {
        "test_accuracy": result.accuracy["test"],
        "precision": result.precision,
        "curves": curves,
        "predictions": packed(result.predictions["test"]),
        **_judged(result),
        **({} if result.converged is None else {"converged": result.converged}),
    }


def _judged(result: RunResult) -> dict[str, Any]:
    """Return the metrics that were asked for, with the logits that intervals need."""
    if not result.metrics:
        return {}
    found: dict[str, Any] = {"metrics": result.metrics}
    if result.logits["test"].ndim == 2:  # Masks are judged by their predictions.
        found["logits"] = packed_floats(result.logits["test"])
    return {**found, **({"thresholds": result.thresholds} if result.thresholds else {})}
