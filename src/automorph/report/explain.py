"""The report of an explanation: verdicts, their reasons, sweeps over magnitudes, pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automorph.report import curves, figures, formatting, sections
from automorph.report.page import (
    Answer,
    Definitions,
    Page,
    PageTable,
    Part,
    Passages,
    Section,
    TableCell,
    figure,
)
from automorph.report.text_examples import MARKS, are_texts, passages
from automorph.report.view_model import JsonObject

COLOURS = {"keep": 1, "keep mild": 2, "cannot tell": 3, "drop": 0, "risk if strong": 5,
           "label risk": 4}  # fmt: skip
PICTURES = 1_500_000
"""Maximum bytes of all pictures of a page."""
_COLUMNS = {
    "change": "Error",
    "label_risk": "Label risk",
    "alignment": "Alignment",
    "invariance": "Moved",
    "new_information": "New information",
    "variance": "Variance",
    "cost": "Processor time",
}


def explain_page(result: JsonObject) -> Page:
    """Make the page of an explanation.

    ``result`` is the object of ``explain --json``, optionally with ``pictures`` (by operation:
    images ``(n, 1 + draws, H, W, C)`` by caption), ``policy``, ``provenance`` and ``next``.
    """
    rows = result["operations"]
    counts = {verdict: [r for r in rows if r["verdict"] == verdict] for verdict in COLOURS}
    parts = [
        _verdicts(result),
        _sweeps(rows),
        _pictures(rows, result.get("pictures") or {}),
        _policy(result.get("policy")),
        _setup(result),
    ]
    kept, unclear = counts["keep"] + counts["keep mild"], counts["cannot tell"]
    dropped, risky, strong = counts["drop"], counts["label risk"], counts["risk if strong"]
    only = f" Only if strong: {_names(strong)}" if strong else ""
    answers = [
        Answer("Which operations to keep?", str(len(kept)), _names(kept)),
        Answer("Which are undecided?", str(len(unclear)), _names(unclear)),
        Answer("Which to drop?", str(len(dropped)), _names(dropped)),
        Answer("Which put labels at risk?", str(len(risky)), _names(risky) + only),
    ]
    return Page(
        title=f"{formatting.plural(len(rows), 'operation')} explained on {result['data']}",
        lead=f"{_lead(result, counts)} These predictions come from fixed features: they rank "
        "operations but do not replace a comparison.",
        kicker="Explanation of a search space",
        answers=[one for one in answers if unclear or "undecided" not in one.question],
        commands=result.get("next") or (),
        sections=[section for section in parts if section is not None],
        provenance=sections.provenance(result.get("provenance") or {}),
    )


def _lead(result: JsonObject, counts: Mapping[str, Sequence[JsonObject]]) -> str:
    """Return the counts in a sentence; in records without a version, keep meant harmless."""
    kept, rows = len(counts["keep"]) + len(counts["keep mild"]), len(result["operations"])
    dropped, risky = len(counts["drop"]), len(counts["label risk"])
    if "verdicts" not in result:
        unseen = sum(row["decides"] == "invariance" for row in counts["drop"])
        why = f" ({unseen} because the features do not respond to them)" if unseen else ""
        return (
            f"{kept} of {rows} operations are predicted to be harmless over a range of magnitudes; "
            f"{dropped} should be dropped{why}, and {risky} put labels at risk."
        )
    idle = sum(row["reason"].startswith("changes none") for row in counts["drop"])
    why = f" ({idle} because they change none of the examples)" if idle else ""
    strong = len(counts["risk if strong"])
    only = f", {strong} more only at strong magnitudes" if strong else ""
    return (
        f"{kept} of {rows} operations are predicted to help, beyond chance; for "
        f"{len(counts['cannot tell'])} the examples cannot tell; {dropped} should be "
        f"dropped{why}, and {risky} put labels at risk{only}."
    )


def _names(rows: Sequence[JsonObject]) -> str:
    return formatting.listed([row["name"] for row in rows]) + "." if rows else "None."


def _verdicts(result: JsonObject) -> Section:
    rows, values = result["operations"], result.get("target") == "values"
    lines = [
        figures.FigureRow(
            row["name"],
            100 * row["change"],
            100 * (row["change"] - 2 * row["change_se"]),
            100 * (row["change"] + 2 * row["change_se"]),
            colour=COLOURS[row["verdict"]],
            words=row["verdict"],
        )
        for row in rows
    ]
    chart = figure(
        figures.differences,
        lines,
        axis="Predicted change of error, % (lower is better)",
        label="Predicted change of error: "
        + "; ".join(f"{row['name']} {100 * row['change']:+.1f} %" for row in rows),
        caption="Each operation at its best magnitude, with two standard errors.",
        legend=list(COLOURS.items()),
    )
    given = {row["verdict"] for row in rows} if "verdicts" in result else set()
    meant = {verdict: words for verdict, words in _MEANINGS.items() if verdict in given}
    parts: list[Part] = [chart, *([Definitions(meant)] if meant else []), *_tables(rows, values)]
    text = f"{_ERROR} Label risk: {_RISKS[values]}."
    return Section("Verdicts", [*parts, Definitions(_FURTHER)], text=[text])


_MEANINGS = {
    "keep": "lowers the error beyond chance, and no magnitude does harm",
    "keep mild": "does so up to the magnitude beside the verdict",
    "cannot tell": "these examples show neither gain nor harm",
    "drop": "raises the error beyond chance, or changes nothing",
    "risk if strong": "puts labels at risk, but only beyond the magnitude that its reason names",
    "label risk": "makes examples look as if they had another label",
}
_ERROR = (
    "Error: how much the error of a simple model of these features is predicted to change on "
    "examples it has not seen, if every other training example is transformed; below 0, the "
    "operation helps."
)
_RISKS = {
    False: "how many more transformed examples than originals that model takes for another class",
    True: "how much further off that model is on transformed examples than on originals, in "
    "standard deviations of the value",
}
_FURTHER = {
    "Alignment": "above 0: averaging over the operation brings examples with one label together",
    "Moved": "how far features move on average; near 0: the operation has little effect",
    "New information": "above 0: transformed examples contain what no other example contains",
    "Variance": "how large a part of the error is due to the operation's effect as a penalty",
    "Processor time": "microseconds per example, on this machine",
}
"""The columns of the collapsed table."""


def _tables(rows: Sequence[JsonObject], values: bool) -> list[Part]:
    """Make a table of the main columns, and a collapsed one of all columns."""
    short: list[list[TableCell | str]] = []
    every: list[list[TableCell | str]] = []
    for row in rows:
        low, high = row["rank_interval"]
        head = TableCell(row["name"], colour=COLOURS[row["verdict"]])
        verdict = TableCell(row["verdict"], note=row["useful_value"])
        error = formatting.signed(100 * row["change"], 1) + "%"
        risk = (
            formatting.signed(row["label_risk"], 2)
            if values
            else formatting.signed(100 * row["label_risk"], 1) + "%"
        )
        rank = f"{row['rank']} ({low}–{high})"
        marked = [row["marked"]] if "marked" in row else []
        short.append([head, verdict, row["reason"], rank, error, risk, *marked])
        more = [
            formatting.signed(row["alignment"], 3),
            f"{row['invariance']:.2f}",
            formatting.signed(row["new_information"], 3),
            f"{row['variance']:.2f}",
            f"{1e6 * row['cost']:.0f} µs",
        ]
        every.append([head, error, risk, *more])
    columns = ["Operation", "Verdict", "Why", "Rank", "Error", "Label risk"]
    columns += ["You marked"] if any("marked" in row for row in rows) else []
    caption = "At the magnitude with the lowest predicted error."
    return [
        PageTable(columns, short, caption, numbers=(3, 4, 5)),
        PageTable(
            ["Operation", *_COLUMNS.values()], every, "All columns", numbers=tuple(range(1, 8)),
            folded=True,
        ),
    ]  # fmt: skip


def _sweeps(rows: Sequence[JsonObject]) -> Section | None:
    series = [
        curves.Curve(
            row["name"],
            [point["magnitude"] for point in row["sweep"]],
            100 * np.array([[point["change"] for point in row["sweep"]]]),
            COLOURS[row["verdict"]],
        )
        for row in rows
        if len(row["sweep"]) > 1
    ]
    if not series:
        return None
    chart = figure(
        lambda drawn, **options: curves.curves(drawn, across="magnitude", **options),
        series,
        axis="Predicted change of error, %",
        label="Predicted change of error by magnitude. At full magnitude: "
        + "; ".join(f"{curve.label} {curve.mean[-1]:.3g} %" for curve in series),
        caption="The useful range ends where the predicted error has increased by 2 %, or where "
        "labels are at risk.",
    )
    return Section("Useful range", [chart])


def _pictures(rows: Sequence[JsonObject], pictures: Mapping[str, Any]) -> Section | None:
    parts = list[Part]()
    limit = PICTURES // max(
        1, sum(len(one) for given in pictures.values() for one in given.values())
    )
    for row in rows:
        name, colour = row["name"], COLOURS[row["verdict"]]
        given = pictures.get(name) or {}
        if any(are_texts(texts) for texts in given.values()):
            for label, texts in given.items():
                originals = ["original"] * len(texts)
                parts.append(passages(f"{name}, {label}", texts, originals, colour=colour))
        elif given:
            images = [one for given_images in given.values() for one in given_images]
            # The first row of each magnitude carries its caption.
            labels = [
                label if number == 0 else ""
                for label, given_images in given.items()
                for number in range(len(given_images))
            ]
            alt = f"the original and draws of {name}"
            parts.append(sections.strips(name, images, labels, alt, limit=limit, colour=colour))
    if parts and isinstance(parts[0], Passages):
        return Section("Texts before and after", parts, text=[MARKS])
    text = ["The original is on the left, followed by draws of the operation."]
    return Section("Pictures", parts, text=text) if parts else None


def _policy(policy: JsonObject | None) -> Section | None:
    if not policy:
        return None
    block = sections.policy_block(policy["name"], policy, opened=True)
    text = [
        "Built from these diagnostics alone, of all operations that are predicted to be harmless. "
        "It is what search --method instant proposes."
    ]
    return Section("The instant policy", [block], text=text)


def _accuracy(result: JsonObject) -> dict[str, str]:
    """Return how well the features predict the originals."""
    if result.get("target") == "values":
        return {"R2 of these features": f"{result['accuracy']:.2f}"}
    name = "Balanced accuracy" if result.get("target") == "labels" else "Accuracy"
    return {f"{name} of these features": formatting.percent(result["accuracy"])}


def _setup(result: JsonObject) -> Section:
    facts = {
        "Data": result["data"],
        "Space": result["space"],
        "Features": result["features"],
        "Examples used": f"{result['examples']:,}",
        **_accuracy(result),
        "Wall time": formatting.duration(result["seconds"]),
    }
    return Section("Setup", [Definitions(facts)])
