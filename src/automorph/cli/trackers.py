"""Experiment trackers (Weights & Biases, MLflow, Comet, ..), through accelerate's interface."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.config import options_of
from automorph.errors import UsageError

if TYPE_CHECKING:
    from automorph.experiments import Comparison
    from automorph.searchers import SearchProgress
    from automorph.training import Epoch

PROJECT = "automorph"
"""The project, or experiment, in the tracker."""
TRACKERS = {
    "wandb": "wandb", "mlflow": "mlflow", "comet_ml": "comet_ml", "aim": "aim",
    "trackio": "trackio", "clearml": "clearml", "dvclive": "dvclive", "swanlab": "swanlab",
    "tensorboard": "tensorboard",
}  # fmt: skip
"""The trackers of accelerate, and the package that each needs."""

track_option = click.option(
    "--track", multiple=True, type=click.Choice(list(TRACKERS)), metavar="NAME",
    help=f"Also log to an experiment tracker: {', '.join(TRACKERS)}; repeatable. It is configured "
    "by its own environment variables, such as WANDB_MODE=offline.",
)  # fmt: skip


class TrackerLog:
    """The scalars of a run in experiment trackers; nothing without any.

    Raises `UsageError` for a tracker that is not installed or does not start.
    """

    def __init__(self, names: Sequence[str], folder: Path, score: str = "accuracy") -> None:
        self.score, self.names = score, names
        self.trackers: list[Any] = []
        if not names:
            return
        import torch
        from accelerate import PartialState, tracking

        # Trackers ask it whether they run in the main process.
        PartialState(cpu=not torch.accelerator.is_available())
        available = {str(one) for one in tracking.get_available_trackers()}
        for name in dict.fromkeys(names):
            if name not in available:
                raise UsageError(
                    f"got --track {name}, but the package {TRACKERS[name]} is not installed; "
                    f"install it with: pip install {TRACKERS[name].replace('_', '-')}"
                )
            self.trackers.append(self._start(name, tracking.LOGGER_TYPE_TO_CLASS[name], folder))

    def _start(self, name: str, kind: Any, folder: Path) -> Any:
        place = {"logging_dir": str(folder)} if kind.requires_logging_directory else {}
        named = {"mlflow": "run_name", "wandb": "name", "trackio": "name", "comet_ml": ""}.get(name)
        options = {named: folder.name} if named else {}
        try:
            with _apart():
                tracker = kind(PROJECT, **place, **options)
                if hasattr(tracker, "start"):
                    tracker.start()
                tracker.store_init_configuration(_flat({**options_of(), "folder": str(folder)}))
        except Exception as error:  # Each tracker has errors of its own.
            raise UsageError(
                f"the tracker {name} did not start ({type(error).__name__}: {str(error)[:300]}); "
                "expected one that is configured: see its documentation, or leave out --track"
            ) from error
        return tracker

    def log(self, values: Mapping[str, float | None], step: int | None = None) -> None:
        """Log scalars by name; None is left out."""
        known = {name: float(value) for name, value in values.items() if value is not None}
        with _apart():
            for tracker in self.trackers if known else ():
                tracker.log(known, step=step)

    def epoch(self, epoch: Epoch) -> None:
        """Log an epoch: losses, scores and the learning rate."""
        self.log(epoch_values(epoch, self.score), epoch.epoch)

    def trial(self, progress: SearchProgress) -> None:
        """Log a trial of a search: its score, and the best score so far."""
        if progress.last is not None and progress.phase == "search":
            scores = {"search/score": progress.last.score, "search/best": progress.best}
            self.log(scores, progress.done)

    def comparison(self, comparison: Comparison) -> None:
        """Log the values of every policy with the seed as step, then means and differences."""
        metric = comparison.metric
        for place, seed in enumerate(comparison.seeds):
            values: dict[str, float | None] = {}
            for row in comparison.rows:
                for part, seen in ((metric.part, row.accuracy), ("validation", row.validation)):
                    if seen is not None and place < len(seen.values):
                        values[f"{metric.name}/{part}/{as_key(row.policy)}"] = seen.values[place]
            self.log(values, seed)
        for row in comparison.rows:
            name = as_key(row.policy)
            gap = None if row.difference is None else row.difference.mean
            self.log({
                f"mean/{metric.part}/{name}": None if row.accuracy is None else row.accuracy.mean,
                f"difference/{metric.part}/{name}": gap,
            })  # fmt: skip

    def __enter__(self) -> TrackerLog:
        return self

    def __exit__(self, *error: Any) -> None:
        with _apart():
            for tracker in self.trackers:
                tracker.finish()


def _apart() -> AbstractContextManager[object]:
    """Send what trackers print to standard error: standard output is for ``--json``."""
    return redirect_stdout(sys.stderr)


def as_key(policy: str) -> str:
    """Return the name of a policy as a part of the name of a metric.

    MLflow takes letters, digits, blanks and some signs there.

    >>> as_key("flip-crop + randaugment(n=1,m=5)")
    'flip-crop_randaugment_n_1_m_5'
    """
    return re.sub(r"[^A-Za-z0-9.-]+", "_", policy).strip("_")


def epoch_values(epoch: Epoch, score: str) -> dict[str, float | None]:
    """Return the scalars of an epoch by name."""
    return {
        "loss/train": epoch.loss, f"{score}/train": epoch.accuracy, "rate": epoch.lr,
        "loss/validation": epoch.validation_loss,
        f"{score}/validation": epoch.validation_accuracy,
    }  # fmt: skip


def _flat(options: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """Return options as trackers hold them: lists joined."""
    return {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in options.items()
    }
