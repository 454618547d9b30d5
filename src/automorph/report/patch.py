"""The report of a patch: the model before and after, the objectives, and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from automorph.report import figures, formatting, sections
from automorph.report.audit import groups_section
from automorph.report.metric_words import MetricWords
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
from automorph.report.view_model import JsonObject, Results

GROUPS, STRIPS, BYTES = 40, 16, 700_000
"""Maximum groups in the figure, rows of pictures, and bytes of pictures in a section."""
_BADGES: dict[Verdict, str] = {
    "better": "Repaired",
    "worse": "Worse than before",
    "unclear": "No clear difference",
}


def patch_page(result: JsonObject) -> Page:
    """Make the page of a patch.

    ``result`` is the object of ``patch --json``, optionally with ``provenance``, ``next`` and
    ``looks``, which holds ``sheet`` and ``saliency``, each with ``images``
    ``(rows, columns, H, W, C)`` and ``labels``.
    """
    verdict: Verdict = result["verdict"]["kind"]
    looks = result.get("looks") or {}
    parts = [
        _groups(result),
        _arms(result),
        _metrics(result),
        _untested(result),
        _translator(result, looks.get("sheet")),
        _saliency(looks.get("saliency")),
        groups_section(
            result["after"],
            f"All groups of the {'patched' if verdict == 'better' else 'new'} model",
        ),
    ]
    return Page(
        title=f"{result['data']}, {'repaired by' if verdict == 'better' else 'retrained with'} "
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


def _answers(result: JsonObject) -> list[Answer]:
    before, after = result["before"], result["after"]
    gaps = {
        name: (value, after["gap"][name])
        for name, value in before["gap"].items()
        if value is not None and after["gap"].get(name) is not None
    }
    worst = max(gaps, key=lambda name: gaps[name][0], default=None)
    untested = result.get("untested")
    answers = [
        *_answer_with_translated(result),
        *_answer_by_metric(result),
        Answer(
            "How accurate is it on the worst group"
            + (" of real test examples?" if untested else "?"),
            formatting.percent(after["robust_accuracy"], 1),
            f"{formatting.percent(before['robust_accuracy'], 1)} before. On average "
            f"{formatting.percent(after['accuracy'], 1)}, compared with "
            f"{formatting.percent(before['accuracy'], 1)} before.",
        ),
    ]
    if worst is not None:
        answers.append(
            Answer(
                "How large is the gap?",
                f"{gaps[worst][1]:.1f} points",
                f"between the subgroups of {worst}, compared with {gaps[worst][0]:.1f} before.",
            )
        )
    flips = result["flip_rate"]
    if flips["after"] is not None:
        answers.append(
            Answer(
                "Does the subgroup still affect predictions?",
                formatting.percent(flips["after"], 1),
                "of predictions change when only the subgroup of an image changes, compared with "
                f"{formatting.percent(flips['before'], 1)} before.",
            )
        )
    return answers


def _answer_with_translated(result: JsonObject) -> list[Answer]:
    """Return the answer in which translated test examples count, if the verdict counts them."""
    if (found := result.get("untested")) is None:
        return []
    before, after = (_chosen_value(result, found[side]) for side in _SIDES)
    groups = _listed(found["groups"])
    what = "accuracy on the worst group"
    if _by_metric(result):
        what = f"{result['metric']} in the worst subgroup"
    return [
        Answer(
            f"What is its {what}?",
            after,
            f"{before} before. Test examples that were translated into {groups} count, since "
            "there are hardly any real ones.",
        )
    ]


def _listed(groups: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"({name}, {subgroup})" for name, subgroup in groups)


def _words(content: JsonObject) -> MetricWords:
    """Return how the values of a metric of a patch are written."""
    return MetricWords({key: content[key] for key in METRIC})


METRIC = ("name", "higher_is_better", "share", "part")
"""The keys of a metric of a patch that describe the metric itself."""


def _answer_by_metric(result: JsonObject) -> list[Answer]:
    """Return the answer by the metric that chose, if it is not accuracy."""
    if not _by_metric(result):
        return []
    one = result["metrics"][0]
    words, before, after = _words(one), one["before"], one["after"]
    return [
        Answer(
            f"What is its {words.name} in the worst subgroup?",
            words.value(after["worst"]),
            f"{words.value(before['worst'])} before{words.direction}. On all test examples "
            f"{words.value(after['whole'])}, compared with {words.value(before['whole'])} before.",
        )
    ]


def _metrics(result: JsonObject) -> Section | None:
    """Make the section of the metrics that were asked for."""
    parts: list[Part] = []
    for one in result.get("metrics") or ():
        words = _words(one)
        names = list(one["after"]["subgroups"])
        lines: list[Sequence[TableCell | str]] = [
            [state, *(words.value(one[state][key]) for key in ("whole", "worst", "mean")), "",
             *(words.value(one[state]["subgroups"].get(name)) for name in names)]
            for state in _SIDES
        ]  # fmt: skip
        for row in one["objectives"]:
            gap = row["difference"] or {}
            inside = words.interval(gap.get("low"), gap.get("high"))
            lines.append(
                [
                    TableCell(row["objective"], "mean over the seeds"),
                    *(words.value((row[key] or {}).get("mean")) for key in ("whole", "worst",
                                                                           "mean")),
                    TableCell(words.difference(gap.get("mean")), inside if gap else ""),
                    *[""] * len(names),
                ]
            )  # fmt: skip
        chose = (
            "Epoch, objective and seed were chosen by its value in the worst subgroup of the "
            "validation part. "
            if words.name == result["metric"]
            else "It chose nothing. "
        )
        parts.append(
            PageTable(
                ["Model", "Whole test part", "Worst subgroup", "Mean of subgroups",
                 "Against balanced", *names],
                lines,
                f"{words.name}{words.direction}. {chose}Differences from balanced sampling are "
                f"those of the worst subgroup{words.in_points}, with a 95 % interval over the "
                "seeds.",
                numbers=range(1, 5 + len(names)),
            )
        )  # fmt: skip
    return Section("By metric", parts) if parts else None


def _untested(result: JsonObject) -> Section | None:
    """Make the section of the groups that only translated test examples can tell of."""
    if (found := result.get("untested")) is None:
        return None
    groups = _listed(found["groups"])
    value = partial(_chosen_value, result)
    lines: list[Sequence[TableCell | str]] = [[side, value(found[side])] for side in _SIDES]
    for name, values in found["objectives"].items():
        chosen = name == result["objective"]
        lines.append(
            [
                TableCell(name, "mean over the seeds", tag="chosen" if chosen else ""),
                TableCell(value(values["mean"]), ", ".join(map(value, values["values"]))),
            ]
        )
    text = (
        f"Fewer than 10 test examples are of {groups}. {found['n']:,} other test examples were "
        "translated into it, and count as its own here. The verdict follows this table. Real "
        "examples would be better evidence: add some to the test part."
    )
    what = f"{result['metric']} in the worst subgroup" if _by_metric(result) else "Robust accuracy"
    return Section(
        "Groups without test examples",
        [PageTable(["Model", what], lines, "With translated test examples.", numbers=[1])],
        [text],
    )


def _groups(result: JsonObject) -> Section:
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
        caption="Accuracy of each group before and after, with 95 % intervals (Wilson).",
    )  # fmt: skip
    # Some measures do not exist for all data.
    more = [
        [
            "Mutual information, nats",
            *(_number(result[s]["mutual_information"], 4) for s in _SIDES),
        ],
        ["Predictions that flip", *(formatting.percent(result["flip_rate"][s], 1) for s in _SIDES)],
        [
            "Saliency on the mark, relative to its area",
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
        f"One training each (seed {result['seed']} after); the table of objectives below shows "
        "means over the seeds. A gap can also close because the better subgroup got worse, so "
        "check both accuracies. A relative saliency of 1 means that the model ignores the mark.",
        numbers=[1, 2],
    )
    return Section("Before and after", [bars, table])


_SIDES = ("before", "after")
_ROBUST = "robust validation accuracy"


def _chosen_value(result: JsonObject, value: float) -> str:
    """Write a value that chose an objective."""
    return (
        _words(result["metrics"][0]).value(value)
        if _by_metric(result)
        else formatting.percent(value, 1)
    )


def _by_metric(result: JsonObject) -> bool:
    """Return whether another metric than accuracy chose."""
    return bool(result.get("metrics")) and result["metric"] != "accuracy"


def _arms(result: JsonObject) -> Section:
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
                TableCell(name, tag="chosen" if colour else "", colour=colour),
                _spread(robust),
                _spread(arm["accuracy"]),
                TableCell(
                    formatting.points(gap.get("mean")),
                    "" if inside == formatting.NOTHING else inside,
                ),
                ", ".join(f"{value['mean']:.1f}" for value in arm["gap"].values()),
                _number(arm["mutual_information"]["mean"], 4),
                _chosen_value(result, arm["validation_robust_accuracy"]["mean"]),
                _passes(result, arm),
                formatting.duration(arm["seconds"]["mean"]),
            ]
        )
    by_metric = _by_metric(result)
    chosen_by = f"{result['metric']} in the worst subgroup" if by_metric else "robust accuracy"
    seeds = formatting.plural(len(result["seeds"]), "seed")
    classes = ", ".join(result["arms"][0]["gap"])
    dots_ = figure(
        figures.dots, rows, axis="Robust accuracy on the test part, %",
        label="; ".join(f"{row.label} {row.words}" for row in rows),
        caption=f"Accuracy of the worst group over {seeds}. Thin lines connect results of the same "
        "seed.",
    )  # fmt: skip
    table = PageTable(
        ["Objective", "Robust", "Accuracy", "Against balanced", f"Gap ({classes})",
         "Information", "Validation", "Passes", "Wall time"],
        lines,
        "Mean ± standard error over the seeds. Gaps are in points. Differences in robust accuracy "
        "from balanced sampling are in points, with a 95 % interval. The objective was chosen by "
        f"the validation column ({chosen_by}). Passes of one training: examples forward and "
        "backward (a forward pass alone is a third), without the translator, and their ratio to "
        "plain training (erm).",
        numbers=range(1, 9),
    )  # fmt: skip
    text = (
        "Every objective was trained on the same number of examples under the same seeds, and the "
        f"epoch with the best {'validation ' + chosen_by if by_metric else _ROBUST} was kept. "
        "Balanced sampling often gives "
        "most of the gain, so the other objectives are compared with it."
    )
    return Section("Objectives", [dots_, table], [text])


def _passes(result: JsonObject, arm: JsonObject) -> TableCell:
    """Return the passes of a training, with their ratio to plain training."""
    view = Results({"seeds": result["seeds"]})
    base = next((one for one in result["arms"] if one["objective"] == "erm"), None)
    mine, theirs = view.passes(arm), view.passes(base)
    ratio = formatting.times(mine / theirs) if mine and theirs and arm is not base else ""
    return TableCell(formatting.count(mine), ratio)


def _translator(result: JsonObject, sheet: JsonObject | None) -> Section | None:
    translator = result["translator"]
    if not translator["checks"]:
        return None
    names = result.get("subgroups") or []
    parts: list[Part] = []
    for attempt in translator["checks"]:
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
                ["Check", "Direction", "Value", "Limit", "Result"], lines,
                f"Checks of the translator {attempt['kind']}", numbers=[2], folded=len(lines) > 20,
            )
        )  # fmt: skip
    if sheet is not None:
        parts.append(
            _strips("Translations of training examples: " + ", ".join(sheet["columns"]), sheet)
        )
    text = (
        f"Examples were translated by {translator['kind']}, which passed its checks."
        if translator["passed"]
        else "No translator passed its checks, so none was used."
    )
    return Section("The translator", parts, [text])


_QUESTIONS = {
    "subgroup": "Classified as the target subgroup, relative to real examples",
    "class": "Loss of class accuracy",
    "cycle": "Change after translation to the other subgroup and back",
    "identity": "Change of examples already in the target subgroup",
    "diversity": "Diversity, relative to real examples",
    "inversion": "Inversion of brightness",
    "residue": "Original subgroup still detectable in the translation",
}


def _saliency(looks: JsonObject | None) -> Section | None:
    if looks is None:
        return None
    labels = [
        f"{label} (predicted {predicted[0]} before, {predicted[1]} after)"
        for label, predicted in zip(looks["labels"], looks["said"], strict=True)
    ]
    text = (
        "The image, and the saliency maps of the model before and after (SmoothGrad of the "
        "margin of the true class). These maps are illustrations; the evidence is the group "
        "accuracies and the flip rate."
    )
    strip = _strips("Image, before, after", {**looks, "labels": labels})
    return Section("Where the model looks", [strip], [text])


def _strips(title: str, looks: JsonObject) -> Part:
    images = np.asarray(looks["images"])[:STRIPS]
    limit = BYTES // max(1, len(images))
    columns = looks.get("columns", ())
    return sections.strips(title, images, looks["labels"], title, limit=limit, columns=columns)


def _spread(summary: JsonObject) -> TableCell:
    se = summary["se"]
    return TableCell(
        formatting.percent(summary["mean"], 1), "" if se is None else f"± {100 * se:.1f}"
    )


def _number(value: float | None, decimals: int = 1) -> str:
    return formatting.NOTHING if value is None else f"{value:.{decimals}f}"
