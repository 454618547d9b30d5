"""What a search refuses: arguments, data and outcomes with which none can be done."""

from __future__ import annotations

from automorph.engine import refuse
from automorph.errors import AutomorphError, UsageError
from automorph.experiments import ExternalTask
from automorph.operations import SearchSpace
from automorph.searchers.runner import SearchRunner
from automorph.training import Task, refuse_folds


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


def check_task(task: Task | ExternalTask, space: SearchSpace, domain: str) -> None:
    """Raise `UsageError` for data or a space that cannot be searched."""
    if not len(space):
        raise UsageError(
            "the search space has no operations; expected at least one: choose another with --space"
        )
    if isinstance(task, Task):
        refuse_folds(task, "search")
        for operation in space if task.data.target == "masks" else ():
            refuse(operation)
    if isinstance(task, Task) and not {"validation", "test"} <= set(task.data.parts):
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
