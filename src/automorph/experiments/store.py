"""The cells of a comparison: one training for each policy and seed, each written when finished."""

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

Arm = Policy | AugmenterSpec
"""What is compared: a policy, or what makes an augmenter that learns while it trains."""

Progress = Callable[["Cell", float], None]
"""Called with a cell and the share of it that is done."""

_CURVES = ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")


@dataclass(frozen=True)
class Cell:
    """One training: the policy by its place in the comparison, and the seed."""

    arm: int
    seed: int


def policy_of(arm: Arm) -> Policy:
    """The policy, or what the views of an online method are drawn from before it learns."""
    return arm if isinstance(arm, Policy) else arm.policy


def cell_path(folder: Path, policy: Arm, seed: int) -> Path:
    """Where a finished cell is kept; the name tells policy and seed, a hash tells their content."""
    plain = identity_form(policy) if isinstance(policy, Policy) else policy.describe()
    content = json.dumps(plain, sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    words = re.sub(r"[^a-z0-9]+", "-", policy.name.lower()).strip("-")[:40]
    return folder / "cells" / f"{words}-{digest}-seed{seed}.json"


def read_cell(path: Path) -> dict[str, Any] | None:
    """A finished cell, or None; a damaged file counts as not there and is made again."""
    try:
        content = read_json(path)
    except (OSError, DamagedError):
        return None
    return content if _is_cell(content) else None


def _is_cell(content: dict[str, Any]) -> bool:
    """Whether it has what tables and reports are made of."""
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
    """Cells of older versions have none."""
    try:
        return value is None or unpacked(value) is not None
    except (TypeError, ValueError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def write_cell(path: Path, content: dict[str, Any]) -> None:
    """Write a cell whole or not at all."""
    make_folder(path.parent)
    write_checked(path, content)


def run_cells(
    task: Task,
    policies: Sequence[Arm],
    cells: Sequence[Cell],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Iterator[tuple[Cell, dict[str, Any] | AutomorphError]]:
    """Train the cells and yield each result, or the error that stopped it, as it is finished.

    With several jobs each runs in a process of its own with one thread: on a CPU two trainings
    side by side are faster than one with two threads.
    """
    if jobs <= 1:
        for cell in cells:
            yield cell, _train_cell(task, policies[cell.arm], cell, progress)
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
    task: Task, policy: Arm, cell: Cell, progress: Progress | None
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
        return TrainingError("its memory did not suffice; try a smaller network or batch")
    return {"policy": policy.name, "seed": cell.seed, **cell_of(result)}


def cell_of(result: RunResult) -> dict[str, Any]:
    """What is kept of a training that was evaluated on the test part, as plain data."""
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


def _start(task: Task, policies: Sequence[Arm], reports: Any) -> None:
    _shared.update(task=task, policies=policies, reports=reports)


def _in_process(cell: Cell) -> dict[str, Any] | AutomorphError:
    def report(cell: Cell, share: float) -> None:
        _shared["reports"].put((cell, share))

    return _train_cell(_shared["task"], _shared["policies"][cell.arm], cell, report)


def _pass_on(reports: Any, progress: Progress | None) -> None:
    while True:
        try:
            cell, share = reports.get_nowait()
        except (Empty, OSError):
            return
        if progress is not None:
            progress(cell, share)
