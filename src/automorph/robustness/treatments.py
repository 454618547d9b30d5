"""The trainings of a patch: every objective under every seed, each stored when finished."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.errors import DamagedError, TrainingError
from automorph.experiments import Executor, JobResult, Store, open_executor
from automorph.experiments import report as report_share
from automorph.files import inside, read_json
from automorph.robustness.builtin import load_method
from automorph.robustness.group_metric import by_subgroup
from automorph.robustness.groups import Grouper
from automorph.robustness.metrics import gap, mutual_information
from automorph.robustness.robust import (
    Renderings,
    RobustRun,
    robust_accuracy,
    train_robust,
    worst_and_whole,
)
from automorph.robustness.translated import Translated
from automorph.training import Task, evaluate

Progress = Callable[["PatchCell", float], object]
"""Called with a cell and the finished share of it."""


@dataclass(frozen=True)
class PatchCell:
    """One training: an objective by its name, and a seed."""

    objective: str
    seed: int

    def run_folder(self, renderings: str) -> str:
        """Return its run folder, relative to that of the patch; ``renderings`` is their key."""
        return folder_of(load_method(self.objective).recorded, self.seed, renderings)


def folder_of(recorded: str, seed: int, renderings: str) -> str:
    """Return the run folder of a training by its recorded name, relative to that of the patch."""
    words = re.sub(r"[^a-z0-9]+", "-", recorded.lower()).strip("-")
    # Other renderings make another training.
    digest = blake2b(f"{recorded} {renderings}".encode(), digest_size=3).hexdigest()
    return f"arms/{words}-{digest}/seed{seed}"


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
        return self.folder / cell.run_folder(self.renderings_key(cell.objective))

    def renderings_key(self, objective: str) -> str:
        """Return the key of the renderings that an objective trains on; empty if it uses none."""
        used = load_method(objective).needs_renderings and self.renderings is not None
        return str(getattr(self.renderings, "key", "")) if used else ""

    def checkpoint(self, cell: PatchCell, facts: dict[str, Any]) -> Path:
        """Return the weights of a finished training."""
        return inside(self.run_folder(cell), facts["checkpoint"])


@dataclass(frozen=True)
class PatchJob:
    """The training of a cell; the numbers of its parts (see `numbers`) are its facts."""

    cell: PatchCell
    renderings: str
    """Key of the renderings that it trains on; empty if it uses none."""
    judged: str
    """Key of the renderings that choose between objectives; empty if there are none."""

    @classmethod
    def of(cls, setting: PatchContext, cell: PatchCell) -> PatchJob:
        """Return the job of a cell."""
        judged = "" if setting.judged is None else setting.judged.key
        return cls(cell, setting.renderings_key(cell.objective), judged)

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result, as plain data."""
        return {
            "job": "patch",
            "objective": load_method(self.cell.objective).recorded,
            "seed": self.cell.seed,
            "renderings": self.renderings,
            "selected_on": self.judged,
        }

    def run(self, setting: PatchContext, folder: Path) -> JobResult:
        """Train, and measure the groups; a training that was finished is only measured."""
        setting = replace(setting, folder=folder)
        return _train(setting, self.cell)

    def files(self, folder: Path) -> list[Path]:
        """Return the files that the rest of the patch needs."""
        path = folder / self.cell.run_folder(self.renderings)
        return [one for one in path.rglob("*") if one.name != ".lock"]


