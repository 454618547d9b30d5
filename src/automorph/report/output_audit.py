"""The report of an audit of several labels or values: each of them on every subgroup."""

from __future__ import annotations

from collections.abc import Sequence

from automorph.report import figures, formatting, sections
from automorph.report.further_metrics import measured_answer, measured_section
from automorph.report.metric_words import MetricWords
from automorph.report.page import Answer, Page, PageTable, Part, Section, TableCell, figure
from automorph.report.view_model import JsonObject

GROUPS = 40
"""Maximum number of rows in a figure."""


def output_audit_page(result: JsonObject) -> Page:
    """Make the page of an audit of several labels or values, the object of ``audit --json``."""
    where = f"{formatting.count(result['n'])} examples of the {result['part']} part"
    alarms = result["alarms"]
    parts = [_outputs(result), _subgroups(result), _gaps(result),
             measured_section(result["metrics"], where)]  # fmt: skip
    return Page(
        title=f"Audit of {result['subject']} on {result['data']}",
        lead=result["verdict"],
        verdict="worse" if alarms else "unclear",
        badge="fails on a subgroup" if alarms else "no alarm",
        kicker=f"Audit of {_plural(result)}",
        answers=_answers(result, where),
        warnings=[*alarms[1:6], *result["notes"]],
        commands=result.get("next") or (),
        sections=[section for section in parts if section is not None],
        provenance=sections.provenance(result.get("provenance") or {}),
    )


def _plural(result: JsonObject) -> str:
    return "several labels" if result["target"] == "labels" else "values"


def _one(result: JsonObject) -> str:
    return "label" if result["target"] == "labels" else "value"


def _answers(result: JsonObject, where: str) -> list[Answer]:
    answers = [measured_answer(one, where) for one in result["metrics"][:1]]
    known = [(name, gap) for name, gap in result["gap"].items() if gap is not None]
    if known:
        name, gap = max(known, key=lambda one: one[1]["value"])
        words = _words(_first(result, name))
        answers.append(
            Answer(
                f"Which {_one(result)} differs most among subgroups?",
                name,
                f"{words.name}: {words.value(gap['value'])} between the best and the worst "
                f"subgroup (95 % interval {words.value(gap['low'])} to "
                f"{words.value(gap['high'])}).",
            )
        )
    return answers


def _outputs(result: JsonObject) -> Section:
    """Make the table and figure of every label or value on every subgroup."""
    groups = result["outputs"]
    labels, named = result["target"] == "labels", bool(result["subgroups"])
    titles = list(dict.fromkeys(_column(one) for g in groups for one in g["figures"]))
    lines: list[list[TableCell | str]] = []
    for group in groups:
        found = {_column(one): one for one in group["figures"]}
        subgroup = TableCell(group["subgroup"] or "all", tag="fails" if group["alarm"] else "")
        few = group["small"] and bool(group["subgroup"])
        lines.append(
            [
                group["output"],
                *([subgroup] if named else []),
                TableCell(formatting.count(group["n"]), tag="few" if few else ""),
                *([formatting.count(group["present"])] if labels else []),
                *(_cell(found.get(title)) for title in titles),
                *(
                    [formatting.p_value(group["p"]) if group["subgroup"] else formatting.NOTHING]
                    if named
                    else []
                ),
            ]
        )
    columns = [
        _one(result).capitalize(), *(["Subgroup"] if named else []), "Examples",
        *(["With it"] if labels else []), *map(formatting.capital, titles),
        *(["p"] if named else []),
    ]  # fmt: skip
    test = (
        " p: whether the label is missed, or falsely predicted, more often than on the other "
        "subgroups by chance (Fisher's exact test, one-sided, the smaller of both)."
        if labels
        else " p: whether the mean absolute error exceeds that of the other subgroups by chance "
        "(permutation test)."
    )
    correction = " Holm correction over all tests." if named else ""
    caption = f"Below each value: its 95 % interval.{test if named else ''}{correction}"
    table = PageTable(columns, lines, caption, numbers=range(1 + named, len(columns)))
    return Section(f"All {_one(result)}s", [*_figure(result), table])


def _figure(result: JsonObject) -> list[Part]:
    """Draw the first metric of every label or value by subgroup."""
    rows, shown = [], None
    for group in result["outputs"]:
        first = group["figures"][0] if group["figures"] else None
        if first is None or (result["subgroups"] and not group["subgroup"]):
            continue
        if shown is None:
            shown = first
        if _column(first) != _column(shown):
            continue
        scale = 100 if first["share"] else 1
        rows.append(
            figures.FigureRow(
                ", ".join(filter(None, (group["output"], group["subgroup"]))),
                scale * first["value"], scale * first["low"], scale * first["high"],
                colour=1 if group["alarm"] else 0, words=_words(first).value(first["value"]),
            )
        )  # fmt: skip
    if shown is None:
        return []
    what, unit = _column(shown), ", %" if shown["share"] else ""
    title = formatting.capital(what)
    described = f"{title} of each {_one(result)}{' and subgroup' if result['subgroups'] else ''}"
    return [
        figure(
            figures.dots, rows[:GROUPS], axis=f"{title}{unit}", label=f"{described}.",
            caption=f"{described}, with its 95 % interval (bootstrap over the examples).",
        )
    ]  # fmt: skip


def _subgroups(result: JsonObject) -> Section | None:
    """Make the table of the metrics of all outputs together, by subgroup."""
    found = result["subgroups"]
    if not found:
        return None
    titles = list(dict.fromkeys(one["title"] for figures in found.values() for one in figures))
    lines: list[list[TableCell | str]] = [
        [name, *(_cell({one["title"]: one for one in figures}.get(title)) for title in titles)]
        for name, figures in found.items()
    ]
    caption = "Below each value: its 95 % interval, by a bootstrap over the examples."
    table = PageTable(["Subgroup", *titles], lines, caption, numbers=range(1, 1 + len(titles)))
    return Section(f"All {_one(result)}s together, by subgroup", [table])


def _gaps(result: JsonObject) -> Section | None:
    lines: list[list[TableCell | str]] = []
    for name, gap in result["gap"].items():
        if gap is not None:
            words = _words(_first(result, name))
            spread = f"{words.value(gap['low'])} to {words.value(gap['high'])}"
            lines.append([name, words.name, words.value(gap["value"]), spread])
    if not lines:
        return None
    caption = (
        "Largest minus smallest value of the metric among the subgroups. Of several small "
        "subgroups the gap is too large by chance: see the tests above."
    )
    columns = [_one(result).capitalize(), "Metric", "Gap", "95 %"]
    return Section(f"Gap by {_one(result)}", [PageTable(columns, lines, caption, numbers=[2, 3])])


def _first(result: JsonObject, name: str) -> JsonObject:
    """Return the first metric of a label or value on all examples."""
    found: Sequence[JsonObject] = next(
        one["figures"] for one in result["outputs"] if one["output"] == name and one["figures"]
    )
    return found[0]


def _column(one: JsonObject) -> str:
    """Return the title of a metric without the label or value that it is of."""
    return str(one["title"]).partition(" of ")[0]


def _cell(one: JsonObject | None) -> TableCell | str:
    if one is None:
        return formatting.NOTHING
    words = _words(one)
    return TableCell(words.value(one["value"]), f"{words.value(one['low'])} to "
                     f"{words.value(one['high'])}")  # fmt: skip


def _words(one: JsonObject) -> MetricWords:
    content = {"name": one["title"], "share": one["share"], "part": "test"}
    return MetricWords({**content, "higher_is_better": one["higher_is_better"]})
