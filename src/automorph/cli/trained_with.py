"""The options that a run was trained with, from the command in its report."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from automorph.cli.suggestions import typed_options
from automorph.errors import DamagedError
from automorph.files import read_json

READING = (
    "image", "text", "label", "label_of", "target", "subgroup", "keep_together", "size", "window",
    "limit", "equal_classes", "skip_bad", "leakage", "on_demand", "crop", "decoders", "cache",
    "decode",
)  # fmt: skip
"""Options of a training that decide how its data are read."""


def trained_with(folder: Path) -> dict[str, Any]:
    """Return ``data`` and the `READING` options that were typed; empty where nothing is recorded.

    The command is parsed by the same parser that read it; it is not run.
    """
    try:
        content = read_json(folder / "report.json")
        words = shlex.split(content["content"]["provenance"]["command"])
    except (OSError, DamagedError, KeyError, TypeError, AttributeError, ValueError):
        return {}
    if words[:2] != ["automorph", "train"]:
        return {}
    from automorph.cli.train import train

    try:
        context = train.make_context("train", words[2:], resilient_parsing=True)
    except click.ClickException:
        return {}
    typed = {"data": context.params.get("data"), **dict(typed_options(context))}
    return {name: typed[name] for name in ("data", *READING) if typed.get(name) is not None}
