"""A trained network of several labels as one of two classes: examples without a label and with it.

Its function stays the same. A label is predicted from its threshold t on, and of two classes the
likelier one. With f the logit of the label, the two classes get -g/2 and g/2, where

    g = f - log(t / (1 - t))

so that g > 0 exactly where the label was predicted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from automorph.data import one_label_classes
from automorph.errors import UsageError
from automorph.training.checkpoint import read_checkpoint, read_facts
from automorph.training.checkpoint_validation import check_facts
from automorph.training.label_thresholds import thresholds_in
from automorph.training.load_model import built


def as_two_classes(
    file: Path, classes: Sequence[str]
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Return weights and facts of a network of several labels for one of them.

    None if the file has no network of several labels, or if ``classes`` are not ``no NAME`` and
    ``NAME`` of one of them. Raises `UsageError` for a network that only the user's code can build.
    """
    facts = read_facts(file)
    names: list[tuple[str, ...]] = [one_label_classes(name) for name in facts.get("classes", ())]
    if facts.get("target") != "labels" or tuple(classes) not in names:
        return None
    label = names.index(tuple(classes))
    tensors, facts = read_checkpoint(file)
    check_facts(facts, tensors, file)
    if facts["model"] is None:
        raise UsageError(
            f"{file} has a network of several labels that your own code built, and {classes[1]!r} "
            "is one of them; expected a network by name (model='resnet9:16'), or weights of a "
            "network that was trained on this label alone (label_of)"
        )
    at = thresholds_in(file)
    shift = math.log(at[label] / (1 - at[label])) if at and 0 < at[label] < 1 else 0.0
    for name in _heads(facts):
        row = tensors[name][label : label + 1]
        if row.dim() == 1:
            row = row - shift
        tensors[name] = torch.cat([-row / 2, row / 2])
    kept = {key: value for key, value in facts.items() if key not in ("target", "thresholds")}
    return tensors, {**kept, "classes": list(classes)}


def _heads(facts: dict[str, Any]) -> list[str]:
    """Return the names of the weights of which there is one row for each output."""
    few, more = (
        built({**facts, "classes": [str(k) for k in range(count)]}).state_dict() for count in (2, 3)
    )
    return [name for name in few if few[name].shape != more[name].shape]
