"""The arms of the patching benchmark, and which of their stored results still stand.

Apart from `patching.py`, so that the tables can be made without torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from automorph.robustness import load_method

ARMS = {
    "erm": ("erm", None),
    "balanced": ("balanced", None),
    "gdro": ("gdro", None),
    "sgdro": ("sgdro", None),
    "irm": ("irm", None),
    "jtt": ("jtt(epochs=1)", None),
    "dfr": ("dfr", None),
    "camel, exact pairs": ("camel", "exact"),
    "camel, CycleGAN": ("camel", "cyclegan"),
    "camel, masked CycleGAN": ("camel", "masked-cyclegan"),
    "lisa": ("lisa", None),
    "camel (weight 1), exact pairs": ("camel(weight=1)", "exact"),
    "camel (weight 1), masked CycleGAN": ("camel(weight=1)", "masked-cyclegan"),
}
"""Objective and translator by arm."""


def cell_of(arm: str, seed: int) -> str:
    """The name of a training. A method whose definition was corrected has other cells."""
    edition = load_method(ARMS[arm][0]).edition
    return f"{former_cell(arm if edition == 1 else f'{arm}, edition {edition}', seed)}"


def former_cell(arm: str, seed: int) -> str:
    """The name of a training by the first definition of its method."""
    return f"{arm} seed {seed}"


def again(cell: str) -> str:
    """The name of the training that replaces one of a dead seed."""
    return f"{cell}, again"


def to_measure_again(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Why rows must not be shown, by arm: another definition, or a dead seed without its name."""
    why = {}
    for row in rows:
        objective = ARMS[row["arm"]][0]
        if row.get("objective", objective) != load_method(objective).recorded:
            why[row["arm"]] = "by its former definition"
        elif "died" not in row and 0.0 in (values := row["robust_accuracy"]["values"]):
            why[row["arm"]] = f"seed {values.index(0.0)} predicted one class only"
    return why


def mentions(text: str, arm: str) -> bool:
    """Whether a claim is about an arm.

    >>> mentions("sgdro is ahead of balanced (points)", "gdro")
    False
    """
    return re.search(rf"\b{re.escape(arm)}\b", text) is not None
