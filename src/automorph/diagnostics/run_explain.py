"""`explain`: the effect of every operation of a space on a user's data, before long trainings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import units_of
from automorph.diagnostics.diagnosis import Bench
from automorph.diagnostics.explain_result import (
    FEW,
    HANDFUL,
    Explanation,
    findings_of,
)
from automorph.diagnostics.features import FeatureMap, feature_map, trained_features
from automorph.diagnostics.label_bench import LabelBench
from automorph.diagnostics.sweeper import Sweeper
from automorph.diagnostics.value_bench import ValueBench
from automorph.errors import UsageError
from automorph.models import resizing_of
from automorph.operations import EDA, Operation, SearchSpace, named_space
from automorph.policies import load_space
from automorph.targets import check_target
from automorph.text import find_wordnet
from automorph.training import Task, as_task, fitted

MAGNITUDES = (0.1, 0.3, 0.6, 1.0)
MOST = 2000
"""Largest number of examples; more change no column by more than its standard error."""
SPACES = {"image": "catalogue", "text": "texts"}
LEAST = 20
"""Below this number of examples, held-out errors are meaningless."""

BENCHES: dict[str, type[Bench]] = {"labels": LabelBench, "values": ValueBench}
"""What diagnoses operations on annotated data, by kind of target."""

Progress = Callable[[str, int, int], None]


def explain(
    source: Any,
    space: str | SearchSpace | None = None,
    *,
    features: str | FeatureMap | None = None,
    deep: bool = False,
    magnitudes: Sequence[float] = MAGNITUDES,
    copies: int = 2,
    seed: int = 0,
    weights: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Explanation:
    """Explain every operation of ``space`` on the training part of ``source``.

    - ``source``: a `Task`, a ``DATA`` string, arrays or a data set (``options`` go to
      `automorph.training.as_task`); only its training part is used, at most 2,000 examples;
    - ``space``: a name, a file of ``automorph review`` or a `SearchSpace`, which may hold your own
      operations (None: see `default_space`);
    - ``features``: ``random`` (convolutions; for texts words and pairs of words), ``pixels``, the
      name of a model, or a function of images or texts (None: those of the task's network if its
      weights are pretrained, else ``random``);
    - ``deep``: use features of the task's own network, trained by its recipe on one half of the
      examples, and explain on the other half;
    - ``weights``: the file of the weights of a model named ``timm:NAME:pretrained`` or
      ``features:timm:NAME``: that of ``features``, or else the task's;
    - ``progress`` is called with an operation's name, its number and their count.

    Raises `UsageError` for a space of another domain, or too few data.
    """
    started = time.monotonic()
    own = deep or features is None
    if isinstance(source, str) and not deep:
        named = options.get("model") if features is None else features
        options = {"resizing": resizing_of(named), **options}
    task = as_task(source, weights=weights if own else None, **options)
    check_target(task.data.target, "explain")
    if features is None:
        features = task.network if task.regime != "scratch" else "random"
    chosen = default_space(task.data.domain) if space is None else space
    chosen = load_space(chosen)
    _check(task, chosen, magnitudes, copies)
    chosen = fitted(chosen, task)
    bench, name = _bench(
        task, features, deep=deep, copies=copies, seed=seed, weights=None if own else weights
    )
    operations = [operation for operation in chosen if not is_identity(operation)]
    with Sweeper(bench, magnitudes) as sweeper:
        for number, operation in enumerate(operations):
            if progress is not None:
                progress(operation.name, number, len(operations))
            sweeper.add(operation)
    sweeps = sweeper.finished()
    return Explanation(
        data=task.name,
        space=chosen,
        features=name,
        examples=len(bench.images),
        accuracy=bench.accuracy,
        findings=findings_of(
            sweeps,
            classes=task.data.predicted,
            seed=seed,
            doubt=doubt_of(bench),
            thin=thin_of(bench, task.data.predicted),
        ),
        seconds=time.monotonic() - started,
        bench=bench,
        target=task.data.target,
    )


def doubt_of(bench: Bench) -> str:
    """Return why the data and the features can tell nothing of any operation; empty if they can."""
    n = len(bench.labels)
    if n < FEW:
        return f"too few examples ({n}; {FEW} or more are needed)"
    if isinstance(bench, LabelBench):
        if bench.informative:
            return ""
        return (
            f"the features do not tell the labels ({bench.accuracy:.0%} balanced accuracy, where "
            "guessing has 50%)"
        )
    if isinstance(bench, ValueBench):
        if bench.informative:
            return ""
        return (
            f"the features do not tell the values (R2 {bench.accuracy:.2f} on held-out examples, "
            "where their mean has 0)"
        )
    base = float(np.unique(bench.labels, return_counts=True)[1].max()) / n
    if bench.accuracy <= base + 2 * np.sqrt(base * (1 - base) / n):
        return (
            f"the features do not tell the classes apart ({bench.accuracy:.0%} right, {base:.0%} "
            "by always answering one class)"
        )
    return ""


def thin_of(bench: Bench, classes: Sequence[str]) -> str:
    """Return which classes have too few examples to say that an operation is good for them."""
    if isinstance(bench, ValueBench):
        return ""
    known, counts = np.unique(bench.labels, return_counts=True)
    what = "classes"
    if isinstance(bench, LabelBench):
        counts, what = bench.labels.sum(axis=0, dtype=np.int64), "labels"
        known = np.arange(len(counts))
    thin = [(classes[int(y)], int(k)) for y, k in zip(known, counts, strict=True) if k < HANDFUL]
    if not thin:
        return ""
    (name, count), more = thin[0], f" and {len(thin) - 1} more {what}" if len(thin) > 1 else ""
    return f"too few examples of {name!r} ({count}){more}; {HANDFUL} or more are needed"


def default_space(domain: str) -> SearchSpace:
    """Return the default space: all operations of the domain that work on this machine."""
    space = named_space(SPACES[domain])
    if domain == "text" and find_wordnet() is None:
        available = tuple(operation for operation in space if operation.name not in EDA[:2])
        return SearchSpace("texts-without-wordnet", available)
    return space


def is_identity(operation: Operation) -> bool:
    """Return True for an identity, which changes nothing by design and is not explained."""
    return operation.magnitude_free and operation.identity_at_zero and not operation.function


def balanced(labels: NDArray[np.int64], max_examples: int) -> NDArray[np.intp]:
    """Return rows of the first examples, ``max_examples`` at most, balanced over the classes."""
    turn = np.zeros(len(labels), np.intp)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        turn[rows] = np.arange(len(rows))
    return np.sort(np.argsort(turn, kind="stable")[:max_examples])


def _bench(
    task: Task,
    features: str | FeatureMap,
    *,
    deep: bool,
    copies: int,
    seed: int,
    weights: str | os.PathLike[str] | None,
) -> tuple[Bench, str]:
    train = task.data.train
    alone = task.data.keep_together is None
    units = np.arange(len(train)) if alone else units_of(task.data)
    name = features if isinstance(features, str) else getattr(features, "__name__", "own")
    if deep:
        # Features fitted to an example's label would understate its label risk.
        rows = balanced(train.labels, min(len(train), 2 * MOST))
        half = (np.arange(len(rows)) if alone else units[rows]) % 2 == 0
        other = replace(task, data=task.data.replace(train=train.take(rows[half])))
        maps, rows, name = trained_features(other, seed=seed), rows[~half], f"{task.model}, trained"
    else:
        maps = feature_map(task, features, seed=seed, weights=weights)
        rows = balanced(train.labels, MOST)
    part = train.take(rows)
    known, groups = np.unique(units[rows], return_inverse=True)
    return BENCHES.get(task.data.target, Bench)(
        part.data, part.expected, maps, copies=copies, seed=seed,
        groups=groups if len(known) < len(rows) else None,
    ), name  # fmt: skip


def _check(task: Task, space: SearchSpace, magnitudes: Sequence[float], copies: int) -> None:
    data = task.data
    if not len(space):
        raise UsageError(
            f"the space {space.name!r} has no operations; expected at least one: use "
            "another --space"
        )
    if space.mixes_labels:
        raise UsageError(
            f"the space {space.name!r} has an operation that mixes labels (Mixup), whose effect on "
            "features says nothing of it; choose another with --space, or leave it out: "
            f'named_space("{space.name}").without("Mixup")'
        )
    if space.domain != data.domain:
        raise UsageError(
            f"explain got {data.domain}s of {data.name!r}, but the space {space.name!r} has "
            f"operations on {space.domain}s; expected operations on {data.domain}s: choose another "
            "with --space (see: automorph list spaces)"
        )
    if copies < 1:
        raise UsageError(f"got copies={copies}; expected 1 or more")
    if not magnitudes or not all(0 < m <= 1 for m in magnitudes):
        raise UsageError(
            f"got the magnitudes {list(magnitudes)}; expected numbers above 0 and at most 1"
        )
    if len(data.train) < LEAST:
        raise UsageError(
            f"{data.name}: got {len(data.train)} training examples; expected at least {LEAST}, so "
            "that held-out errors are meaningful: raise --limit"
        )
