"""The trainings of a patch: every objective under every seed, each stored when finished."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.errors import AutomorphError, DamagedError, DiskError, TrainingError
from automorph.files import read_json, write_checked
from automorph.robustness.builtin import load_method
from automorph.robustness.groups import Grouper
from automorph.robustness.metrics import gap, mutual_information
from automorph.robustness.robust import Renderings, RobustRun, robust_accuracy, train_robust
from automorph.robustness.translated import Translated
from automorph.training import Task, Workers, evaluate

Progress = Callable[["PatchCell", float], object]
"""Called with a cell and the finished share of it."""


@dataclass(frozen=True)
class PatchCell:
    """One training: an objective by its name, and a seed."""

    objective: str
    seed: int


@dataclass(frozen=True, eq=False)
class PatchContext:
    """What all cells share: the task, the renderings of its examples, and the folder of the runs.

    If ``judged`` holds renderings of the validation part, an objective is chosen by the robust
    accuracy on them: every image then counts in all groups of its class, which matters for a rare
    group of a dozen images.
    """

    task: Task
    renderings: Renderings | None
    folder: Path
    judged: Translated | None = None

    def run_folder(self, cell: PatchCell) -> Path:
        """Return the folder of a training."""
        words = re.sub(r"[^a-z0-9]+", "-", cell.objective.lower()).strip("-")
        # Other renderings make another training.
        seen = load_method(cell.objective).needs_renderings and self.renderings is not None
        key = getattr(self.renderings, "key", "") if seen else ""
        digest = blake2b(f"{cell.objective} {key}".encode(), digest_size=3).hexdigest()
        return self.folder / "arms" / f"{words}-{digest}" / f"seed{cell.seed}"


def run_treatments(
    setting: PatchContext,
    cells: Sequence[PatchCell],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[PatchCell, dict[str, Any]]:
    """Return the numbers of every cell (see `numbers`); stored ones are read, the others trained.

    With several jobs each training is a process of its own with one thread. Raises the first error
    of a training.
    """
    results = {cell: kept for cell in cells if (kept := _kept(setting, cell)) is not None}
    missing = [cell for cell in cells if cell not in results]
    for cell, outcome in _run(setting, missing, jobs, progress):
        if isinstance(outcome, AutomorphError):
            raise TrainingError(f"{cell.objective}, seed {cell.seed}: {outcome}") from outcome
        results[cell] = outcome
        if progress is not None:
            progress(cell, 1.0)
    return results


def numbers(run: RobustRun, part: str) -> dict[str, Any]:
    """Return the numbers of a training on a part, as plain data.

    ``groups``: correct predictions and sizes per group; ``accuracy``, ``robust_accuracy``
    (shares); ``gap`` (points, by class name; classes of a single subgroup have none);
    ``mutual_information`` (nats, without its bias) and ``plug_in``.
    """
    return measured(
        run.grouper, run.groups[part], run.seen[part].predictions, run.seen[part].labels
    )


def measured(
    grouper: Grouper,
    groups: NDArray[np.int64],
    predictions: NDArray[np.int64],
    labels: NDArray[np.int64],
) -> dict[str, Any]:
    """Return the numbers of predictions ``(n,)``, given groups and labels."""
    count, classes = len(grouper), len(grouper.classes)
    n = np.bincount(groups, minlength=count)
    correct = grouper.target.correct(predictions, labels)
    right = np.bincount(groups[correct], minlength=count)
    tables = np.zeros((count, classes), np.int64)
    np.add.at(tables, (groups, predictions), 1)
    by_class = [np.flatnonzero(grouper.class_of == y) for y in range(classes)]
    gaps = {
        name: gap(right[rows], n[rows])
        for name, rows in zip(grouper.classes, by_class, strict=True)
    }
    plug, information = mutual_information(tables.reshape(classes, -1, classes))
    return {
        "groups": {"right": right.tolist(), "n": n.tolist()},
        "accuracy": float(right.sum() / n.sum()),
        "robust_accuracy": robust_accuracy(correct, groups),
        "gap": {name: 100 * one.value for name, one in gaps.items() if one is not None},
        "mutual_information": information,
        "plug_in": plug,
    }


def _train(setting: PatchContext, cell: PatchCell, progress: Progress | None) -> dict[str, Any]:
    path, epochs = setting.run_folder(cell), setting.task.recipe.epochs
    run = train_robust(
        setting.task,
        cell.objective,
        renderings=setting.renderings,
        seed=cell.seed,
        folder=path,
        progress=lambda epoch: progress(cell, epoch.epoch / epochs) if progress else None,
    )
    judged = setting.judged
    content = {
        "objective": run.method.name,
        "seed": cell.seed,
        "selected": run.validation_robust_accuracy
        if judged is None
        else rendered_robust(setting.task, run.model, judged),
        "epoch": run.run.chosen,
        "seconds": run.seconds,
        "selected_on": "" if judged is None else judged.key,
        "checkpoint": run.checkpoint and str(run.checkpoint.relative_to(path)),
        **{part: numbers(run, part) for part in run.seen},
    }
    write_checked(path / "numbers.json", content)
    return content


def rendered_robust(task: Task, model: nn.Module, judged: Translated) -> float:
    """Return the accuracy of the worst group, with every validation image in all of its class."""
    validation = task.data.parts["validation"]
    shares = []
    for images, able in zip(judged.images, judged.changed, strict=True):
        part = Split(np.ascontiguousarray(images[able]), validation.labels[able])
        correct = evaluate(model, part, encoder=task.encoder, target=task.target).correct
        shares += [correct[part.labels == y].mean() for y in np.unique(part.labels)]
    return float(min(shares))


def _kept(setting: PatchContext, cell: PatchCell) -> dict[str, Any] | None:
    try:
        content = read_json(setting.run_folder(cell) / "numbers.json")
        _check(setting, content)
    except (OSError, DamagedError, KeyError, TypeError, AttributeError):
        return None
    wanted = "" if setting.judged is None else setting.judged.key
    # If other images chose it, evaluate again; training again is not needed.
    return content if content.get("selected_on") == wanted else None


def _check(setting: PatchContext, content: dict[str, Any]) -> None:
    """Raise an error for numbers that do not have the form of a cell."""
    for part in ("validation", "test"):
        if part in setting.task.data.parts:
            plain = [content[part][name] for name in ("robust_accuracy", "accuracy")]
            if not all(isinstance(value, float) and 0 <= value <= 1 for value in plain):
                raise TypeError(part)
            len(content[part]["gap"]), content[part]["mutual_information"] + 0.0
    content["selected"] + 0.0, content["seconds"] + 0.0, content["checkpoint"]


Outcome = dict[str, Any] | AutomorphError


def _run(
    setting: PatchContext, cells: Sequence[PatchCell], jobs: int, progress: Progress | None
) -> Iterator[tuple[PatchCell, Outcome]]:
    if jobs <= 1 or len(cells) <= 1:
        for cell in cells:
            yield cell, _tried(setting, cell, progress)
        return
    with Workers(min(jobs, len(cells)), _start, (setting,)) as workers:
        for index, outcome in workers.run(_in_process, [(cell,) for cell in cells]):
            yield cells[index], outcome


_shared: dict[str, PatchContext] = {}


def _start(setting: PatchContext) -> None:
    _shared["setting"] = setting


def _in_process(cell: PatchCell) -> Outcome:
    return _tried(_shared["setting"], cell, None)


def _tried(setting: PatchContext, cell: PatchCell, progress: Progress | None) -> Outcome:
    try:
        return _train(setting, cell, progress)
    except DiskError:
        raise
    except AutomorphError as error:
        return error
    except MemoryError:
        return TrainingError("it ran out of memory; try a smaller network or batch")
