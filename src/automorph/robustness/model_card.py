"""The model card of a patch: what the model is, how it was chosen, where it still fails."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from automorph.experiments import Metric
from automorph.robustness.groups import Grouper
from automorph.training import Task

_SIGNS = re.compile(r"([\\|`\[\]!])")
WEAK = 0.05
"""A group this far below the overall accuracy is a known failure."""


def model_card(result: Mapping[str, Any], task: Task, grouper: Grouper) -> str:
    """Return the card as Markdown, from the result of `Patched.to_dict`."""
    model = task.model if isinstance(task.model, str) else task.model.__qualname__
    result = _plain(result)
    lines = [
        f"# {model} on {_plain(task.name)}, "
        f"{'repaired with' if result['verdict']['kind'] == 'better' else 'trained with'} "
        f"{result['objective']}",
        "",
        result["verdict"]["text"],
        "",
        "## Groups",
        "",
        "| class | subgroup | training examples | test examples | accuracy before | after | "
        "95 % interval |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    counts = grouper.counts(task.data.train).tolist()
    train = dict(zip(map(_plain, grouper.names), counts, strict=True))
    before = {(g["class"], g["subgroup"]): g for g in result["before"]["groups"]}
    for group in _known(result["after"]):
        key = (group["class"], group["subgroup"])
        lines.append(
            f"| {key[0]} | {key[1]} | {train[key]:,} | {group['n']:,} | "
            f"{before[key]['accuracy']:.1%} | {group['accuracy']:.1%} | "
            f"{group['low']:.1%} to {group['high']:.1%} |"
        )
    lines += ["", "## All metrics before and after", "", "| | before | after |", "|---|---:|---:|"]
    for name in ("accuracy", "robust_accuracy"):
        words = name.replace("_", " ")
        lines.append(f"| {words} | {result['before'][name]:.1%} | {result['after'][name]:.1%} |")
    for y, value in result["before"]["gap"].items():
        if value is None or result["after"]["gap"][y] is None:
            continue
        lines.append(f"| gap of {y} (points) | {value:.1f} | {result['after']['gap'][y]:.1f} |")
    information = [result[side]["mutual_information"] for side in ("before", "after")]
    if None not in information:
        lines.append(
            f"| mutual information of prediction and subgroup (nats) | {information[0]:.4f} | "
            f"{information[1]:.4f} |"
        )
    flips = result["flip_rate"]
    if flips["before"] is not None:
        lines.append(
            f"| predictions that flip with the subgroup | {flips['before']:.1%} | "
            f"{flips['after']:.1%} |"
        )
    for one in result.get("metrics") or ():
        metric = Metric(*(one[key] for key in ("name", "higher_is_better", "share", "part")))
        for which, where in (("whole", ""), ("worst", " in the worst subgroup")):
            values = [one[side][which] for side in ("before", "after")]
            if None not in values:
                better = "" if metric.higher_is_better else " (lower is better)"
                lines.append(
                    f"| {metric.name}{where}{better} | {metric.value(values[0])} | "
                    f"{metric.value(values[1])} |"
                )
    lines += ["", "## How it was chosen", "", _selection(result)]
    lines += ["", "## Known failures", "", *_failures(result)]
    lines += ["", "## Evidence", "", _evidence(result)]
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> Any:
    """Return the same with all strings escaped for Markdown, on one line."""
    if isinstance(value, str):
        return _SIGNS.sub(r"\\\1", " ".join(value.split()).replace("<", "&lt;"))
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    return value


def _known(audit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [group for group in audit["groups"] if group["n"]]


def _selection(result: Mapping[str, Any]) -> str:
    objectives = ", ".join(row["objective"] for row in result["arms"])
    what, same = "robust validation accuracy", "accuracy"
    if result.get("metrics") and result["metric"] != "accuracy":
        what, same = f"{result['metric']} in the worst subgroup of the validation part", "value"
    return (
        f"Objectives trained: {objectives}, each with the seeds "
        f"{', '.join(map(str, result['seeds']))}. Every training keeps the epoch with the best "
        f"{what}. Unless the user specified the objective, the one with the "
        f"best mean of that {same} over the seeds was chosen (measured on translated validation "
        "images if the rarest group has fewer than 100; an objective more complicated than "
        f"balanced sampling had to be better by two standard errors). The seed ({result['seed']}) "
        f"was chosen by the same {same}. The test part was not used for any choice. These are "
        f"the weights of one training; intervals are Wilson intervals over {_count(result)} test "
        "examples."
    )


def _failures(result: Mapping[str, Any]) -> list[str]:
    after, mean = result["after"], result["after"]["accuracy"]
    lines = [
        f"- {g['class']}, {g['subgroup']}: {g['accuracy']:.1%}, against {mean:.1%} of all."
        for g in _known(after)
        if g["accuracy"] < mean - WEAK
    ]
    before = {(g["class"], g["subgroup"]): g["accuracy"] for g in result["before"]["groups"]}
    lines += [
        f"- {g['class']}, {g['subgroup']} got worse: "
        f"{before[(g['class'], g['subgroup'])]:.1%} before, {g['accuracy']:.1%} now."
        for g in _known(after)
        if g["accuracy"] < before[(g["class"], g["subgroup"])] - 0.01
    ]
    small = [g for g in _known(after) if g["n"] < 100]
    lines += [
        f"- {g['class']}, {g['subgroup']}: only {g['n']} test examples, so its accuracy is "
        "uncertain."
        for g in small
    ]
    lines += [f"- {note}" for note in result["notes"]]
    lines.append("- Subgroups other than those listed here were not examined.")
    return lines


def _evidence(result: Mapping[str, Any]) -> str:
    kind = result["translator"]["kind"]
    if kind == "none":
        return (
            "Group accuracies are correlational. No translator was used to change individual "
            "images."
        )
    return (
        "Group accuracies are correlational. The flip rate is interventional: the translator "
        f"{kind}, which passed its checks, changed the subgroup of individual test images."
    )


def _count(result: Mapping[str, Any]) -> str:
    return f"{int(np.sum([group['n'] for group in result['after']['groups']])):,}"
