"""The report of several runs: the choice of each run, and the differences between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automorph.report import figures, formatting
from automorph.report.figures import FigureRow
from automorph.report.metric_words import MetricWords
from automorph.report.page import Code, Page, PageTable, Part, Section, TableCell, figure
from automorph.report.view_model import JsonObject, Results

_CHOSEN = (
    "Each row is the policy that the run chose on its validation part, not the best on the test"
    " part. Intervals are not corrected for the number of runs."
)
_OTHER = "The runs were tested on different examples; their accuracies are not comparable."


def runs_page(
    runs: Mapping[str, JsonObject], differences: Mapping[str, Mapping[str, JsonObject]]
) -> Page:
    """Make the page of two or more runs of ``compare``, ``search`` or ``train``, by name.

    ``differences`` holds, for every run but the first and by policy, the paired difference from the
    same policy in the first run (``mean``, ``low``, ``high``); the empty name holds the difference
    between the chosen policies. It is empty for runs that cannot be paired.
    """
    read = {name: Results(run) for name, run in runs.items()}
    first = next(iter(read))
    alone = {_tested(results) for results in read.values()}
    return Page(
        title=f"{formatting.plural(len(runs), 'run')} compared",
        lead=_lead(read, first, differences),
        kicker="Comparison of runs",
        warnings=[_OTHER] if len(alone) > 1 else [],
        sections=[
            Section("Choice of each run", _chosen(read, first, differences), [_CHOSEN]),
            Section("All policies", [_policies(read, first, differences)]),
            Section("Differences in settings", [_settings(runs)]),
        ],
        provenance={name: Code(_from(run, "command") or "") for name, run in runs.items()},
    )


def _lead(
    read: Mapping[str, Results], first: str, differences: Mapping[str, Mapping[str, JsonObject]]
) -> str:
    sentences = []
    for name, results in read.items():
        if (row := results.chosen) is None:
            sentences.append(f"{name} has no result.")
            continue
        metric = results.metric
        accuracy = metric.value(row["accuracy"]["mean"])
        gap = differences.get(name, {}).get("")
        sentence = f"{name} chose {results.label(row)}: {accuracy}"
        if gap and not formatting.absent(gap.get("low")):
            span = metric.interval(gap["low"], gap["high"])
            unit = f" {metric.points}".rstrip()
            sentence += (
                f"; difference from {first}: {metric.difference(gap['mean'])}{unit} ({span})"
            )
        sentences.append(f"{sentence}.")
    return " ".join(sentences)


def _chosen(
    read: Mapping[str, Results], first: str, differences: Mapping[str, Mapping[str, JsonObject]]
) -> list[Part]:
    rows: list[FigureRow] = []
    lines: list[list[TableCell | str]] = []
    for colour, (name, results) in enumerate(read.items()):
        row = results.chosen
        if row is None:
            lines.append([name, *[formatting.NOTHING] * 5])
            continue
        accuracy, se = row["accuracy"], row["accuracy"].get("se")
        metric, factor = results.metric, results.metric.factor
        mean, half = factor * accuracy["mean"], None if formatting.absent(se) else factor * se
        low, high = (None, None) if half is None else (mean - half, mean + half)
        words = metric.value(accuracy["mean"])
        values = [factor * value for value in accuracy.get("values", ())]
        rows.append(FigureRow(name, mean, low, high, values, colour, words))
        validation = (row.get("validation") or {}).get("mean")
        gap = differences.get(name, {}).get("")
        lines.append(
            [
                TableCell(name, colour=colour),
                results.label(row),
                metric.value(validation),
                TableCell(words, note="" if half is None else f"± {metric.spread(se)}"),
                _gap(gap, metric) if name != first else formatting.NOTHING,
                formatting.duration(_from(results.content, "seconds")),
            ]
        )
    metric = read[first].metric
    axis = metric.axis_of(f"{metric.title} of the chosen policy")
    spoken = "; ".join(f"{row.label} {row.words}" for row in rows)
    shown = "Test" if metric.part == "test" else metric.title
    columns = ["Run", "Chosen policy", "Validation", shown, f"Difference from {first}", "Wall time"]
    caption = f"Policies chosen by the runs; differences{metric.in_points}{metric.direction}"
    table = PageTable(columns, lines, caption, numbers=(2, 3, 4, 5))
    if not rows:
        return [table]
    caption = f"{metric.title} of the policy that each run chose. Small dots are single seeds."
    return [figure(figures.dots, rows, axis=axis, label=f"{axis}: {spoken}.", caption=caption),
            table]  # fmt: skip


def _policies(
    read: Mapping[str, Results], first: str, differences: Mapping[str, Mapping[str, JsonObject]]
) -> PageTable:
    names = dict.fromkeys(row["policy"] for results in read.values() for row in results.rows)
    lines = []
    for policy in names:
        line: list[TableCell | str] = [_label(read, policy)]
        for name, results in read.items():
            row = next((row for row in results.rows if row["policy"] == policy), None)
            if row is None:
                line.append(formatting.NOTHING)
                continue
            gap = differences.get(name, {}).get(policy)
            note = _gap(gap, results.metric).text if gap and name != first else ""
            line.append(TableCell(results.metric.value(row["accuracy"]["mean"]), note=note))
        lines.append(line)
    metric = read[first].metric
    caption = f"{metric.title} by policy and run"
    if any(differences.values()):
        caption += f"; below it, the paired difference from {first}{metric.in_points}"
    return PageTable(["Policy", *read], lines, caption, numbers=range(1, len(read) + 1))


def _settings(runs: Mapping[str, JsonObject]) -> PageTable:
    """Make a table of the settings that differ, one column per run."""
    settings = {name: _flat(_setting(run)) for name, run in runs.items()}
    names = dict.fromkeys(key for facts in settings.values() for key in facts)
    lines = [
        [
            key,
            *(formatting.plain(facts.get(key, formatting.NOTHING)) for facts in settings.values()),
        ]
        for key in names
        if len({str(facts.get(key)) for facts in settings.values()}) > 1
    ]
    caption = "Settings that differ" if lines else "All settings are equal"
    return PageTable(["Setting", *runs], lines, caption)


def _setting(run: JsonObject) -> dict[str, Any]:
    data = run["data"]
    search = run.get("search") or {}
    return {
        "data": data["source"], "training examples": data["n_train"], "image shape": data["shape"],
        "data hash": data["hash"], "test examples": _tested(Results(run)),
        "model": run["model"], "regime": run.get("regime", "scratch"),
        "seeds": run["seeds"], "recipe": run["recipe"],
        "search": {
            "method": search.get("method"), "space": search.get("space"),
            "post-policy": search.get("tail"), "budget": search.get("budget"),
            "trials": search.get("trials"),
        },
        "versions": _from(run, "versions") or {}, "hardware": _from(run, "hardware"),
    }  # fmt: skip


def _flat(facts: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in facts.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}: ")
        elif value is not None:
            flat[f"{before}{str(key).replace('_', ' ')}"] = value
    return flat


def _gap(gap: JsonObject | None, metric: MetricWords) -> TableCell:
    if not gap:
        return TableCell(formatting.NOTHING)
    note = "" if formatting.absent(gap.get("low")) else metric.interval(gap["low"], gap["high"])
    return TableCell(metric.difference(gap["mean"]), note=note)


def _label(read: Mapping[str, Results], policy: str) -> str:
    return next(
        results.label(policy)
        for results in read.values()
        if any(row["policy"] == policy for row in results.rows)
    )


def _tested(results: Results) -> str:
    hashes: Mapping[str, Any] = _from(results.content, "split_hashes") or {}
    part = hashes.get("test") or {}
    return f"{part.get('n', '?')} ({part.get('hash', '?')})"


def _from(run: JsonObject, name: str) -> Any:
    return (run.get("provenance") or {}).get(name)
