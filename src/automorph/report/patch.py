"""The report of a patch: the model before and after, what mended it, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from automorph.report import figures, formatting, sections
from automorph.report.audit import groups_section
from automorph.report.page import (
    Answer,
    Definitions,
    Page,
    PageTable,
    Part,
    Section,
    TableCell,
    Verdict,
    figure,
)

Found = Mapping[str, Any]

GROUPS, STRIPS, BYTES = 40, 16, 700_000
"""Most groups in the figure, most rows of pictures, bytes for the pictures of a section."""
_BADGES: dict[Verdict, str] = {
    "better": "Mended",
    "worse": "Worse than before",
    "unclear": "No clear difference",
}


def patch_page(result: Found) -> Page:
    """The page of a patch; ``result`` is the object of ``patch --json`` and, optional, ``looks``.

    ``looks`` holds ``sheet`` and ``saliency``, each with ``images`` ``(rows, columns, H, W, C)``
    and ``labels``; besides there may be ``provenance`` and ``next``.
    """
    verdict: Verdict = result["verdict"]["kind"]
    looks = result.get("looks") or {}
    parts = [
        _groups(result),
        _arms(result),
        _translator(result, looks.get("sheet")),
        _saliency(looks.get("saliency")),
        groups_section(
            result["after"],
            f"Every group of the {'mended' if verdict == 'better' else 'new'} model",
        ),
    ]
    return Page(
        title=f"{result['data']}, {'mended by' if verdict == 'better' else 'with'} "
        f"{result['objective']}",
        lead=result["verdict"]["text"],
        verdict=verdict,
        badge=_BADGES[verdict],
        kicker="Model patching",
        answers=_answers(result),
        warnings=result["notes"],
        commands=result.get("next") or (),
        sections=[section for section in parts if section is not None],
        provenance=sections.provenance(result.get("provenance") or {}),
    )


def _answers(result: Found) -> list[Answer]:
    before, after = result["before"], result["after"]
    gaps = {
        name: (value, after["gap"][name])
        for name, value in before["gap"].items()
        if value is not None and after["gap"].get(name) is not None
    }
    worst = max(gaps, key=lambda name: gaps[name][0], default=None)
    found = [
        Answer(
            "How good is it on the worst group?",
            formatting.percent(after["robust_accuracy"], 1),
            f"{formatting.percent(before['robust_accuracy'], 1)} before; on average "
            f"{formatting.percent(after['accuracy'], 1)}, "
            f"{formatting.percent(before['accuracy'], 1)} "
            "before.",
        )
    ]
    if worst is not None:
        found.append(
            Answer(
                "How large is the gap?",
                f"{gaps[worst][1]:.1f} points",
                f"between the subgroups of {worst}, {gaps[worst][0]:.1f} before.",
            )
        )
    flips = result["flip_rate"]
    if flips["after"] is not None:
        found.append(
            Answer(
                "Does the subgroup still decide?",
                formatting.percent(flips["after"], 1),
                "of predictions change when only the subgroup of an image does; "
                f"{formatting.percent(flips['before'], 1)} before.",
            )
        )
    return found


def _groups(result: Found) -> Section:
    after = {(g["class"], g["subgroup"]): g for g in result["after"]["groups"]}
    rows = []
    there = [group for group in result["before"]["groups"] if group["n"]]
    for group in sorted(there, key=lambda group: group["accuracy"])[: GROUPS // 2]:
        key = (group["class"], group["subgroup"])
        for state, one, colour in (("before", group, 0), ("after", after[key], 1)):
            rows.append(
                figures.FigureRow(
                    f"{key[0]}, {key[1]}: {state}", 100 * one["accuracy"], 100 * one["low"],
                    100 * one["high"], colour=colour, words=formatting.percent(one["accuracy"], 1),
                )
            )  # fmt: skip
    bars = figure(
        figures.bars, rows, axis="Accuracy on the test part, %",
        label="; ".join(f"{row.label} {row.words}" for row in rows[:8]),
        caption="Accuracy of every group before and after, with 95 % intervals (Wilson).",
    )  # fmt: skip
    # Not every kind of data has all of them.
    more = [
        [
            "Mutual information, nats",
            *(_number(result[s]["mutual_information"], 4) for s in _SIDES),
        ],
        ["Predictions that flip", *(formatting.percent(result["flip_rate"][s], 1) for s in _SIDES)],
        [
            "Saliency on the mark, times its area",
            *(_number(result["saliency_on_mark"][s], 2) for s in _SIDES),
        ],
    ]
    table = PageTable(
        ["Measure", "Before", "After"],
        [
            ["Accuracy", *(formatting.percent(result[s]["accuracy"], 1) for s in _SIDES)],
            [
                "Robust accuracy",
                *(formatting.percent(result[s]["robust_accuracy"], 1) for s in _SIDES),
            ],
            *(
                [f"Gap of {name}, points", *(_number(result[s]["gap"].get(name)) for s in _SIDES)]
                for name in result["before"]["gap"]
            ),
            *(line for line in more if set(line[1:]) != {formatting.NOTHING}),
        ],
        f"Of one training each (seed {result['seed']} after); what mends the model is told below "
        "by means over the seeds. A gap can also close because the better subgroup got worse: "
        "look at both. Saliency of 1 times the area is indifference to the mark.",
        numbers=[1, 2],
    )
    return Section("Before and after", [bars, table])


_SIDES = ("before", "after")


def _arms(result: Found) -> Section:
    rows: list[figures.FigureRow] = []
    lines: list[Sequence[TableCell | str]] = []
    arms = sorted(result["arms"], key=lambda arm: -arm["robust_accuracy"]["mean"])
    for arm in arms:
        robust, name = arm["robust_accuracy"], arm["objective"]
        mean, se = robust["mean"], robust["se"]
        low, high = (None, None) if se is None else (100 * (mean - se), 100 * (mean + se))
        colour = 1 if name == result["objective"] else 0
        dots = [100 * value for value in robust["values"]]
        rows.append(
            figures.FigureRow(
                name, 100 * mean, low, high, dots, colour, formatting.percent(mean, 1)
            )
        )
        gap = arm["difference"] or {}
        inside = formatting.interval(gap.get("low"), gap.get("high"))
        lines.append(
            [
                TableCell(name, tag="mends" if colour else "", colour=colour),
                _spread(robust),
                _spread(arm["accuracy"]),
                TableCell(
                    formatting.points(gap.get("mean")),
                    "" if inside == formatting.NOTHING else inside,
                ),
                ", ".join(f"{value['mean']:.1f}" for value in arm["gap"].values()),
                _number(arm["mutual_information"]["mean"], 4),
                formatting.percent(arm["validation_robust_accuracy"]["mean"], 1),
                formatting.duration(arm["seconds"]["mean"]),
            ]
        )
    seeds = formatting.plural(len(result["seeds"]), "seed")
    classes = ", ".join(result["arms"][0]["gap"])
    dots_ = figure(
        figures.dots, rows, axis="Robust accuracy on the test part, %",
        label="; ".join(f"{row.label} {row.words}" for row in rows),
        caption=f"Accuracy of the worst group under {seeds}; thin lines join the same seed.",
    )  # fmt: skip
    table = PageTable(
        ["Objective", "Robust", "Accuracy", "Against balanced", f"Gap ({classes})",
         "Information", "Validation", "Time"],
        lines,
        "Mean ± standard error over the seeds. Gaps in points; differences in robust accuracy "
        "from balanced sampling, in points with 95 % interval. The validation column (robust "
        "accuracy) chose the objective.",
        numbers=range(1, 8),
    )  # fmt: skip
    text = (
        "Every objective was trained for as many examples under the same seeds, and the epoch of "
        "best robust validation accuracy was kept. Balanced sampling is often nearly all there "
        "is to gain: what is more complicated is held against it."
    )
    return Section("What mends the model", [dots_, table], [text])


def _translator(result: Found, sheet: Found | None) -> Section | None:
    found = result["translator"]
    if not found["checks"]:
        return None
    names = result.get("subgroups") or []
    parts: list[Part] = []
    for attempt in found["checks"]:
        if attempt["error"]:
            parts.append(Definitions({attempt["kind"]: attempt["error"]}))
            continue
        lines: list[Sequence[TableCell | str]] = []
        for check in attempt["checks"]:
            a, b = (names[z] if z < len(names) else str(z) for z in check["direction"])
            least = check["question"] in ("subgroup", "diversity")
            lines.append(
                [
                    _QUESTIONS.get(check["question"], check["question"]),
                    f"{a} to {b}",
                    f"{check['value']:.3f}",
                    f"{'at least' if least else 'at most'} {check['limit']:.3f}",
                    TableCell(
                        "passed" if check["passed"] else "failed", warning=not check["passed"]
                    ),
                ]
            )
        parts.append(
            PageTable(
                ["Question", "Direction", "Found", "Wanted", "Result"], lines,
                f"Checks of the translator {attempt['kind']}", numbers=[2], folded=len(lines) > 20,
            )
        )  # fmt: skip
    if sheet is not None:
        parts.append(
            _strips("Renderings of training examples: " + ", ".join(sheet["columns"]), sheet)
        )
    said = (
        f"Examples were translated by {found['kind']}, which passed its checks."
        if found["passed"]
        else "No translator passed its checks, so none was used."
    )
    return Section("The translator", parts, [said])


_QUESTIONS = {
    "subgroup": "Seen as the target, relative to real examples",
    "class": "Accuracy lost in recognising the class",
    "cycle": "Changed by a way there and back",
    "identity": "Changes examples of the target",
    "diversity": "Diversity relative to real examples",
    "inversion": "Light and dark exchanged",
    "residue": "Origin can be read from the rendering",
}


def _saliency(looks: Found | None) -> Section | None:
    if looks is None:
        return None
    labels = [
        f"{label} (said {said[0]} before, {said[1]} after)"
        for label, said in zip(looks["labels"], looks["said"], strict=True)
    ]
    text = (
        "The image, where the model looked before, and where it looks now (SmoothGrad of the "
        "margin of the true class). Such maps illustrate; the evidence is in the accuracies of the "
        "groups and in the rate of flips."
    )
    strip = _strips("Image, before, after", {**looks, "labels": labels})
    return Section("Where the model looks", [strip], [text])


def _strips(title: str, looks: Found) -> Part:
    images = np.asarray(looks["images"])[:STRIPS]
    limit = BYTES // max(1, len(images))
    columns = looks.get("columns", ())
    return sections.strips(title, images, looks["labels"], title, limit=limit, columns=columns)


def _spread(summary: Found) -> TableCell:
    se = summary["se"]
    return TableCell(
        formatting.percent(summary["mean"], 1), "" if se is None else f"± {100 * se:.1f}"
    )


def _number(value: float | None, decimals: int = 1) -> str:
    return formatting.NOTHING if value is None else f"{value:.{decimals}f}"
