"""The default recipe that an existing run folder was begun with, which it keeps."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from automorph.training.recipe import Recipe
from automorph.training.recipe_table import LATEST, TABLES

_RECORDS = ("run.json", "task.json", "model/run.json")
_LOGS = ("jobs.jsonl", "trials.journal")
_FIRST_LINES = 100
"""A log states what it is a log of before it holds results."""


def kept_recipe(folder: Path, recipe_of: Callable[[str], Recipe]) -> Recipe:
    """Return the recipe for a run in a folder; ``recipe_of`` returns it for a version's defaults.

    If the folder records a recipe that an earlier version gave by default, the run goes on with
    it, with a warning; in all other cases the latest defaults apply.
    """
    latest = recipe_of(LATEST)
    found = next((r for r in map(_recipe_in, _contents(folder)) if r is not None), None)
    if found is None or found == latest.to_dict():
        return latest
    for version in TABLES:
        earlier = recipe_of(version)
        if found == earlier.to_dict():
            warnings.warn(
                f"{folder} was begun with the default recipe of version {version}, and continues "
                "with it; choose another folder for the current one",
                stacklevel=3,
            )
            return earlier
    return latest


def _contents(folder: Path) -> Iterable[Any]:
    """Yield the records of a run; files that cannot be read are reported by who needs them."""
    for name in _RECORDS:
        try:
            yield json.loads((folder / name).read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
    for name in _LOGS:
        try:
            with (folder / name).open(encoding="utf-8") as lines:
                for line in islice(lines, _FIRST_LINES):
                    if '"recipe"' in line:
                        yield json.loads(line)
        except (OSError, ValueError, RecursionError):
            continue


def _recipe_in(content: Any) -> dict[str, Any] | None:
    """Return the first recipe inside plain data."""
    if isinstance(content, list):
        content = dict(enumerate(content))
    if not isinstance(content, dict):
        return None
    recipe = content.get("recipe")
    if isinstance(recipe, dict) and "batch_size" in recipe:
        return recipe
    return next((r for r in map(_recipe_in, content.values()) if r is not None), None)
