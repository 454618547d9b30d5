"""The report of an audit: the groups on which the model fails, with intervals and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automorph.report import figures, formatting, pictures, sections
from automorph.report.audit_changes import changes_section
from automorph.report.further_metrics import measured_answer, measured_section
from automorph.report.output_audit import output_audit_page
from automorph.report.page import Answer, Page, PageTable, Part, Section, Strip, TableCell, figure
from automorph.report.text_examples import are_texts, passages
from automorph.report.view_model import JsonObject

GROUPS = 40
"""Maximum number of groups in the figure."""
PICTURES = 800_000
"""Maximum bytes of all pictures of a page."""


def audit_page(result: JsonObject) -> Page:
    """Make the page of an audit.

    ``result`` is the object of ``audit --json``, optionally with ``pictures`` (images
    ``(n, H, W, C)`` by name), ``provenance`` and ``next``.
    """
    if "outputs" in result:
        return output_audit_page(result)
    alarms = result["alarms"]
    parts = [
        changes_section(result),
        groups_section(result),
        measured_section(result.get("metrics") or (), _examples(result)),
        _gaps(result),
        _pooled(result),
        _intersections(result),
        _slices(result),
        pictures_section(result.get("pictures") or {}),
    ]
    return Page(
        title=f"Audit of {result['subject']} on {result['data']}",
        lead=" ".join([*result.get("failures", ()), result["verdict"]]),
        verdict="worse" if alarms or _fell(result) or _weak_class(result) else "unclear",
        badge=_badge(result),
        kicker="Audit of subgroups",
        answers=_answers(result),
        warnings=[*alarms[1:6], *result["notes"]],
        commands=result.get("next") or (),
        sections=[section for section in parts if section is not None],
        provenance=sections.provenance(result.get("provenance") or {}),
    )


def _fell(result: JsonObject) -> bool:
    """Return whether a group is below the limit, or worse than in an earlier audit."""
    return bool(result.get("failures") or (result.get("against") or {}).get("alarms"))


def _badge(result: JsonObject) -> str:
    if result.get("failures"):
        return "below the limit"
    if _fell(result):
        return "worse than before"
    if result["alarms"]:
        named = any(group["alarm"] for group in result["groups"])
        return "fails on a subgroup" if named else "fails on a slice"
    if _weak_class(result):
        return "weak on a class"
    return "no alarm" if result.get("method") is None or _named(result) else "no slice found"


def _weak_class(result: JsonObject) -> bool:
    """Return True if, without subgroups, the worst class is clearly below the average."""
    worst = min(
        (group for group in result["groups"] if group["n"]), key=lambda group: group["accuracy"]
    )
    return not _named(result) and worst["high"] < result["accuracy_interval"][0]


def _named(result: JsonObject) -> bool:
    """Return True if the audit has subgroups; otherwise every group is a whole class."""
    return len(result["groups"]) > len(result["gap"])


def _where(part: str) -> str:
    """Say which examples were audited."""
    if part == "out-of-fold":
        return "that were left out of the training"
    return f"of the {part} part"


def _examples(result: JsonObject) -> str:
    """Name the examples of an audit."""
    return f"{formatting.count(result['n'])} examples {_where(result['part'])}"


def _answers(result: JsonObject) -> list[Answer]:
    worst, named = result["worst"], _named(result)
    where = f"({worst['class']}, {worst['subgroup']})" if named else worst["class"]
    answers = [
        Answer(
            "How accurate is it on average?",
            formatting.percent(result["accuracy"], 1),
            f"{_range(result['accuracy_interval'])} on {formatting.count(result['n'])} examples "
            f"{_where(result['part'])}.",
        ),
        Answer(
            f"How accurate is it on the worst {'group' if named else 'class'}?",
            formatting.percent(result["robust_accuracy"], 1),
            f"{where}; 95 % interval of the true minimum: "
            f"{_range(result['robust_accuracy_interval'])}.",
        ),
    ]
    if result.get("metrics"):
        answers.insert(0, measured_answer(result["metrics"][0], _examples(result)))
    if result["mutual_information"] is not None:
        answers.append(
            Answer(
                "Does the subgroup affect predictions?",
                f"{result['mutual_information']:.3f} nats",
                "Mutual information of prediction and subgroup, given the class; 0 is no effect.",
            )
        )
    if result.get("method") is not None:
        failing = sum(one["alarm"] for one in result["slices"])
        answers.append(
            Answer(
                "Does it fail on a slice?",
                formatting.count(failing) if failing else "none found",
                f"Slices from {result['method']}: {len(result['slices'])} with lower accuracy than "
                f"the rest of their class, {failing} of them beyond chance.",
            )
        )
    return answers


def groups_section(result: JsonObject, title: str = "All groups") -> Section:
    """Make the section of group accuracies with intervals: a figure and a table."""
    named = _named(result)
    what = f"Accuracy of each {'group' if named else 'class'}"
    # Worst first; groups without examples last.
    ordered = sorted(result["groups"], key=lambda group: (not group["n"], group["accuracy"] or 0))
    rows = [
        figures.FigureRow(
            _name(group, named), 100 * group["accuracy"], 100 * group["low"], 100 * group["high"],
            colour=1 if group["alarm"] else 0, words=formatting.percent(group["accuracy"], 1),
        )
        for group in ordered[:GROUPS]
        if group["n"]
    ]  # fmt: skip
    worst = "; ".join(f"{row.label} {row.words}" for row in rows[:3])
    parts: list[Part] = [
        figure(
            figures.dots, rows, axis="Accuracy, %",
            label=f"{what}. Worst: {worst}.",
            caption=f"{what} with its 95 % interval (Wilson), worst first.",
        ),
        _table(ordered) if named else _table_of_classes(ordered),
    ]  # fmt: skip
    return Section(title if named else "All classes", parts)


_OVER = "Overconfidence: mean confidence minus accuracy, in points."


def _table(groups: Sequence[JsonObject]) -> PageTable:
    return PageTable(
        ["Class", "Subgroup", "Examples", "Accuracy", "95 %", "Loss", "Overconfidence", "p"],
        [_line(group) for group in groups],
        "p: probability of an accuracy this far below the rest of the class by chance (Fisher's "
        f"exact test, one-sided, Holm correction over all groups). {_OVER}",
        numbers=[2, 3, 4, 5, 6, 7],
    )  # fmt: skip


def _table_of_classes(groups: Sequence[JsonObject]) -> PageTable:
    """Make the table without subgroups: there is no rest of the class to test against."""
    return PageTable(
        ["Class", "Examples", "Accuracy", "95 %", "Loss", "Overconfidence"],
        [[line[0], *line[2:-1]] for line in map(_line, groups)],
        _OVER,
        numbers=[1, 2, 3, 4, 5],
    )


def _line(group: JsonObject) -> list[TableCell | str]:
    over = group["overconfidence"]
    return [
        group["class"],
        TableCell(group["subgroup"], tag="fails" if group["alarm"] else ""),
        TableCell(formatting.count(group["n"]), tag="few" if group["small"] and group["n"] else ""),
        formatting.percent(group["accuracy"], 1),
        formatting.NOTHING if group["low"] is None else _range([group["low"], group["high"]]),
        formatting.NOTHING if group["loss"] is None else f"{group['loss']:.3f}",
        formatting.NOTHING
        if over is None
        else f"{formatting.points(over['value'], 1)} ({formatting.points(over['low'], 1)} to "
        f"{formatting.points(over['high'], 1)})",
        formatting.p_value(group["p"]) if group["n"] else formatting.NOTHING,
    ]


def _gaps(result: JsonObject) -> Section | None:
    rows = [
        [name, f"{value:.1f}", "{:.1f} to {:.1f}".format(*result["gap_interval"][name])]
        for name, value in result["gap"].items()
        if value is not None
    ]
    if not rows:
        return None
    table = PageTable(
        ["Class", "Gap, points", "95 %"], rows,
        "Highest minus lowest accuracy among the subgroups of a class, with Newcombe's interval.",
        numbers=[1, 2],
    )  # fmt: skip
    return Section("Gap by class", [table])


def _pooled(result: JsonObject) -> Section | None:
    pooled = result.get("pooled")
    if not pooled:
        return None
    rows: list[list[TableCell | str]] = [
        [
            one["class"],
            "" if one["column"] == "class" else f"{one['column']} = {one['value']}",
            formatting.count(one["n"]),
            formatting.NOTHING if one["recall"] is None else formatting.percent(one["recall"], 1),
            formatting.percent(one["pooled"], 1),
            _range([one["low"], one["high"]]),
        ]
        for one in pooled
    ]
    table = PageTable(
        ["Class", "Column", "Examples", "Recall", "Pooled", "95 %"], rows,
        "Recall of each class, and among the examples with each value of a column: as counted, and "
        "pulled towards the whole class where examples are few.",
        numbers=[2, 3, 4, 5],
    )  # fmt: skip
    return Section("Recall by class and column", [table])


def _intersections(result: JsonObject) -> Section | None:
    intersections = result["intersections"]
    if not intersections:
        return None
    rows: list[list[TableCell | str]] = [
        [
            one["class"],
            TableCell(
                ", ".join(f"{column} = {value}" for column, value in one["values"].items()),
                tag="fails" if one["alarm"] else "",
            ),
            formatting.count(one["n"]),
            formatting.percent(one["accuracy"], 1),
            _range([one["low"], one["high"]]),
            formatting.percent(one["class_accuracy"], 1),
            formatting.p_value(one["p"]),
        ]
        for one in intersections
    ]
    table = PageTable(
        ["Class", "Intersection", "Examples", "Accuracy", "95 %", "Whole class", "p"], rows,
        "Intersections of columns with the lowest accuracy; p is corrected for their number.",
        numbers=[2, 3, 4, 5, 6],
    )  # fmt: skip
    return Section("Intersections of columns", [table])


def _slices(result: JsonObject) -> Section | None:
    slices = result["slices"]
    if not slices:
        return None
    rows: list[list[TableCell | str]] = [
        [
            TableCell(one["name"], tag="fails" if one["alarm"] else ""),
            formatting.count(one["n"]),
            formatting.percent(one["accuracy"], 1),
            _range([one["low"], one["high"]]),
            formatting.percent(one["rest"], 1),
            formatting.p_value(one["p"]),
            "; ".join(_contrast(*each) for each in one["separating"]) or formatting.NOTHING,
        ]
        for one in slices
    ]
    table = PageTable(
        ["Slice", "Held out", "Accuracy", "95 %", "Rest", "p", "Distinguishing values"], rows,
        "Found on one half of the examples and tested on the other. p: permutation test of the "
        "largest excess of errors among all slices.",
        numbers=[1, 2, 3, 4, 5],
    )  # fmt: skip
    text = "A slice is a hypothesis: describe it, and test the description on other examples."
    return Section("Slices that no column describes", [table], [text])


def pictures_section(
    examples: Mapping[str, Any], title: str = "What the model gets wrong"
) -> Section | None:
    """Make the section of examples by name, one strip of pictures or list of texts each."""
    shown = {name: np.asarray(images) for name, images in examples.items() if len(images)}
    if not shown:
        return None
    limit = PICTURES // len(shown)
    parts: list[Part] = [
        passages(name, images, [f"{number}" for number in range(1, 1 + len(images))])
        if are_texts(images)
        else Strip(name, [pictures.strip(images, label="", alt=f"Examples: {name}", limit=limit)])
        for name, images in shown.items()
    ]
    return Section(title, parts)


def _contrast(column: str, value: str, inside: float, outside: float) -> str:
    return f"{column} = {value} ({100 * inside:.0f} % inside, {100 * outside:.0f} % outside)"


def _name(group: JsonObject, named: bool) -> str:
    return f"{group['class']}, {group['subgroup']}" if named else str(group["class"])


def _range(ends: Sequence[float]) -> str:
    low, high = (100 * end for end in ends)
    return f"{low:.1f} to {high:.1f} %"