def run_treatments(
    setting: PatchContext,
    cells: Sequence[PatchCell],
    store: Store | None = None,
    *,
    open_: Callable[[], Executor] | None = None,
    progress: Progress | None = None,
) -> dict[PatchCell, dict[str, Any]]:
    """Return the numbers of every cell (see `numbers`); stored ones are read, the others trained.

    ``store`` is None for numbers that are kept in memory; ``open_`` opens the executor of the
    trainings. Raises the first error of a training.
    """
    store = Store({}) if store is None else store
    jobs = {cell: PatchJob.of(setting, cell) for cell in cells}
    results = {}
    for cell, job in jobs.items():
        kept = store.get(job)
        facts = _kept(setting, cell) if kept is None else dict(kept.facts)
        # The weights must be there too.
        if facts is not None and setting.checkpoint(cell, facts).exists():
            results[cell] = facts
    missing = [cell for cell in cells if cell not in results]
    if not missing:
        return results
    report = progress or (lambda cell, share: None)
    opened = open_ or partial(open_executor, "local", setting, setting.folder)
    with opened() as executor:
        done = executor.run(
            [jobs[cell] for cell in missing], test=True,
            progress=lambda index, share: report(missing[index], share),
        )  # fmt: skip
        for index, outcome in done:
            cell = missing[index]
            if outcome.error:
                raise TrainingError(f"{cell.objective}, seed {cell.seed}: {outcome.error}")
            results[cell] = dict(store.add(jobs[cell], outcome).outcome.facts)
            report(cell, 1.0)
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


def _train(setting: PatchContext, cell: PatchCell) -> JobResult:
    path, epochs = setting.run_folder(cell), setting.task.recipe.epochs
    run = train_robust(
        setting.task,
        cell.objective,
        renderings=setting.renderings,
        seed=cell.seed,
        folder=path,
        progress=lambda epoch: report_share(epoch.epoch / epochs),
    )
    judged = setting.judged
    selected = run.selected if judged is None else rendered_robust(setting.task, run.model, judged)
    facts = {
        "objective": run.method.name,
        "seed": cell.seed,
        "selected": selected,
        "epoch": run.run.chosen,
        "seconds": run.seconds,
        "units": asdict(run.units),
        "selected_on": "" if judged is None else judged.key,
        "checkpoint": run.checkpoint and str(run.checkpoint.relative_to(path)),
        **({} if run.died is None else {"died": run.died}),
        **({"notes": list(run.notes)} if run.notes else {}),
        **{part: numbers(run, part) for part in run.seen},
        **({"metrics": _metrics(setting.task, run)} if setting.task.asks_metrics else {}),
    }
    return JobResult(selected, run.units, run.seconds, facts)


def _metrics(task: Task, run: RobustRun) -> dict[str, dict[str, Any]]:
    """Return the metrics of a task by part and name, with thresholds of the validation part."""
    known, subgroups = run.seen["validation"], len(run.grouper.subgroups)
    found: dict[str, dict[str, Any]] = {part: {} for part in run.seen}
    for scorer in task.scorers:
        point = scorer.point is not None
        at = scorer.threshold(known.labels, known.probabilities) if point else None
        for part, seen in run.seen.items():
            found[part][scorer.name] = by_subgroup(
                scorer, seen.labels, seen.probabilities, run.groups[part] % subgroups,
                run.grouper.subgroups, threshold=at,
            ).to_dict()  # fmt: skip
    return found


def rendered_robust(task: Task, model: nn.Module, judged: Translated) -> float:
    """Return the accuracy of the worst group, with every validation image in all of its class.

    If the task has another metric, that of the worst subgroup; higher is better.
    """
    validation = task.data.parts["validation"]
    if task.metric != "accuracy":
        seen = [
            evaluate(
                model, Split(np.ascontiguousarray(images[able]), validation.labels[able]),
                encoder=task.encoder, target=task.target,
            )
            for images, able in zip(judged.images, judged.changed, strict=True)
        ]  # fmt: skip
        views = np.repeat(judged.subgroups, [len(one.labels) for one in seen])
        labels = np.concatenate([one.labels for one in seen])
        probabilities = np.concatenate([one.probabilities for one in seen])
        return worst_and_whole(task, labels, probabilities, views)[0]
    shares = []
    for images, able in zip(judged.images, judged.changed, strict=True):
        part = Split(np.ascontiguousarray(images[able]), validation.labels[able])
        correct = evaluate(model, part, encoder=task.encoder, target=task.target).correct
        shares += [correct[part.labels == y].mean() for y in np.unique(part.labels)]
    return float(min(shares))


def _kept(setting: PatchContext, cell: PatchCell) -> dict[str, Any] | None:
    """Return the numbers of a training that version 0.1 finished; None if missing or damaged."""
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
