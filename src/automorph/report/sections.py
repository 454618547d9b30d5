"""Sections shared by several reports: curves, pictures of policies, their files, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from automorph.report import curves, figures, formatting, pictures
from automorph.report.figures import FigureRow
from automorph.report.page import (
    Code,
    Definitions,
    Gallery,
    PageTable,
    Part,
    Passages,
    PolicyBlock,
    Section,
    Strip,
    figure,
)
from automorph.report.text_examples import MARKS, are_texts, passages
from automorph.report.usage_plot import usage_figure
from automorph.report.view_model import JsonObject, ResultEntry

EXAMPLES, DRAWS, STRIPS = 6, 10, 50
"""Maximum rows and columns in the pictures of one policy, and rows of all policies."""
CLASSES, MOVING = 20, 9
"""Maximum classes drawn, and operations drawn over time."""
PICTURES, FILES, LINES = 1_500_000, 600_000, 100
"""Maximum bytes of all pictures and of all policy files, and lines of one table."""

_CURVES = {
    "validation_accuracy": ("Validation accuracy, %", 100.0),
    "train_accuracy": ("Training accuracy, %", 100.0),
    "train_loss": ("Training loss", 1.0),
    "validation_loss": ("Validation loss", 1.0),
}
_REGIMES = {
    "scratch": "trained from scratch",
    "fine-tuned": "fine-tuned from pretrained weights",
    "frozen": "frozen: a linear head on pretrained features",
}
_PREDICTED = {"labels": "Labels", "values": "Values", "masks": "Classes of pixels"}
_NAMES = {
    "automorph": "Automorph",
    "split_hashes": "Split hashes",
    "seconds": "Wall time",
    "data_notes": "Notes on the data",
}


def training(
    entries: Sequence[ResultEntry], seeds: int, pair: str = "seed", *, score: str | None = None
) -> Section | None:
    """Make the section of curves: accuracies (fractions) and losses, each ``(seeds, epochs)``.

    ``pair`` is what the trainings of a policy differ by: see `Results.pair`. ``score`` is what the
    target has in place of the accuracy.
    """
    parts: list[Part] = []
    for key, (axis, factor) in _CURVES.items():
        if score is not None and "accuracy" in key:
            axis, factor = axis.replace("accuracy, %", score), 1.0
        series = [
            curves.Curve(
                entry.label,
                entry.content["epochs"],
                factor * np.array(entry.content[key], dtype=np.float64),
                entry.colour,
            )
            for entry in entries
            if len(entry.content.get(key) or ())
        ]
        series = [curve for curve in series if len(curve.arrays[0])]
        if max((len(curve.arrays[0]) for curve in series), default=0) < 2:  # a single point
            continue
        last = "; ".join(f"{curve.label} {curve.mean[-1]:.3g}" for curve in series)
        name = axis.removesuffix(", %")
        caption = f"{name} by epoch."
        if seeds > 1:
            caption = (
                f"{name} by epoch: mean over the {pair}s, with a band from the lowest to the "
                "highest."
            )
        few = 1 < len(series) <= curves.TOGETHER
        legend = [(curve.label, curve.colour) for curve in series] if few else []
        label = f"{axis} by epoch. At the end: {last}."
        parts.append(
            figure(curves.curves, series, axis=axis, label=label, caption=caption, legend=legend)
        )
    return Section("Training curves", parts) if parts else None


def operations(entries: Sequence[ResultEntry]) -> Section | None:
    """Make the section of operations by epoch: ``operations`` by name, ``(seeds, epochs)``.

    In-training methods record their usage; that of schedules is computed.
    """
    parts: list[Part] = []
    for entry in entries:
        content = entry.content.get("operations") or {}
        shares = {name: np.array(values, dtype=np.float64) for name, values in content.items()}
        caption = f"{entry.label}: fraction of views with each operation, by epoch"
        if any(len(values) > 1 for values in shares.values()):
            caption += "; mean over the seeds, with a band from the lowest to the highest"
        parts += course(entry.label, entry.content["epochs"], shares, caption) if shares else []
    return Section("Operations during training", parts) if parts else None


def course(
    name: str,
    places: Sequence[float],
    shares: Mapping[str, Any],
    caption: str,
    across: str = "epoch",
) -> list[Part]:
    """Draw the shares of operations, ``(places,)`` or ``(seeds, places)``, that change most."""
    series = [curves.Curve(one, places, 100 * np.array(shares[one]), 1) for one in shares]
    if not series or len(series[0].arrays[0]) < 2:
        return []
    moved = sorted(series, key=lambda curve: -float(np.ptp(curve.mean)))[:MOVING]
    shown = sorted(moved, key=lambda curve: -curve.mean[-1])
    last = "; ".join(f"{curve.label} {curve.mean[-1]:.3g}" for curve in shown)
    more = len(series) - len(shown)
    caption += f". The {MOVING} of {len(series)} operations that change most." if more else "."
    return [
        figure(
            partial(curves.curves, across=across), shown, axis="Share of examples, %",
            label=f"Usage of operations by {name}, %. At the end: {last}.", caption=caption,
        )
    ]  # fmt: skip


def previews(entries: Sequence[ResultEntry]) -> Section | None:
    """Make the section of draws: ``images`` (rows, 1 + draws, H, W, C), the original first.

    Texts are strings (rows, 1 + draws), with changes marked.
    At most `EXAMPLES` rows and `DRAWS` draws are shown, in `PICTURES` bytes.
    """
    shown = [entry for entry in entries if len(entry.content["images"])]
    if not shown:
        return None
    most = max(1, min(EXAMPLES, STRIPS // len(shown)))
    limit = PICTURES // (most * len(shown))
    parts: list[Part] = []
    for entry in shown:
        images = np.asarray(entry.content["images"])[:most, : 1 + DRAWS]
        drawn = formatting.plural(images.shape[1] - 1, "draw")
        alt = f"the original and {drawn} of {entry.label}"
        labels = entry.content["labels"]
        parts.append(strips(entry.label, images, labels, alt, limit=limit, colour=entry.colour))
    text = "Each row starts with the original, followed by draws of the policy."
    if all(isinstance(part, Passages) for part in parts):
        text = f"{text} {MARKS}"
    return Section("What the policies do", parts, [text])


def strips(
    name: str,
    rows: Any,
    labels: Sequence[str],
    alt: str,
    *,
    limit: int,
    colour: int = 0,
    columns: Sequence[str] = (),
) -> Strip | Passages:
    """Show rows of images ``(n, 1 + draws, H, W, C)`` as pictures of ``limit`` bytes, or texts.

    ``labels`` name the rows, ``alt`` describes each row, ``columns`` name the texts.
    """
    if are_texts(rows):
        return passages(name, rows, list(labels), columns=columns[1:], colour=colour)
    shown = [
        pictures.strip(row, label=str(label), alt=f"{label}: {alt}" if label else alt, limit=limit)
        for row, label in zip(rows, labels, strict=False)
    ]
    return Strip(name, shown, colour)


def classes(
    names: Sequence[str], accuracies: Sequence[float | None] | None, *, several: bool = False
) -> Section | None:
    """Make the section of test accuracy (a fraction) by class, or F1 by label, lowest first.

    ``several``: the names are labels, several of which an example may have.
    """
    score, one, many = ("F1", "label", "labels") if several else ("accuracy", "class", "classes")
    known = [
        (str(name), value)
        for name, value in zip(names, accuracies or (), strict=False)
        if value is not None
    ]
    if not known:
        return None
    order = sorted(known, key=lambda pair: pair[1])[:CLASSES]
    rows = [FigureRow(name, 100 * value, words=formatting.percent(value)) for name, value in order]
    more = len(known) - len(rows)
    label = "; ".join(f"{row.label} {row.words}" for row in rows)
    caption = f"Test {score} of each {one}, lowest first."
    drawn = figure(
        figures.bars, rows, axis=f"Test {score}, %", label=f"Test {score} by {one}: {label}.",
        caption=f"{caption} {more} {many} with a higher one are not shown." if more else caption,
    )  # fmt: skip
    return Section(f"{one.capitalize()} by {one}", [drawn])


def examples(groups: Mapping[str, JsonObject], target: str = "classes") -> Section | None:
    """Make the section of examples by title: images ``(n, H, W, C)`` or texts, and their words."""
    parts: list[Part] = []
    limit = PICTURES // max(1, sum(len(one["words"]) for one in groups.values()))
    for name, one in groups.items():
        shown, labels = np.asarray(one["examples"]), list(one["words"])
        if are_texts(shown):
            parts.append(passages(name, shown, labels))
            continue
        tiles = [
            pictures.strip(
                image if image.ndim == 4 else image[None],
                label=label,
                alt=f"An example of {label}",
                limit=limit,
            )
            for image, label in zip(shown, labels, strict=True)
        ]
        parts.append(Strip(name, tiles, 0) if shown.ndim == 5 else Gallery(name, tiles))
    title = "Predicted values" if target == "values" else "Correct and incorrect predictions"
    return Section(title, parts, [_ABOUT_EXAMPLES[target]]) if parts else None


_ABOUT_EXAMPLES = {
    "classes": "Test examples, each with the class it is most often mistaken for. Examples that "
    "are always misclassified may be hard, or their labels may be wrong.",
    "labels": "Test examples, each with its labels and those that most seeds predict. Examples "
    "that are always predicted wrongly may be hard, or their labels may be wrong.",
    "values": "Test examples, each with its value and the mean prediction of the seeds. Errors "
    "that are always large may be due to hard examples, or to wrong values.",
    "masks": "Test images, each followed by its mask and by the predicted ones, with the share of "
    "right pixels. Classes are coloured, class 0 is not, and ignored pixels are grey.",
}


def policies(entries: Sequence[ResultEntry], opened: str | None) -> Section | None:
    """Make the section of policies: a table, a figure and a file of each; ``opened`` is expanded.

    ``draws`` is the result of `automorph.policies.usage` as plain data.
    """
    if not entries:
        return None
    limit = FILES // len(entries)
    parts = [
        policy_block(
            entry.label, entry.content, colour=entry.colour, limit=limit,
            opened=entry.policy == opened or len(entries) == 1,
        )
        for entry in entries
    ]  # fmt: skip
    return Section("Policies", parts)


def policy_block(
    name: str, content: JsonObject, *, colour: int = 0, limit: int = FILES, opened: bool = False
) -> PolicyBlock:
    """Make the block of a policy: ``table``, ``json`` (at most ``limit`` characters), ``draws``."""
    text = str(content.get("json") or "")
    if len(text) > limit:
        text = f"This file is too long to show here ({formatting.count(len(text))} characters)."
    drawn = usage_figure(content.get("draws") or (), name)
    return PolicyBlock(name, _table(name, content.get("table")), text, colour, opened, drawn)


def provenance(content: Mapping[str, Any]) -> dict[str, object]:
    """Return the provenance of a result, with readable names."""
    facts: dict[str, object] = {}
    for key, value in content.items():
        if key == "seconds":
            value = formatting.duration(value)
        elif key == "command":
            value = Code(value)
        elif key == "data_notes":
            value = "; ".join(value)
        elif key.endswith("hashes") and isinstance(value, Mapping):
            value = {name: _hash_of(item) for name, item in value.items()}
        # Shown as a section of its own: see `window`.
        if value is not None and key != "window":
            facts[_NAMES.get(key, key.replace("_", " ").capitalize())] = value
    return facts


def _hash_of(part: Any) -> Code:
    """Return the hash of a part of the data, with its number of examples where it is recorded."""
    if not isinstance(part, Mapping):
        return Code(part)
    return Code(f"{part.get('hash')}, {formatting.count(part.get('n'))} examples")


def setup(result: Mapping[str, Any], title: str, text: Sequence[str]) -> Section:
    """Make the section of data, model, recipe and seeds; of the user's own code, what is known."""
    if result.get("trained_by"):
        known = {"Trained by": Code(result["model"]), **result["trained_by"]}
        return Section(title, [Definitions({**known, "Seeds": result["seeds"]})], text)
    data, shape = result["data"], result["data"].get("shape")
    sizes = {"training": "n_train", "validation": "n_validation", "test": "n_test"}
    if result.get("folds"):
        sizes = {"all": "n_train"}
    if "n_unlabelled" in data:
        sizes["without labels"] = "n_unlabelled"
    classes = [str(name) for name in data.get("classes") or []]
    if shares := data.get("shares"):
        classes = [
            f"{name} ({formatting.percent(share)})"
            for name, share in zip(classes, shares, strict=True)
        ]
    more = f" and {len(classes) - 30} more" if len(classes) > 30 else ""
    # Remarks on the result stand at the top of the page.
    notes = [one for one in data.get("notes") or () if one not in (result.get("remarks") or ())]
    model = str(result["model"])
    if result.get("parameters"):
        model += f", {formatting.count(result['parameters'])} parameters"
    facts = {
        "Data": data["source"],
        "Examples": {name: formatting.count(data.get(key)) for name, key in sizes.items()},
        "Folds": result.get("folds"),
        "Shape": " × ".join(map(str, shape)) if shape else None,
        f"{_PREDICTED.get(data.get('target'), 'Classes')} ({len(classes)})": ", ".join(classes[:30])
        + more,
        "Data hash": Code(data["hash"]) if data.get("hash") else None,
        "Notes": "; ".join(notes) or None,
        "Model": model,
        "Regime": _REGIMES.get(str(result.get("regime", "scratch"))),
        "Recipe": result.get("recipe"),
        "Seeds": result["seeds"],
    }
    known = {name: fact for name, fact in facts.items() if fact is not None}
    return Section(title, [Definitions(known)], text)


def _table(name: str, content: Mapping[str, Any] | None) -> PageTable | None:
    if not content or not content.get("rows"):
        return None
    rows = [[formatting.plain(cell) for cell in row] for row in content["rows"]]
    over = len(rows) - LINES
    caption = f"Operations of {name}" + (f"; {over} more lines are in the file" if over > 0 else "")
    columns = [name[:1].upper() + name[1:] for name in map(str, content["columns"])]
    return PageTable(columns, rows[:LINES], caption)
