"""What has changed since an earlier audit, and audits over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from automorph.report import formatting
from automorph.report.curves import Curve, curves
from automorph.report.page import Code, Page, PageTable, Part, Section, TableCell, figure
from automorph.report.view_model import JsonObject

SHOWN = 8
"""Largest number of groups in the figure of audits over time: those with the lowest accuracy."""


def changes_section(result: JsonObject) -> Section | None:
    """Make the section of changes since an earlier audit; None without one."""
    changes = result.get("against")
    if not changes:
        return None
    ordered = sorted(changes["groups"], key=lambda one: (not one["n"], one["p"]))
    table = PageTable(
        ["Class", "Subgroup", "Examples", "Accuracy", "Then", "Change, points", "p"],
        [_line(one) for one in ordered],
        "p: probability of an accuracy this far below the earlier one by chance (Fisher's exact "
        "test, one-sided, Holm correction over all groups). Change: with Newcombe's 95 % interval.",
        numbers=[2, 3, 4, 5, 6],
    )  # fmt: skip
    text = [changes["verdict"], *result.get("failures", ())]
    return Section(f"Since {changes['reference']}", [table], text)


def audits_page(audits: Mapping[str, JsonObject]) -> Page:
    """Make the page of two or more audits by name, in the order of time."""
    groups = _groups(audits)
    worst = [
        f"{name}: {formatting.percent(one['robust_accuracy'], 1)} "
        f"({', '.join(filter(None, (one['worst']['class'], one['worst']['subgroup'])))})"
        for name, one in audits.items()
    ]
    parts: list[Part] = [_figure(audits, groups), _table(audits, groups)]
    return Page(
        title=f"{len(audits)} audits",
        lead=f"Accuracy of the worst group, from the first audit to the last: {'; '.join(worst)}.",
        kicker="Audits over time",
        warnings=[
            f"{name}: {line}"
            for name, one in audits.items()
            for line in (*(one.get("against") or {}).get("alarms", ()), *one.get("failures", ()))
        ],
        sections=[Section("Groups", parts)],
        provenance={
            name: Code((one.get("provenance") or {}).get("command") or "")
            for name, one in audits.items()
        },
    )


def _groups(audits: Mapping[str, JsonObject]) -> dict[tuple[str, str], list[JsonObject | None]]:
    """Return every group in each audit, those with the lowest last accuracy first."""
    found = [{(g["class"], g["subgroup"]): g for g in one["groups"]} for one in audits.values()]
    keys = dict.fromkeys(key for one in found for key in one)
    rows = {key: [one.get(key) for one in found] for key in keys}

    def last(key: tuple[str, str]) -> float:
        seen = [one["accuracy"] for one in rows[key] if one and one["n"]]
        return seen[-1] if seen else 2.0

    return {key: rows[key] for key in sorted(rows, key=last)}


def _figure(
    audits: Mapping[str, JsonObject], groups: Mapping[tuple[str, str], Sequence[JsonObject | None]]
) -> Part:
    places = np.arange(1, len(audits) + 1)
    drawn = [
        Curve(
            ", ".join(filter(None, key)), places,
            [[100 * g["accuracy"] if g and g["n"] else np.nan for g in row]], number % 8,
        )
        for number, (key, row) in enumerate(groups.items())
        if any(g and g["n"] for g in row)
    ][:SHOWN]  # fmt: skip
    names = "; ".join(f"{number} {name}" for number, name in enumerate(audits, 1))
    return figure(
        partial(curves, across="audit"), drawn, axis="Accuracy, %",
        label=f"Accuracy by group and audit: {names}",
        caption=f"Accuracy by group and audit, at most {SHOWN} groups. Audits: {names}.",
    )  # fmt: skip


def _table(
    audits: Mapping[str, JsonObject], groups: Mapping[tuple[str, str], Sequence[JsonObject | None]]
) -> PageTable:
    rows: list[list[TableCell | str]] = []
    for (name, subgroup), row in groups.items():
        cells: list[TableCell | str] = [name, subgroup]
        for one in row:
            if one is None or not one["n"]:
                cells.append(formatting.NOTHING)
                continue
            cells.append(
                f"{formatting.percent(one['accuracy'], 1)} ({100 * one['low']:.1f} to "
                f"{100 * one['high']:.1f}, {formatting.count(one['n'])})"
            )
        rows.append(cells)
    return PageTable(
        ["Class", "Subgroup", *audits], rows,
        "Accuracy (its 95 % interval, number of examples).",
        numbers=list(range(2, 2 + len(audits))),
    )  # fmt: skip


def _line(one: JsonObject) -> list[TableCell | str]:
    change = (
        formatting.NOTHING
        if one["difference"] is None
        else f"{formatting.points(one['difference'], 1)} ({formatting.points(one['low'], 1)} to "
        f"{formatting.points(one['high'], 1)})"
    )
    return [
        one["class"],
        TableCell(one["subgroup"], tag="fell" if one["alarm"] else ""),
        formatting.count(one["n"]),
        formatting.percent(one["accuracy"], 1),
        f"{formatting.percent(one['before'], 1)} of {formatting.count(one['n_before'])}",
        change,
        formatting.p_value(one["p"]) if one["n"] else formatting.NOTHING,
    ]
