"""The default network and recipe that an existing run folder was begun with, which it keeps."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from automorph.data import Decode
from automorph.policies import Policy, former, identity_form, load_policy
from automorph.training.recipe_table import LATEST, TABLES

_RECORDS = ("run.json", "task.json", "model/run.json")
_LOGS = ("jobs.jsonl", "trials.journal")
_FIRST_LINES = 100
"""A log states what it is a log of before it holds results."""


def defaults_of(folder: Path, record_of: Callable[[str], dict[str, Any]]) -> str:
    """Return the version whose defaults a run in a folder uses.

    ``record_of`` returns the ``model`` and ``recipe`` that this call has with the defaults of a
    version. If the folder records those of an earlier version, the run goes on with them, with a
    warning; in all other cases the latest defaults apply.
    """
    found = next((r for r in map(_record_in, _contents(folder)) if r is not None), None)
    if found is None:
        return LATEST
    for version in reversed(TABLES):  # The latest first.
        wanted = record_of(version)
        if all(found.get(name) == value for name, value in wanted.items()):
            if version != LATEST:
                warnings.warn(
                    f"{folder} was begun with the default recipe of version {version}, and "
                    "continues with it; choose another folder for the current one",
                    stacklevel=3,
                )
            return version
    return LATEST


def model_begun(folder: Path) -> str | None:
    """Return the model that a run in a folder was begun with; None if there is no run."""
    found = next((r for r in map(_record_in, _contents(folder)) if r is not None), None)
    return None if found is None else found.get("model")


def decode_begun(folder: Path) -> Decode | None:
    """Return how the run in a folder decoded large JPEG files; None if there is no run.

    Runs of earlier versions decoded them in full, and record nothing; nor do runs without any.
    """
    found = next((r for r in map(_record_in, _contents(folder)) if r is not None), None)
    if found is None:
        return None
    known = [found.get("data"), found.get("seen")]
    resized = [one.get("resizing") for one in known if isinstance(one, dict)]
    reduced = any(isinstance(one, dict) and one.get("decode") == "reduced" for one in resized)
    return "reduced" if reduced else "exact"


def metric_begun(folder: Path) -> str | None:
    """Return the metric of the run in a folder; None if it holds none.

    Runs of earlier versions, and those judged by accuracy alone, record no metric.
    """
    found = [record for record in map(_record_in, _contents(folder)) if record is not None]
    named = [one for record in found if isinstance(one := record.get("metric"), str)]
    return next(iter(named), "accuracy") if found else None


def policy_begun(augmenter: Any, folder: str | os.PathLike[str] | None) -> tuple[Any, Any]:
    """Return the policy that a training in a folder uses, and its record if that is another.

    A name that meant another policy in version 0.1 keeps that meaning in a folder that was begun
    with it, with a warning; see `automorph.policies.former`.
    """
    if folder is None or not isinstance(augmenter, (str, os.PathLike, Policy)):
        return augmenter, None
    try:
        found = json.loads((Path(folder) / "run.json").read_text("utf-8"))
        recorded = found["identity"]["augmenter"]
        form = recorded["policy"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return augmenter, None  # What cannot be read is reported when the folder is opened.
    policy = load_policy(augmenter)
    older = former(policy)
    if older == policy or identity_form(older) != form:
        return augmenter, None
    warnings.warn(
        f"{folder} was begun with what {policy.name!r} meant in version 0.1, and continues with "
        "it; choose another folder for what it means now",
        stacklevel=3,
    )
    return older, recorded


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


def _record_in(content: Any) -> dict[str, Any] | None:
    """Return the first description of a task inside plain data."""
    if isinstance(content, list):
        content = dict(enumerate(content))
    if not isinstance(content, dict):
        return None
    recipe = content.get("recipe")
    if isinstance(recipe, dict) and "batch_size" in recipe:
        return content
    return next((r for r in map(_record_in, content.values()) if r is not None), None)
