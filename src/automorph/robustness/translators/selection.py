"""Which translator is used: the one asked for if it passes its checks, else the next, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automorph.data import Dataset, Split
from automorph.errors import DataError, TrainingError, UsageError
from automorph.robustness.translators.base import Translator, all_pairs, load_edit
from automorph.robustness.translators.builtin import TRANSLATORS, FitOptions, tried
from automorph.robustness.translators.checks import FEW, Checked, Limits, check_translator
from automorph.robustness.translators.classifiers import Panel
from automorph.robustness.translators.cyclegan import CycleRecipe
from automorph.robustness.translators.cyclegan_translator import Fitting


@dataclass(frozen=True)
class Attempt:
    """A translator that was tried: its checks, or why it could not be made."""

    kind: str
    checked: Checked | None = None
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it may be used."""
        return self.checked is not None and self.checked.passed


@dataclass(frozen=True, eq=False)
class Choice:
    """The translator to use, or None, and all attempts in order."""

    translator: Translator | None
    kind: str
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data: ``kind``, the ``checks`` of all attempts, and ``notes``."""
        return {
            "kind": self.kind,
            "passed": self.translator is not None,
            "checks": [
                {"kind": one.kind, "error": one.error,
                 **(one.checked.to_dict() if one.checked else {"passed": False, "checks": []})}
                for one in self.attempts
            ],
            "notes": list(self.notes),
        }  # fmt: skip


def choose_translator(
    wanted: str | Translator,
    data: Dataset,
    *,
    recipe: CycleRecipe | None = None,
    limits: Limits | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Fitting | None = None,
    protect: tuple[str, ...] = (),
) -> Choice:
    """Make the translator that is wanted, check it, and fall back if it fails.

    ``wanted`` is a translator, ``exact`` (data whose pairs are known), ``statistics``,
    ``cyclegan``, ``matched``, for texts ``word-swap``, a function ``module:function``, ``auto``
    (these in the order of their cost; the first that passes) or ``none``; ``protect`` is what a
    word swap must not touch. What fails is followed by ``statistics`` and
    ``matched``, and then by no translator at all: the notes say so.
    """
    if wanted == "none":
        return Choice(None, "none", ())
    options = FitOptions(recipe, seed, folder, progress, protect)
    part, judges = _parts(data)
    panel: list[Panel] = []
    attempts: list[Attempt] = []
    notes: list[str] = []
    names = data.subgroup_names
    for one in _order(wanted, tried(data.domain)):
        kind = one if isinstance(one, str) else one.name
        try:
            translator = _make(one, data, options)
        except (DataError, TrainingError) as error:
            attempts.append(Attempt(kind, error=str(error)))
            if wanted != "auto":
                notes.append(f"{kind} could not be made: {error}.")
            continue
        if not panel:
            panel.append(Panel(judges, seed=seed))
        checked = check_translator(translator, part, panel[0], limits=limits)
        attempts.append(Attempt(kind, checked))
        if checked.passed:
            notes += _extrapolated(translator, data)
            return Choice(translator, kind, tuple(attempts), tuple(notes))
        why = "; ".join(check.words(names) for check in checked.failures)
        notes.append(f"The translator {kind} is not used: {why or 'nothing could be checked'}.")
    notes.append("No translator passed its checks; nothing was trained on translated examples.")
    return Choice(None, "none", tuple(attempts), tuple(notes))


def _order(wanted: str | Translator, usual: tuple[str, ...]) -> tuple[str | Translator, ...]:
    if wanted == "auto":
        return usual
    later = tuple(kind for kind in usual if kind not in (wanted, "cyclegan"))
    return (wanted, *later)


def _make(wanted: str | Translator, data: Dataset, options: FitOptions) -> Translator:
    """The translator, fitted on the training part."""
    if not isinstance(wanted, str):
        return wanted
    entry = TRANSLATORS.get(wanted)
    if entry is None:
        return load_edit(wanted, all_pairs(len(data.subgroup_names)))
    if entry.domain != data.domain:
        raise DataError(f"it translates {entry.domain}s, and {data.name} holds {data.domain}s")
    return entry(data, options)


def _parts(data: Dataset) -> tuple[Split, Split]:
    """Where translations are judged and where judges learn: validation and training part.

    The validation part must have what the training part has; else both are the training part's
    halves.
    """
    if data.train.subgroups is None:
        raise UsageError(
            f"{data.name} has no subgroups to translate between; name their column with "
            "subgroup=... (--subgroup)"
        )
    counts = [_counts(data, part) for part in (data.train, data.validation)]
    if data.validation is not None and (counts[1][counts[0] >= FEW] >= FEW).all():
        return data.validation, data.train
    rows = np.lexsort((np.arange(len(data.train)), data.train.subgroups, data.train.labels))
    return data.train.take(np.sort(rows[0::2])), data.train.take(np.sort(rows[1::2]))


def _counts(data: Dataset, part: Split | None) -> np.ndarray:
    counts = np.zeros((len(data.classes), len(data.subgroup_names)), np.int64)
    if part is not None and part.subgroups is not None:
        np.add.at(counts, (part.labels, part.subgroups), 1)
    return counts


def _extrapolated(translator: Translator, data: Dataset) -> list[str]:
    borrowed = getattr(translator, "borrowed", ())
    return [
        f"Class {data.classes[y]!r} has images of one subgroup only: its translations are made by "
        "what was learned from other classes, an extrapolation that no image could check."
        for y in borrowed
    ]
