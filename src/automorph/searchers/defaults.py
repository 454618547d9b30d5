"""Default space, post-policy and final table; spaces narrowed by `explain`; what folders keep."""

from __future__ import annotations

import json
import os
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

from automorph.diagnostics import explain, explained_space
from automorph.errors import UsageError
from automorph.experiments import ExternalTask, Looks, read_looks, task_without_test
from automorph.operations import SearchSpace, named_space
from automorph.policies import load_policy, load_space
from automorph.searchers.budget import Controls
from automorph.searchers.builtin import EXPLAINED, SearchSpec
from automorph.text import find_wordnet
from automorph.training import Task

FIRST = "randaugment"
"""The default space on images of all methods in version 0.1."""
SEEDS = "2-5"
"""Paired seeds of the final table: from 2, until the decision is clear, at most 5."""
FORMER_SEEDS = 5
"""Paired seeds of tables that were begun when all had the same number."""


def space_of(
    space: str | SearchSpace | None,
    task: Task | ExternalTask,
    *,
    method: SearchSpec | None = None,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> SearchSpace:
    """Return the search space of a name or a file; see `search`. None: the default of the method.

    A ``folder`` with a search that was begun with the first default keeps it, with a warning.
    """
    if isinstance(space, SearchSpace):
        return space
    first, _, rest = (space or "").partition(":")
    name = rest if first == EXPLAINED else space
    domain = task.domain if isinstance(task, ExternalTask) else task.data.domain
    operations = load_space(name) if name else default_space(domain, method)
    if not name and operations.name != FIRST and _begun_with_first(folder):
        warnings.warn(
            f"{folder} was begun with the default space of version 0.1, {FIRST}, and continues "
            f"with it; choose another folder to search in {operations.name}",
            stacklevel=3,
        )
        operations = named_space(FIRST)
    operations = _as_begun(operations, folder)
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


def default_post_policy(
    domain: str, method: SearchSpec | None = None, space: SearchSpace | None = None
) -> str:
    """Return the default post-policy: ``flip-crop`` for images, none for texts.

    A race has none: whether crops and flips help is what it finds out. What a person left out of a
    reviewed ``space`` is left out here, too.
    """
    if domain != "image":
        return "none"
    usual = method.entry.post_policy if method else "flip-crop"
    refused = set(() if space is None else space.refused or ())
    choices = (usual, "crop", "flip", "none") if usual == "flip-crop" else (usual,)
    return next((one for one in choices if not refused & set(load_policy(one).space.names)), "none")


def reviewed_identity(space: SearchSpace) -> dict[str, list[str]]:
    """Return what a person ruled out, for the identity of a search; nothing for other spaces."""
    if space.refused is None:
        return {}
    return {"refused": list(space.refused), "limited": list(space.limited)}


def begun_method(named: SearchSpec, folder: str | os.PathLike[str] | None) -> SearchSpec:
    """Return the method of a search in a folder.

    What earlier versions called race is called heats now; a folder that was begun with it keeps it,
    with a warning.
    """
    if named.key != "race" or named.options:
        return named
    known = _identity_in(folder)
    if known is None or known["method"] != "race" or "portfolio" in known:
        return named
    warnings.warn(
        f"{folder} was begun with what an earlier version called race (now: heats), and continues "
        "with it; choose another folder for the present race",
        stacklevel=3,
    )
    return SearchSpec("heats", former="race")


def _as_begun(space: SearchSpace, folder: str | os.PathLike[str] | None) -> SearchSpace:
    """Return a space of texts by the definition under which a search in a folder was begun."""
    known = _identity_in(folder)
    older = space.defined_by(1)
    if known is None or older == space:
        return space
    if any("definition" in operation for operation in known["space"]["operations"]):
        return space
    warnings.warn(
        f"{folder} was begun with the first definition of the operations on texts, and continues "
        "with it; choose another folder for the present one",
        stacklevel=4,
    )
    return older


def _begun_with_first(folder: str | os.PathLike[str] | None) -> bool:
    """Return whether a folder holds a search in the first default space."""
    known = _identity_in(folder)
    return known is not None and known["space"]["name"] == FIRST


def table_of(
    controls: Controls | None,
    seeds: int | str | None,
    *,
    longer: int | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> tuple[Controls, Looks]:
    """Return the controls and the seeds of the final table; see `search`. None: the defaults.

    A length of the ``longer`` control asks for all controls. A ``folder`` with a search that was
    begun with the former defaults, all controls and five seeds, keeps them, with a warning.

    >>> table_of(None, None), table_of("all", 3)
    (('usual', Looks(first=2, cap=5)), ('all', Looks(first=3, cap=3)))
    """
    if controls not in (None, "usual", "all"):
        raise UsageError(f"got controls={controls!r}; expected 'usual' or 'all'")
    known = _identity_in(folder)
    former = known is not None and "controls" not in known
    wanted = controls or ("all" if former or longer is not None else "usual")
    as_before = former and seeds is None and known is not None and known["seeds"] == FORMER_SEEDS
    looks = read_looks(FORMER_SEEDS if as_before else SEEDS if seeds is None else seeds)
    if as_before or (former and controls is None and longer is None):
        warnings.warn(
            f"{folder} was begun with {'all controls' if controls is None else ''}"
            f"{' and ' if controls is None and as_before else ''}"
            f"{f'{FORMER_SEEDS} seeds' if as_before else ''}, and continues so; choose another "
            "folder for the current final table",
            stacklevel=3,
        )
    return wanted, looks


def _identity_in(folder: str | os.PathLike[str] | None) -> dict[str, Any] | None:
    """Return the identity of the search in a folder, or None."""
    if folder is None:
        return None
    try:
        with (Path(folder) / "trials.journal").open(encoding="utf-8") as lines:
            records: list[Any] = [json.loads(line) for line in islice(lines, 10)]
    except (OSError, ValueError, RecursionError):
        return None  # What cannot be read is reported when the search opens it.
    identities = [record.get("user_attr", {}).get("identity") for record in records]
    return next((one for one in identities if isinstance(one, dict)), None)
