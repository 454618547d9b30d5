"""The cells of a comparison: one training per policy and seed, saved when finished."""

from __future__ import annotations

import json
import math
import multiprocessing
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from queue import Empty
from typing import Any

from automorph import _moved
from automorph.errors import AutomorphError, DamagedError, DiskError, TrainingError
from automorph.files import make_folder, read_json, write_checked
from automorph.policies import Policy, identity_form
from automorph.training import (
    AugmenterSpec,
    Epoch,
    RunResult,
    Task,
    Workers,
    packed,
    train,
    unpacked,
)

Treatment = Policy | AugmenterSpec
"""What a comparison varies: a policy, or the spec of an augmenter that learns during training."""

Progress = Callable[["Cell", float], None]
"""Called with a cell and the fraction of its training that is done."""

_CURVES = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")


@_moved.renamed_arguments(arm="treatment")
@_moved.renamed_attributes(arm="treatment")
@dataclass(frozen=True)
class Cell:
    """One training: the index of its policy in the comparison, and its seed."""

    treatment: int
    seed: int


@_moved.renamed_arguments(arm="treatment")
def policy_of(treatment: Treatment) -> Policy:
    """Return the policy; for an in-training method, the policy that it draws from at first."""
    return treatment if isinstance(treatment, Policy) else treatment.policy


def cell_path(folder: Path, policy: Treatment, seed: int) -> Path:
    """Return the file of a finished cell, named by policy, a hash of the policy, and seed."""
    plain = identity_form(policy) if isinstance(policy, Policy) else policy.describe()
    content = json.dumps(plain, sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    words = re.sub(r"[^a-z0-9]+", "-", policy.name.lower()).strip("-")[:40]
    return folder / "cells" / f"{words}-{digest}-seed{seed}.json"


def read_cell(path: Path) -> dict[str, Any] | None:
    """Read a finished cell; None if it is missing or damaged, so that it is trained again."""
    try:
        content = read_json(path)
    except (OSError, DamagedError):
        return None
    return content if _is_cell(content) else None


def _is_cell(content: dict[str, Any]) -> bool:
    """Return True if the content has everything that tables and reports need."""
    units, curves = content.get("units"), content.get("curves")
    return (
        _is_share(content.get("test_accuracy"))
        and (
            content.get("validation_accuracy") is None or _is_share(content["validation_accuracy"])
        )
        and _is_number(content.get("seconds"))
        and isinstance(units, dict)
        and all(isinstance(units.get(way), int) for way in ("forward", "backward"))
        and isinstance(curves, dict)
        and all(isinstance(curves.get(name), list) for name in _CURVES)
        and _are_predictions(content.get("predictions"))
    )


def _are_predictions(value: Any) -> bool:
    """Return True for readable predictions, and for None, as in cells of older versions."""
    try:
        return value is None or unpacked(value) is not None
    except (TypeError, ValueError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def write_cell(path: Path, content: dict[str, Any]) -> None:
    """Write a cell atomically."""
    make_folder(path.parent)
    write_checked(path, content)


def run_cells(
    task: Task,
    policies: Sequence[Treatment],
    cells: Sequence[Cell],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Iterator[tuple[Cell, dict[str, Any] | AutomorphError]]:
    """Train the cells and yield each result or error as it finishes.

    With several jobs, each runs in its own process with one thread: on a CPU, two trainings in
    parallel are faster than one with two threads.
    """
    if jobs <= 1:
        for cell in cells:
            yield cell, _train_cell(task, policies[cell.treatment], cell, progress)
        return
    reports = multiprocessing.get_context("spawn").Queue()
    handed = [(cell,) for cell in cells]
    try:
        with Workers(min(jobs, len(cells)), _start, (task, policies, reports)) as workers:
            tick = partial(_pass_on, reports, progress)
            for place, outcome in workers.run(_in_process, handed, tick=tick):
                yield cells[place], outcome
    finally:
        reports.close()
        reports.cancel_join_thread()


def _train_cell(
    task: Task, policy: Treatment, cell: Cell, progress: Progress | None
) -> dict[str, Any] | AutomorphError:
    def report(epoch: Epoch) -> None:
        if progress is not None:
            progress(cell, epoch.epoch / task.recipe.epochs)

    try:
        result = train(task, policy, seed=cell.seed, progress=report)
    except DiskError:
        raise
    except AutomorphError as error:
        return error
    except MemoryError:
        return TrainingError("the training ran out of memory; try a smaller network or batch")
    return {"policy": policy.name, "seed": cell.seed, **cell_of(result)}


def cell_of(result: RunResult) -> dict[str, Any]:
    """Return the stored result of a training that was evaluated on the test part, as plain data."""
    curves: dict[str, list[Any]] = {
        name: [getattr(epoch, name) for epoch in result.curves] for name in _CURVES
    }
    if any(epoch.augmenter for epoch in result.curves):
        curves["augmenter"] = [epoch.augmenter for epoch in result.curves]
    return {
        "test_accuracy": result.accuracy["test"],
        "validation_accuracy": result.accuracy.get("validation"),
        "seconds": result.seconds,
        "precision": result.precision,
        "units": {"forward": result.units.forward, "backward": result.units.backward},
        "curves": curves,
        "predictions": packed(result.predictions["test"]),
    }


_shared: dict[str, Any] = {}


def _start(task: Task, policies: Sequence[Treatment], reports: Any) -> None:
    _shared.update(task=task, policies=policies, reports=reports)


def _in_process(cell: Cell) -> dict[str, Any] | AutomorphError:
    def report(cell: Cell, share: float) -> None:
        _shared["reports"].put((cell, share))

    return _train_cell(_shared["task"], _shared["policies"][cell.treatment], cell, report)


def _pass_on(reports: Any, progress: Progress | None) -> None:
    while True:
        try:
            cell, share = reports.get_nowait()
        except (Empty, OSError):
            return
        if progress is not None:
            progress(cell, share)
