"""Policies and methods fitted to the training part: to its words, or to its mean colour."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from automorph.data import Split
from automorph.operations import MEAN, SearchSpace
from automorph.policies import Policy, check_domain, load_policy
from automorph.text import Corpus
from automorph.training.batch import Normaliser
from automorph.training.task import Task, normaliser_of


def fitted(thing: Any, task: Task) -> Any:
    """Fit a policy (or its name), method or search space to the task's training part.

    Operations on texts get its words; of images, a colour that is the mean of the data gets its
    value. Custom augmenters are returned unchanged. Raises `UsageError` for a
    policy whose operations are for another domain than the task's data.
    """
    if isinstance(thing, (str, os.PathLike)):
        thing = load_policy(thing)
    check_domain(thing, task.data.domain, data=task.name)
    if task.data.domain == "image":
        return _coloured(thing, task)
    if task.data.domain != "text":
        return thing
    if isinstance(thing, SearchSpace):
        return thing.fitted(corpus_of(task))
    fit = getattr(thing, "with_corpus", None)
    return fit(corpus_of(task)) if fit else thing


def _coloured(thing: Any, task: Task) -> Any:
    if isinstance(thing, SearchSpace):
        needed = any(operation.fill == MEAN for operation in thing)
        return thing.painted(mean_colour(task), only=MEAN) if needed else thing
    policy = getattr(thing, "policy", thing)
    if not isinstance(policy, Policy) or not policy.needs_mean:
        return thing
    fill = getattr(thing, "with_mean", None)
    return fill(mean_colour(task)) if fill else thing


def mean_colour(task: Task) -> tuple[int, ...]:
    """Return the mean of the task's training images, one whole level per channel."""
    given = task.encoder
    return _levels(given) if isinstance(given, Normaliser) else mean_of(task.data.train)


@lru_cache(maxsize=4)
def mean_of(part: Split) -> tuple[int, ...]:
    """Return the mean colour of images, one whole level per channel."""
    return _levels(normaliser_of(part))


def _levels(scale: Normaliser) -> tuple[int, ...]:
    return tuple(round(255 * mean) for mean in scale.mean)


def corpus_of(task: Task) -> Corpus:
    """Return the corpus of the task's training texts, with and without labels; it is cached."""
    return _corpus(task.data.train, task.data.unlabelled, task.protect)


@lru_cache(maxsize=4)
def _corpus(part: Split, unlabelled: Split | None, protect: tuple[str, ...]) -> Corpus:
    more = [] if unlabelled is None else unlabelled.data.tolist()
    return Corpus([*part.data.tolist(), *more], protect)
