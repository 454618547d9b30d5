"""Policies and methods for texts, fitted to the words of the training part."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from automorph.data import Split
from automorph.operations import SearchSpace
from automorph.policies import check_domain, load_policy
from automorph.text import Corpus
from automorph.training.task import Task


def fitted(thing: Any, task: Task) -> Any:
    """Fit a policy (or its name), method or search space to the task's training texts.

    Policies for images and custom augmenters are returned unchanged. Raises `UsageError` for a
    policy whose operations are for another domain than the task's data.
    """
    if isinstance(thing, (str, os.PathLike)):
        thing = load_policy(thing)
    check_domain(thing, task.data.domain, data=task.name)
    if task.data.domain != "text":
        return thing
    if isinstance(thing, SearchSpace):
        return thing.fitted(corpus_of(task))
    fit = getattr(thing, "with_corpus", None)
    return fit(corpus_of(task)) if fit else thing


def corpus_of(task: Task) -> Corpus:
    """Return the corpus of the task's training texts, with and without labels; it is cached."""
    return _corpus(task.data.train, task.data.unlabelled, task.protect)


@lru_cache(maxsize=4)
def _corpus(part: Split, unlabelled: Split | None, protect: tuple[str, ...]) -> Corpus:
    more = [] if unlabelled is None else unlabelled.data.tolist()
    return Corpus([*part.data.tolist(), *more], protect)
