"""Default search space and post-policy; spaces narrowed by `automorph.explain`."""

from __future__ import annotations

from automorph.diagnostics import explain, explained_space
from automorph.errors import UsageError
from automorph.experiments import ExternalTask, task_without_test
from automorph.operations import SearchSpace, named_space
from automorph.searchers.builtin import EXPLAINED
from automorph.text import find_wordnet
from automorph.training import Task


def space_of(
    space: str | SearchSpace | None, task: Task | ExternalTask, *, seed: int = 0
) -> SearchSpace:
    """Return the search space of a name; see `search`."""
    if isinstance(space, SearchSpace):
        return space
    first, _, rest = (space or "").partition(":")
    name = rest if first == EXPLAINED else space
    domain = task.domain if isinstance(task, ExternalTask) else task.data.domain
    operations = named_space(name) if name else default_space(domain)
    if first != EXPLAINED:
        return operations
    if isinstance(task, ExternalTask):
        raise UsageError(
            f"got the space {space!r}, which is narrowed by looking at data; expected the name of "
            f"a space, because {task.name} keeps its data to itself: see automorph list spaces"
        )
    return explained_space(explain(task_without_test(task), operations, seed=seed))


def default_space(domain: str) -> SearchSpace:
    """Return the default search space; on texts, with synonyms if WordNet is installed."""
    if domain == "image":
        return named_space("randaugment")
    return named_space("texts-wordnet" if find_wordnet() else "texts-plain")


def default_post_policy(domain: str) -> str:
    """Return the default post-policy: ``flip-crop`` for images, none for texts."""
    return "flip-crop" if domain == "image" else "none"
