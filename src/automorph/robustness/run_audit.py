"""`audit`: from data and a model to reliable statements about its groups, in one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from automorph.data import Dataset, Split, as_dataset, open_part, open_test, with_folds
from automorph.errors import UsageError
from automorph.experiments import constant_answers
from automorph.models import resizing_of
from automorph.robustness.audit_folds import PART, averaged, of_folds
from automorph.robustness.audit_outputs import audit_outputs
from automorph.robustness.audit_result import RATE, Audit, measure
from automorph.robustness.audited_metrics import metrics_of
from automorph.robustness.discovery import Method, Slice
from automorph.robustness.discovery import discover as slices_of
from automorph.robustness.groups import Grouper, grouper_of, notes_on
from automorph.robustness.output_audit import OutputAudit
from automorph.robustness.pooling import leaking
from automorph.robustness.predictions import (
    Subject,
    of_checkpoint,
    of_network,
    of_predictions,
    thumbnails,
)
from automorph.robustness.robust import RobustRun
from automorph.robustness.split_recovery import split_as_trained
from automorph.targets import check_target
from automorph.training import (
    OnEpoch,
    RunResult,
    Task,
    as_task,
    check_options,
    check_repeats,
    decoded_as,
    make_task,
    resized_as,
    sized_as,
    sizing_for,
    train,
)


def audit(
    source: Any,
    *,
    model: Any | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    predictions: Any | None = None,
    part: str | None = None,
    discover: bool = False,
    method: Method = "domino",
    recipe: dict[str, Any] | None = None,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    device: str = "auto",
    progress: bool | OnEpoch | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    metrics: Sequence[str] = (),
    whole: bool = False,
    min_group: int = 0,
    **options: Any,
) -> Audit | OutputAudit:
    """Audit a model on the subgroups of data: on whom it fails, by how much, with what certainty.

    - ``source``: a `Task`, a ``DATA`` string, ``(images, labels, subgroups)``, a data set;
      ``options`` such as ``subgroup``, ``label``, ``size`` and ``limit`` are those of
      `automorph.load_data`. All other columns of a table are searched for intersections;
    - the subject: ``predictions`` (an array, a file, a column: see
      `automorph.robustness.predictions.of_predictions`), a ``checkpoint`` (a run folder or file),
      or a ``model`` (a network, or the result of a training). Otherwise the network named ``model``
      is trained plainly, by ``recipe``, and kept in ``folder``; ``weights`` is the file from which
      a model named ``timm:NAME:pretrained`` starts;
    - ``part``: ``test`` by default; ``validation`` if slices are discovered (they must be tested
      elsewhere); for data without parts and given predictions, all of them;
    - ``discover`` searches for slices that no column names; ``method`` is ``domino`` or ``george``.

    - ``folds``: train a network for each fold, ``repeats`` times (default 2), and audit all
      examples, each predicted by the networks that have not seen it (see
      `automorph.data.with_folds` and `automorph.robustness.audit_folds.averaged`). Only networks
      that are trained here can be audited so, and slices cannot be discovered.

    - ``whole``: audit all examples of data without parts, which a checkpoint has not seen;

    - several labels and values are audited output by output, which needs no subgroups; their
      ``predictions`` are an array ``(n, k)``;

    - ``metrics`` are names of metrics to compute on the part, with bootstrap intervals (see
      `automorph.metrics`); with some, data need no subgroups. A checkpoint whose training fixed an
      operating point decides by its threshold, and the metric of that is shown as well.

    - ``min_group``: groups of fewer examples are not the worst group; recalls by class and value of
      every column are given, pulled towards the whole class (see
      `automorph.robustness.pooling.pooled_recalls`).

    Columns that give the class away are named and not searched.

    Raises `UsageError` for more than one subject, `DataError` for unusable predictions.

    >>> labels = np.repeat([0, 1], 100)
    >>> images = np.random.default_rng(0).integers(0, 255, (200, 8, 8, 1), np.uint8)
    >>> wrong = np.where(np.arange(200) < 40, 1, labels)
    >>> result = audit((images, labels, np.arange(200) < 50), predictions=wrong)
    >>> result.robust_accuracy, result.worst.subgroup
    (0.2, 'True')
    """
    given = [name for name, value in (("predictions", predictions), ("checkpoint", checkpoint))
             if value is not None]  # fmt: skip
    if isinstance(model, (RunResult, RobustRun)):
        model = model.model
    if len(given) > 1 or (predictions is not None and model is not None):
        raise UsageError(
            f"got {' and '.join([*given, *(['model'] if model is not None else [])])}; expected "
            "only one of them: omit the others"
        )
    if weights is not None and (given or not isinstance(model, str)):
        raise UsageError(
            f"got the weights {weights}, from which no network is trained here; expected them with "
            "a model named timm:NAME:pretrained, and neither checkpoint nor predictions"
        )
    check_repeats(folds, repeats)
    whole = whole or predictions is not None
    data, doubt = _data(
        source, seed, checkpoint, model, whole=whole, options=options,
        folds=folds, repeats=repeats,
    )  # fmt: skip
    check_target(data.target, "audit")
    if data.target != "classes":
        _check_outputs(data, {"folds": folds, "discover": discover, "a smallest group": min_group})
        name, audited = _part(data, part, discover=False, whole=whole)
        result = audit_outputs(
            data, audited, where=name, task=source if isinstance(source, Task) else None,
            model=model, checkpoint=checkpoint, weights=weights, predictions=predictions,
            recipe=recipe, seed=seed, folder=folder, device=device, progress=progress,
            metrics=metrics,
        )  # fmt: skip
        return replace(result, notes=(doubt, *result.notes)) if doubt else result
    if data.folds is not None:
        _check_folds(
            {"predictions": predictions, "a checkpoint": checkpoint, "a part": part,
             "a smallest size of groups": min_group or None,
             "metrics": metrics or None,
             "discover": discover or None,
             "a network": model if isinstance(model, nn.Module) else None}
        )  # fmt: skip
    # Without subgroups, slices can be searched for, and metrics need none.
    grouper = _grouper(data, discover or bool(metrics))
    if data.folds is not None:
        task = as_task(
            source if isinstance(source, Task) else data,
            model=model, recipe=recipe, run_folder=folder, weights=weights,
        )  # fmt: skip
        place = None if folder is None else Path(folder)
        subjects = of_folds(task, place, device=device, progress=progress)
        audits = [
            _measured(data, grouper, PART, open_test(data), one, None, seed) for one in subjects
        ]
        return averaged(audits, rate=RATE)
    name, audited = _part(data, part, discover=discover, whole=whole)
    if predictions is not None:
        subject = of_predictions(predictions, data, audited, where=name)
    elif checkpoint is not None:
        subject = of_checkpoint(checkpoint, data, audited, model=model)
    elif isinstance(model, nn.Module):
        task = source if isinstance(source, Task) else make_task(data, model=lambda: model)
        subject = of_network(
            model, audited, encoder=task.encoder, classes=data.classes, name=type(model).__name__
        )
    else:
        task = as_task(
            source if isinstance(source, Task) else data,
            model=model,
            recipe=recipe,
            run_folder=folder,
            weights=weights,
        )
        run = train(task, seed=seed, folder=folder, parts=(), device=device, progress=progress)
        assert run.model is not None
        subject = of_network(
            run.model, audited, encoder=task.encoder, classes=data.classes,
            name=f"{task.model}, trained plainly",
        )  # fmt: skip
        start = f"The network started from the weights {task.weights}." if task.weights else ""
        subject = replace(subject, notes=(start,) if start else ())
    found = _measured(
        data, grouper, name, audited, subject, method if discover else None, seed, min_group
    )
    found = replace(found, metrics=metrics_of(metrics, subject, audited.labels, data.classes))
    return replace(found, notes=(doubt, *found.notes)) if doubt else found


def _measured(
    data: Dataset,
    grouper: Grouper,
    name: str,
    part: Split,
    subject: Subject,
    method: Method | None,
    seed: int,
    min_group: int = 0,
) -> Audit:
    groups = part.labels if part.subgroups is None else grouper.of(part)
    leaks = leaking(part.labels, part.metadata)
    columns = {name: column for name, column in part.metadata.items() if name not in leaks}
    if part.subgroups is not None and (min_group or not part.metadata):
        columns["subgroup"] = np.array(data.subgroup_names)[part.subgroups]
    # Groups and slices are two sources of false alarms: they share the audit's rate.
    looks = 2 if method is not None and len(grouper.subgroups) > 1 else 1
    result = measure(
        part.labels, subject.predictions, groups, grouper,
        probabilities=subject.probabilities, columns=columns, looks=looks,
        min_group=min_group,
    )  # fmt: skip
    slices: tuple[Slice, ...] = ()
    if method is not None:
        rate = RATE / looks
        slices = discover_in(subject, part, data.classes, method=method, rate=rate, seed=seed)
    facts = {"data": data.name, "part": name, "subject": subject.name}
    constant = constant_answers({subject.name: subject.predictions}, data.classes)
    notes = (*subject.notes, *constant, *result.notes, *(
        f"The column {name!r} gives the class away (Cramér's V {value:.2f}): it is not searched."
        for name, value in leaks.items()
    ))  # fmt: skip
    if part.subgroups is not None:
        # `measure` has already noted what the part itself lacks.
        covered = (f"The {name} part", "Class ", "No part has an example")
        notes += tuple(note for note in notes_on(data, grouper) if not note.startswith(covered))
    if slices:
        notes += (
            "Discovered slices are hypotheses: inspect and describe them, label them, and test "
            "them on other examples.",
            f"Slices were discovered on one half of the {name} part and measured on the other, "
            "and the clearest of many is listed first: their accuracies are probably lower here "
            "than on new examples.",
        )
        if name == "test":
            notes += (
                "Slices were discovered on the test part: a model repaired to fix them needs new "
                "test examples, otherwise its accuracies will be optimistic.",
            )
    return replace(
        result, slices=slices, notes=notes, facts=facts, predictions=subject.predictions,
        method=method,
    )  # fmt: skip


def discover_in(
    subject: Subject,
    part: Split,
    classes: tuple[str, ...],
    *,
    method: Method,
    rate: float = RATE,
    seed: int = 0,
) -> tuple[Slice, ...]:
    """Return the slices of a part, in features of the model or, without any, in thumbnails."""
    known = subject.features if subject.features is not None else thumbnails(part)
    return slices_of(
        known, part.labels, subject.predictions, classes,
        method=method, metadata=part.metadata, rate=rate, seed=seed,
    )  # fmt: skip


def _check_outputs(data: Dataset, given: dict[str, Any]) -> None:
    """Refuse what an audit of several labels or values does not have."""
    if names := [name for name, value in given.items() if value]:
        raise UsageError(
            f"got {names[0]} for data of {data.target}; expected one "
            "network and the subgroups of a column: leave it out, or audit one label as two "
            "classes (--label-of, label_of)"
        )
    if data.train.subgroups is not None:
        grouper_of(data)  # Too many subgroups are refused.


def _check_folds(given: dict[str, Any]) -> None:
    """Refuse folds with what would be one network, or one part of the data."""
    if names := [name for name, value in given.items() if value is not None]:
        raise UsageError(
            f"got folds and {' and '.join(names)}; expected folds alone, because a network is "
            "trained here for each fold and all examples are audited: leave out the others, or "
            "leave out --folds (folds)"
        )


def _data(
    source: Any,
    seed: int,
    checkpoint: Any,
    model: Any,
    *,
    whole: bool,
    options: dict[str, Any],
    folds: int | None,
    repeats: int | None,
) -> tuple[Dataset, str | None]:
    if isinstance(source, Task):
        source = as_task(source, **options).data
    elif isinstance(source, Dataset):
        source = as_dataset(source, **options)
    else:
        check_options(source, options)
        resizing = resizing_of(model) if checkpoint is None else resized_as(checkpoint)
        sizing = sizing_for() if checkpoint is None else sized_as(checkpoint)
        known: dict[str, Any] = {"resizing": resizing, "sizing": sizing if model is None else None}
        if checkpoint is not None:
            known["decode"] = decoded_as(checkpoint)
        options = {"metadata": None, **known, **options}
        if folds:
            options["hold_out"] = False
        source = as_dataset(source, seed=seed, **options)
    if folds:
        source = with_folds(source, folds, repeats=repeats, seed=seed)
    # Given predictions belong to the rows in their order: nothing may be split off.
    return (source, None) if whole else split_as_trained(source, checkpoint, seed=seed)


def _grouper(data: Dataset, classes_suffice: bool) -> Grouper:
    if data.train.subgroups is None and classes_suffice:
        return Grouper(data.classes, ("all",))
    return grouper_of(data)


def _part(data: Dataset, wanted: str | None, *, discover: bool, whole: bool) -> tuple[str, Split]:
    if wanted is not None:
        if wanted not in data.parts:
            raise UsageError(
                f"{data.name} has no {wanted} part; expected one of {', '.join(data.parts)}"
            )
        return wanted, open_part(data, wanted)
    order = ("validation", "test", "train") if discover and not whole else ("test", "train")
    name = next(name for name in order if name in data.parts)
    return name, open_part(data, name)
