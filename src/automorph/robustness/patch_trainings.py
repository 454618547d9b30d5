"""The trainings of a patch: which objectives, how they are judged, and which one is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from automorph.bars import in_notebook_only, of_trainings
from automorph.experiments import Executor, Store
from automorph.robustness.builtin import load_method
from automorph.robustness.groups import Grouper
from automorph.robustness.patch_result import TreatmentRow, best, rows_of
from automorph.robustness.translated import Translated, translate_part
from automorph.robustness.translators.base import Translator
from automorph.robustness.treatments import (
    PatchCell,
    PatchContext,
    Progress,
    folder_of,
    run_treatments,
)
from automorph.training import Task

MENDING = "camel(weight=1)"
"""What mends with translated examples if no objective is named. A fifth of the published weight was
better on the validation parts of benchmarks/patching.py and benchmarks/isic_stickers.py: with the
published one, short trainings make all groups alike, and alike worse."""
ENOUGH = 100
"""Validation examples of the rarest group that suffice to choose between objectives."""


@dataclass(frozen=True)
class Trainings:
    """The trainings: their numbers, one row per objective, and the file of the chosen training."""

    numbers: dict[PatchCell, dict[str, Any]]
    rows: tuple[TreatmentRow, ...]
    objective: str
    seed: int
    source: Path


def train_objectives(
    setting: PatchContext,
    names: list[str],
    asked: str,
    seeds: tuple[int, ...],
    store: Store,
    open_: Callable[[], Executor],
    progress: Callable[[list[PatchCell]], Progress] | None,
) -> Trainings:
    """Train all objectives under all seeds; choose the last, or if ``asked`` is auto the best."""
    cells = [PatchCell(name, seed) for seed in seeds for name in names]
    with in_notebook_only() as bars:
        if progress is None and bars:
            progress = partial(of_trainings, bars)
        numbers = run_treatments(
            setting, cells, store, open_=open_, progress=progress and progress(cells)
        )
    sign = setting.task.scorer.sign
    rows = rows_of(names, seeds, numbers, sign=sign)
    chosen = names[-1] if asked != "auto" else best(rows, sign=sign)
    seed = max(seeds, key=lambda s: (numbers[PatchCell(chosen, s)]["selected"], -s))
    kept = PatchCell(chosen, seed)
    return Trainings(numbers, rows, chosen, seed, setting.checkpoint(kept, numbers[kept]))


def objectives_of(
    asked: str, baselines: Sequence[str], setting: PatchContext
) -> tuple[list[str], list[str]]:
    """Return the objectives to train, the mending one last, and notes on their choice."""
    names, renderings = [load_method(name).name for name in baselines], setting.renderings
    notes = []
    usual = "sgdro" if renderings is None else "camel" if _began(setting, "camel") else MENDING
    wanted = load_method(usual if asked == "auto" else asked)
    if wanted.needs_renderings and renderings is None:
        wanted = load_method("balanced")
        notes.append(
            f"{asked} needs translated examples, and no translator is available: balanced sampling "
            "is used instead."
        )
    if setting.judged is not None:
        task = setting.task
        of_metric = f"{task.scorer.title} in the worst subgroup"
        what = "the robust accuracy" if task.metric == "accuracy" else of_metric
        notes.append(
            f"The rarest group has fewer than {ENOUGH} validation examples: objectives were "
            f"chosen by {what} on translated validation examples."
        )
    names = [name for name in names if name != wanted.name]
    return [*names, wanted.name], notes


def _began(setting: PatchContext, name: str) -> bool:
    """Return whether the folder has trainings of an objective: it goes on with them."""
    key, method = setting.renderings_key(name), load_method(name)
    return any(
        (setting.folder / folder_of(one, 0, key)).parent.exists()
        for one in (method.name, method.recorded)
    )


def judging_renderings(
    task: Task, grouper: Grouper, translator: Translator | None, folder: Path
) -> Translated | None:
    """Return renderings of the validation part if its groups are too small to choose by."""
    validation = task.data.parts["validation"]
    counts = grouper.counts(validation)
    rare = counts[grouper.counts(task.data.train) > 0].min() < ENOUGH
    if translator is None or not rare:
        return None
    return translate_part(translator, validation, folder=folder)
