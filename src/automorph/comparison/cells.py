"""The cells of a comparison: one training for each policy and seed, each written when finished."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from queue import Empty
from typing import Any

from automorph.errors import AutomorphError, TrainingError
from automorph.files import whole_file
from automorph.policies import Policy, policy_to_dict
from automorph.training import AugmenterSpec, Epoch, Task, train

Arm = Policy | AugmenterSpec
"""What is compared: a policy, or what makes an augmenter that learns while it trains."""

Progress = Callable[["Cell", float], None]
"""Called with a cell and the share of it that is done."""


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
    plain = policy_to_dict(policy)["policy"] if isinstance(policy, Policy) else policy.describe()
    content = json.dumps(plain, sort_keys=True)
    digest = blake2b(content.encode(), digest_size=4).hexdigest()
    words = re.sub(r"[^a-z0-9]+", "-", policy.name.lower()).strip("-")[:40]
    return folder / "cells" / f"{words}-{digest}-seed{seed}.json"


def read_cell(path: Path) -> dict[str, Any] | None:
    """A finished cell, or None; a damaged file counts as not there and is made again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and "test_accuracy" in content else None


def write_cell(path: Path, content: dict[str, Any]) -> None:
    """Write a cell whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


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
    context = multiprocessing.get_context("spawn")
    reports = context.Queue()
    pool = ProcessPoolExecutor(
        min(jobs, len(cells)), context, initializer=_start, initargs=(task, policies, reports)
    )
    try:
        waiting: dict[Future[Any], Cell] = {pool.submit(_in_process, c): c for c in cells}
        while waiting:
            done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
            _pass_on(reports, progress)
            for future in done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list((pool._processes or {}).values()):
            process.terminate()
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
    except TrainingError as error:
        return error
    curves = {
        name: [getattr(epoch, name) for epoch in result.curves]
        for name in ("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
    }
    if any(epoch.augmenter for epoch in result.curves):
        curves["augmenter"] = [epoch.augmenter for epoch in result.curves]
    return {
        "policy": policy.name,
        "seed": cell.seed,
        "test_accuracy": result.accuracy["test"],
        "validation_accuracy": result.accuracy.get("validation"),
        "seconds": result.seconds,
        "precision": result.precision,
        "units": {"forward": result.units.forward, "backward": result.units.backward},
        "curves": curves,
    }


_shared: dict[str, Any] = {}


def _start(task: Task, policies: Sequence[Arm], reports: Any) -> None:
    import signal

    import torch

    # Ctrl-C belongs to the parent, which ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
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
