"""What a reader of a patch must know about its trainings, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.experiments import repeated
from automorph.robustness.builtin import load_method
from automorph.robustness.groups import Grouper
from automorph.robustness.treatments import PatchCell, PatchContext, folder_of


def as_begun(
    names: Sequence[str], setting: PatchContext, seeds: Sequence[int]
) -> tuple[list[str], list[str]]:
    """Return the objectives as the run of the folder began them, and notes.

    A definition that was corrected since, and that still has a name, is kept by the folders that
    were begun with it. Trainings by other former definitions are not used.
    """
    kept, notes = [], []
    for name in names:
        method = load_method(name)
        key = setting.renderings_key(name)
        places = [setting.folder / folder_of(method.name, seed, key) for seed in seeds]
        if method.recorded == method.name or not any(place.exists() for place in places):
            kept.append(name)
        elif (former := method.former) is not None:
            kept.append(former.name)
            notes.append(
                f"This folder was begun with the former definition of {name} and continues "
                f"with it, under its present name {former.name}: choose another folder for the "
                f"published {name}."
            )
        else:
            kept.append(name)
            notes.append(
                f"This folder holds trainings of {name} by its former definition, which differed "
                f"from the published one. They are not used: {name} was trained again."
            )
    return kept, notes


def notes_on_trainings(
    numbers: Mapping[PatchCell, Mapping[str, Any]], grouper: Grouper
) -> list[str]:
    """Return what happened in the trainings, objective by objective: see `treatments.numbers`."""
    notes = []
    for name in dict.fromkeys(cell.objective for cell in numbers):
        own = {cell.seed: facts for cell, facts in numbers.items() if cell.objective == name}
        if died := {seed: facts["died"] for seed, facts in own.items() if "died" in facts}:
            notes.append(repeated(name, died))
        for seed, facts in own.items():
            notes += [f"Seed {seed}, {note}." for note in facts.get("notes", ())]
            only = only_class(facts["test"], grouper.class_of)
            if only is not None:
                notes.append(
                    f"{name}: seed {seed} predicts {grouper.classes[only]!r} for every test "
                    "example; its robust accuracy of 0 is part of the mean."
                )
    return notes


def only_class(measured: Mapping[str, Any], class_of: NDArray[np.int64]) -> int | None:
    """Return the class that a network always predicts, from its numbers; None for other networks.

    >>> counts = {"groups": {"right": [5, 2, 0, 0], "n": [5, 2, 3, 4]}}
    >>> only_class(counts, np.array([0, 0, 1, 1]))
    0
    """
    right, n = (np.array(measured["groups"][key]) for key in ("right", "n"))
    present = np.unique(class_of[n > 0])
    found = [y for y in present.tolist() if (right == np.where(class_of == y, n, 0)).all()]
    return found[0] if found and len(present) > 1 else None
