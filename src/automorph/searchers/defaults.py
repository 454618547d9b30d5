"""Default search space and post-policy; spaces narrowed by `automorph.explain`."""

from __future__ import annotations

import json
import os
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

from automorph.diagnostics import explain, explained_space
from automorph.errors import UsageError
from automorph.experiments import ExternalTask, task_without_test
from automorph.operations import SearchSpace, named_space
from automorph.searchers.builtin import EXPLAINED, SearchSpec
from automorph.text import find_wordnet
from automorph.training import Task

FIRST = "randaugment"
"""The default space on images of all methods in version 0.1."""


def space_of(
    space: str | SearchSpace | None,
    task: Task | ExternalTask,
    *,
    method: SearchSpec | None = None,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> SearchSpace:
    """Return the search space of a name; see `search`. None: the default of the method.

    A ``folder`` with a search that was begun with the first default keeps it, with a warning.
    """
    if isinstance(space, SearchSpace):
        return space
    first, _, rest = (space or "").partition(":")
    name = rest if first == EXPLAINED else space
    domain = task.domain if isinstance(task, ExternalTask) else task.data.domain
    operations = named_space(name) if name else default_space(domain, method)
    if not name and operations.name != FIRST and _begun_with_first(folder):
        warnings.warn(
            f"{folder} was begun with the default space of version 0.1, {FIRST}, and continues "
            f"with it; choose another folder to search in {operations.name}",
            stacklevel=3,
        )
        operations = named_space(FIRST)
    if first != EXPLAINED:
        return operations
    if isinstance(task, ExternalTask):
        raise UsageError(
            f"got the space {space!r}, which is narrowed by looking at data; expected the name of "
            f"a space, because {task.name} keeps its data to itself: see automorph list spaces"
        )
    return explained_space(explain(task_without_test(task), operations, seed=seed))


def default_space(domain: str, method: SearchSpec | None = None) -> SearchSpace:
    """Return the default search space: on images, that of the method's paper.

    On texts, it has synonyms if WordNet is installed.
    """
    if domain == "image":
        return named_space(method.entry.space if method else FIRST)
    return named_space("texts-wordnet" if find_wordnet() else "texts-plain")


def _begun_with_first(folder: str | os.PathLike[str] | None) -> bool:
    """Return whether a folder holds a search in the first default space."""
    if folder is None:
        return False
    try:
        with (Path(folder) / "trials.journal").open(encoding="utf-8") as lines:
            records: list[Any] = [json.loads(line) for line in islice(lines, 10)]
    except (OSError, ValueError, RecursionError):
        return False  # What cannot be read is reported when the search opens it.
    identities = [record.get("user_attr", {}).get("identity") for record in records]
    return any(isinstance(one, dict) and one["space"]["name"] == FIRST for one in identities)


def default_post_policy(domain: str) -> str:
    """Return the default post-policy: ``flip-crop`` for images, none for texts."""
    return "flip-crop" if domain == "image" else "none"
