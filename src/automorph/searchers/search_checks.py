"""What a search refuses: arguments, data and outcomes with which none can be done."""

from __future__ import annotations

from pathlib import Path

from automorph.data import Folds
from automorph.engine import refuse
from automorph.errors import AutomorphError, UsageError
from automorph.experiments import ExternalTask, read_looks, seeds_of
from automorph.operations import SearchSpace
from automorph.searchers.budget import Controls
from automorph.searchers.runner import SearchRunner
from automorph.training import Task


def check_outcomes(runner: SearchRunner) -> None:
    """Raise `AutomorphError` if every trial failed: no policy can be chosen then."""
    errors = [trial.outcome.error for trial in runner.reported]
    if errors and all(errors):
        raise AutomorphError(
            f"all {len(errors)} trials of the search failed, the first with: {errors[0][:2000]}; "
            "expected at least one that trains. Fix the cause, then search in another folder "
            "(--out, folder=...)"
        )


def check_counts(
    trials: int | None, budget: float | None, jobs: int, epoch_multiplier: int | None
) -> None:
    """Raise `UsageError` for counts that are too small, or for both trials and a budget."""
    if trials is not None and budget is not None:
        raise UsageError("got both trials and a budget; expected only one of them: omit the other")
    for what, value, low in (
        ("trials", trials, 1),
        ("jobs", jobs, 1),
        ("epoch_multiplier", epoch_multiplier, 2),
    ):
        if value is not None and value < low:
            raise UsageError(f"got {what}={value}; expected {low} or more")


def check_nested(folds: Folds, seeds: int | str | None, controls: Controls) -> None:
    """Raise `UsageError` for a final table that a nested cross-validation does not have."""
    seeds_of(folds, read_looks(seeds).counts if seeds is not None else None, 0)
    if controls == "all":
        raise UsageError(
            f"got all controls with {folds.words}; expected the usual ones, which are trained in "
            "every fold: leave out --controls all and --longer (controls, epoch_multiplier)"
        )


def check_place(folder: Path | None, *, nested: bool) -> None:
    """Raise `UsageError` for the folder of a search without folds if there are some, or with."""
    if folder is None:
        return
    plain, cells = (folder / "trials.journal").exists(), (folder / "fold-0").exists()
    if plain if nested else cells:
        has, wants = (
            ("a search without folds", "with") if nested else ("a search with folds", "without")
        )
        raise UsageError(
            f"{folder} holds {has}; expected a new folder for a search {wants} folds: choose "
            "another with --out (folder=...)"
        )


def check_task(
    task: Task | ExternalTask, space: SearchSpace, domain: str, *, tested: bool = True
) -> None:
    """Raise `UsageError` for data or a space that cannot be searched.

    ``tested``: a final table follows, which needs a test part.
    """
    if not len(space):
        raise UsageError(
            "the search space has no operations; expected at least one: choose another with --space"
        )
    if isinstance(task, Task):
        for operation in space if task.data.target == "masks" else ():
            refuse(operation)
    needed = {"validation", *(["test"] if tested else [])}
    if isinstance(task, Task) and not needed <= set(task.data.parts):
        raise UsageError(
            f"{task.name} lacks a validation or a test part; a search needs both: "
            "split them off (see automorph.data.split)"
        )
    if space.mixes_labels:
        raise UsageError(
            f"the space {space.name!r} has an operation that mixes labels (Mixup), which a search "
            "cannot score; choose another with --space, or leave it out: "
            f'named_space("{space.name}").without("Mixup")'
        )
    if space.domain != domain:
        raise UsageError(
            f"the space {space.name!r} has operations on {space.domain}s, but {task.name} "
            f"contains {domain}s; choose another with --space (see: automorph list "
            "spaces)"
        )
