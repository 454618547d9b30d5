"""Facts that every report shows: data, model, policies, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from automorph.cli.answers import label_shares, score_fact
from automorph.cli.run_names import command_words

if TYPE_CHECKING:
    from automorph.data import Dataset
    from automorph.experiments import Treatment
    from automorph.training import Epoch, Task


def task_facts(source: str, task: Task) -> dict[str, Any]:
    """Data, model and recipe, as plain values."""
    data = task.data
    return {
        "data": {
            "source": source,
            "domain": data.domain,
            "classes": list(data.predicted),
            **({} if data.annotation is None else {"target": data.target}),
            **score_fact(task.target),
            **label_shares(data),
            "n_train": len(data.train),
            "n_validation": len(data.validation or ()),
            "n_test": data.sizes.get("test", 0),
            **({} if data.unlabelled is None else {"n_unlabelled": len(data.unlabelled)}),
            "shape": list(data.train.data.shape[1:]),
            "hash": data.hash,
            "notes": list(data.notes),
            "skipped": [asdict(row) for row in data.skipped],
        },
        "model": task.model if isinstance(task.model, str) else task.model.__qualname__,
        "parameters": sum(p.numel() for p in task.build(0).parameters()),
        **({} if task.regime == "scratch" else {"regime": task.regime}),
        "recipe": task.recipe.to_dict(),
    }


def provenance_of(data: Dataset, started: str, seconds: float) -> dict[str, Any]:
    """Return the command, versions, time, hardware, and hashes of the data and the split.

    Also how images of more than 8 bits were mapped to 8, and the column that splits keep together.
    """
    from automorph.data import split_hashes

    window = {} if data.window is None else {"window": data.window.to_dict()}
    together = {} if data.keep_together is None else {"kept_together": data.keep_together}
    return {
        **run_provenance(started, seconds),
        "data_hash": data.hash,
        "split_hashes": split_hashes(data),
        **together,
        **window,
    }


def run_provenance(started: str, seconds: float) -> dict[str, Any]:
    """Return the command, versions, time and hardware."""
    from automorph.experiments import hardware

    return {
        "versions": _versions(),
        "command": command_words(),
        "started": started,
        "seconds": seconds,
        "hardware": hardware(),
    }


def notes_of(data: Dataset) -> dict[str, Any]:
    """Return the notes on the data, for records that have no entry for data; empty without any."""
    return {"data_notes": list(data.notes)} if data.notes else {}


def curves_of(epochs: Sequence[Epoch], treatment: Treatment) -> dict[str, Any]:
    """Return the curves of one training in the form of a report: lists ``(1, epochs)``."""
    names = ("epoch", "loss", "accuracy", "validation_accuracy")
    curves: dict[str, Any] = {name: [[getattr(one, name) for one in epochs]] for name in names}
    if any(one.augmenter for one in epochs):
        curves["augmenter"] = [[one.augmenter for one in epochs]]
    return report_curves(curves, treatment)


def report_curves(curves: dict[str, Any], treatment: Treatment) -> dict[str, Any]:
    """Return the curves of a policy in the form of a report: lists ``(seeds, epochs)``."""
    named = {
        "train_loss": "loss",
        "train_accuracy": "accuracy",
        "validation_accuracy": "validation_accuracy",
    }
    content = {"epochs": curves["epoch"][0]}
    for name, key in named.items():
        if all(value is not None for seed in curves[key] for value in seed):
            content[name] = curves[key]
    if used := _operations(curves.get("augmenter") or [[{}]]):
        content["operations"] = used
    elif scheduled := _scheduled(treatment, content["epochs"]):
        content["operations"] = scheduled
    return content


def _scheduled(treatment: Treatment, epochs: Sequence[int]) -> dict[str, list[list[float]]]:
    """Return the usage of operations by a schedule, ``(1, epochs)``; empty for other policies."""
    from automorph.policies import Policy, changes_by_epoch, usage

    if not isinstance(treatment, Policy) or not changes_by_epoch(treatment):
        return {}
    drawn = [usage(treatment, epoch=number) for number in range(len(epochs))]
    shares = {one[0].operation: [use.share for use in one] for one in zip(*drawn, strict=True)}
    return {name: [values] for name, values in shares.items()}


def _operations(augmenter: list[list[dict[str, Any]]]) -> dict[str, list[list[float]]]:
    """Return the usage of operations by an in-training method, ``(seeds, epochs)``."""
    names = augmenter[0][0].get("operations", {})
    return {
        name: [[epoch["operations"][name] for epoch in seed] for seed in augmenter]
        for name in names
    }


def pictures_of(task: Task, policies: Mapping[str, Treatment]) -> dict[str, Any]:
    """Return draws of each policy from a few of the user's examples, and its description."""
    from automorph.cli.preview import previewed, some_examples
    from automorph.experiments import policy_of
    from automorph.training import fitted

    part, labels = some_examples(task.data, 5)
    drawn = {
        name: fitted(policy_of(treatment), task)
        for name, treatment in policies.items()
        if name != "none" and not (task.data.domain == "text" and policy_of(treatment).mixes_labels)
    }
    return {
        "previews": {
            name: {"images": previewed(task.data, policy, part, draws=7), "labels": labels}
            for name, policy in drawn.items()
        },
        "policies": {name: policy_facts(treatment) for name, treatment in policies.items()},
    }


def policy_facts(treatment: Treatment) -> dict[str, Any]:
    """Return a policy as a table, its usage of operations, and its file."""
    from automorph.experiments import policy_of
    from automorph.policies import Policy, policy_to_dict, usage

    table = treatment.table()
    return {
        "table": {"columns": list(table.columns), "rows": [list(row) for row in table.rows]},
        # The usage of an in-training method is recorded by epoch instead.
        "draws": [asdict(one) for one in usage(treatment)] if isinstance(treatment, Policy) else [],
        "json": json.dumps(policy_to_dict(policy_of(treatment)), indent=1),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("automorph", "torch", "torchvision", "numpy", "pillow", "timm")
    return {name: version(name) for name in names}
