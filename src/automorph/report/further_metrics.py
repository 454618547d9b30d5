"""Tables of metrics: those beside the one that chooses, and those of one network."""

from __future__ import annotations

from collections.abc import Sequence

from automorph.report import formatting
from automorph.report.metric_words import MetricWords
from automorph.report.page import Answer, PageTable, Section, TableCell
from automorph.report.view_model import JsonObject, Results


def further_table(results: Results) -> PageTable | None:
    """Return one line for each further metric and policy, or None if there are none."""
    lines: list[list[TableCell | str]] = []
    for content in results.content.get("also") or ():
        metric = MetricWords(content)
        for row in results.rows:
            found = row["also"][metric.name]
            gap = found.get("difference") or {}
            se = found["value"].get("se")
            interval = metric.interval(gap.get("low"), gap.get("high"))
            lines.append(
                [
                    f"{metric.name}{metric.direction}",
                    TableCell(results.label(row), colour=results.colours[row["policy"]]),
                    TableCell(
                        metric.value(found["value"]["mean"]),
                        "" if se is None else f"± {metric.spread(se)}",
                    ),
                    TableCell(metric.difference(gap.get("mean")), interval if gap else ""),
                ]
            )
    if not lines:
        return None
    caption = (
        f"Further metrics on the {results.metric.part} part, with paired differences from the "
        f"baseline ({results.level} intervals, not corrected for the number of metrics). They "
        "choose nothing."
    )
    columns = ["Further metric", "Policy", "Value", "Difference"]
    return PageTable(columns, lines, caption, numbers=range(2, 4))


def measured_answer(one: JsonObject, where: str) -> Answer:
    """Return the answer by a metric of one network, measured on the examples ``where``."""
    words = _words(one)
    spread = _spread(one, words)
    return Answer(
        f"What is its {words.name}?",
        words.value(one["value"]),
        f"On the {where}{'; ' * bool(spread)}{spread}{words.direction}.",
    )


def measured_section(metrics: Sequence[JsonObject], where: str) -> Section | None:
    """Make the section of the metrics of one network, measured on the examples ``where``.

    Each has ``title``, ``share``, ``higher_is_better`` and ``value``; ``low`` and ``high`` are its
    interval over the examples, or ``se`` its standard error over folds; ``validation`` is the value
    on the validation part, and ``threshold`` was fixed there.
    """
    if not metrics:
        return None
    validated = any(one.get("validation") is not None for one in metrics)
    fixed = any(one.get("threshold") is not None for one in metrics)
    columns = ["Metric", "Value", "Uncertainty", *(["Validation"] if validated else []),
               *(["Threshold"] if fixed else [])]  # fmt: skip
    lines: list[list[TableCell | str]] = []
    for one in metrics:
        words, threshold = _words(one), one.get("threshold")
        lines.append(
            [
                f"{words.name}{words.direction}",
                words.value(one["value"]),
                _spread(one, words) or formatting.NOTHING,
                *([words.value(one.get("validation"))] if validated else []),
                *([_threshold(threshold)] if fixed else []),
            ]
        )
    caption = f"Metrics on the {where}."
    if any(one.get("low") is not None for one in metrics):
        caption += (
            " Intervals are those of a bootstrap over the examples, stratified by class or label, "
            "and Wilson's for shares of 0 and 100 %; they do not cover what another training would "
            "change."
        )
    if fixed:
        caption += (
            " A threshold was fixed on the validation part: the class is called from that "
            "probability on."
        )
    table = PageTable(columns, lines, caption, numbers=range(1, len(columns)))
    return Section("Metrics", [table])


def _words(one: JsonObject) -> MetricWords:
    content = {"name": one["title"], "share": one["share"], "part": "test"}
    return MetricWords({**content, "higher_is_better": one["higher_is_better"]})


def _spread(one: JsonObject, words: MetricWords) -> str:
    """Write the interval of a value, or its standard error; empty if there is none."""
    if one.get("low") is not None:
        return f"95 % interval {words.value(one['low'])} to {words.value(one['high'])}"
    return "" if one.get("se") is None else f"± {words.spread(one['se'])}"


def _threshold(value: float | None) -> str:
    if value is None:
        return formatting.NOTHING
    return "none reaches it" if value > 1 else f"{value:.4g}"
