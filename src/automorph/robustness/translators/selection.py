"""Choice of the translator: the requested one if it passes its checks, else the next one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automorph.data import Dataset, Split
from automorph.errors import DataError, TrainingError, UsageError
from automorph.robustness.translators.base import (
    SomeDirections,
    Translator,
    all_pairs,
    load_edit,
)
from automorph.robustness.translators.builtin import TRANSLATORS, FitOptions, tried
from automorph.robustness.translators.checks import Checked, Limits, check_translator
from automorph.robustness.translators.classifiers import FEW, Panel
from automorph.robustness.translators.cyclegan import CycleRecipe
from automorph.robustness.translators.cyclegan_translator import Fitting


@dataclass(frozen=True)
class Attempt:
    """A candidate translator: its checks, or the error that prevented it."""

    kind: str
    checked: Checked | None = None
    error: str | None = None

    @property
    def passed(self) -> bool:
        """True if it may be used."""
        return self.checked is not None and self.checked.passed


@dataclass(frozen=True, eq=False)
class Choice:
    """The translator to use, or None, and all attempts in order."""

    translator: Translator | None
    kind: str
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``kind``, the ``checks`` of all attempts, and ``notes``."""
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
    """Build the requested translator, check it, and fall back to others if it fails.

    ``wanted`` is a translator, a name of `TRANSLATORS` (``exact`` for data with known pairs,
    ``statistics``, ``masked-cyclegan``, .., for texts ``word-swap``), a function
    ``module:function``, ``auto`` (``statistics``, ``masked-cyclegan`` and ``matched``; the first
    that passes) or ``none``; ``protect`` lists words that a word swap must keep. One that passes in
    some directions only is used in these: the requested one, and the first of ``auto`` if none
    passes in all. After other failures, those of ``auto`` that need no training are tried, and then
    no translator is used. Notes say so.
    """
    if wanted == "none":
        return Choice(None, "none", ())
    options = FitOptions(recipe, seed, folder, progress, protect)
    part, judges = judging_parts(data)
    panel: list[Panel] = []
    attempts: list[Attempt] = []
    partly: tuple[str, SomeDirections] | None = None
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
            if not any(check.question == "subgroup" for check in checked.checks):
                notes.append(
                    f"Whether {kind} makes examples of the other subgroup was not checked: no "
                    f"class has {FEW} examples in both. Look at the translations in the report."
                )
            return Choice(translator, kind, tuple(attempts), tuple(notes))
        why = "; ".join(check.words(names) for check in checked.failures)
        if checked.directions and partly is None and wanted in ("auto", one):
            partly = kind, SomeDirections(translator, checked.directions)
            notes.append(f"The translator {kind} did not pass everywhere: {why}.")
            if wanted == one:
                break
        else:
            notes.append(f"The translator {kind} is not used: {why or 'no check was possible'}.")
    if partly is not None:
        kind, translator = partly
        ways = ", ".join(f"{names[a]} to {names[b]}" for a, b in sorted(translator.directions))
        notes.append(f"{kind} is used in the directions in which it passed its checks: {ways}.")
        notes += _extrapolated(translator, data)
        return Choice(translator, f"{kind} ({ways} only)", tuple(attempts), tuple(notes))
    notes.append("No translator passed its checks; nothing was trained on translated examples.")
    return Choice(None, "none", tuple(attempts), tuple(notes))


def _order(wanted: str | Translator, usual: tuple[str, ...]) -> tuple[str | Translator, ...]:
    if wanted == "auto":
        return usual
    later = tuple(kind for kind in usual if kind != wanted and not TRANSLATORS[kind].trained)
    return (wanted, *later)


def _make(wanted: str | Translator, data: Dataset, options: FitOptions) -> Translator:
    """Return the translator, fitted on the training part."""
    if not isinstance(wanted, str):
        return wanted
    entry = TRANSLATORS.get(wanted)
    if entry is None:
        return load_edit(wanted, all_pairs(len(data.subgroup_names)))
    if entry.domain != data.domain:
        raise DataError(f"it translates {entry.domain}s, but {data.name} contains {data.domain}s")
    return entry(data, options)


def judging_parts(data: Dataset) -> tuple[Split, Split]:
    """Return the parts on which translations are judged and judges are trained.

    These are the validation and the training part, if the former has the groups of the latter; else
    both are halves of the training part.
    """
    if data.train.subgroups is None:
        raise UsageError(
            f"{data.name} has no subgroups to translate between; select their column with "
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
        f"Class {data.classes[y]!r} has images of only one subgroup: its translations are "
        "extrapolated from other classes and cannot be verified."
        for y in borrowed
    ]
