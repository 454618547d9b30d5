"""The report of a comparison of policies: the answer, then the evidence."""

from __future__ import annotations

from automorph.report import figures, formatting, sections
from automorph.report.figures import FigureRow
from automorph.report.further_metrics import further_table
from automorph.report.page import Page, PageTable, Part, Section, TableCell, Verdict, figure
from automorph.report.summary import answers, warnings
from automorph.report.view_model import JsonObject, Results, difference, p_value, seconds

_FAIR_COMMAND = (
    "Every policy was trained by the same command or function under the same seeds, so differences "
    "are computed seed by seed. Whether a seed fixes initial weights and the order of examples is "
    "up to that code."
)
_FAIR = (
    "Every policy trained the same model with the same recipe on the same split. For each seed, "
    "all policies share the initial weights and the order of examples, so differences are "
    "computed seed by seed. The test part was used only once, at the end."
)
_FAIR_FOLDS = (
    "Every policy trained the same model with the same recipe on the same folds: in each training, "
    "one fold tests, the next validates, and the others train. Every example is tested once in "
    "each repeat, by a network that has not seen it. Training sets of different folds overlap, so "
    "their results are not independent: standard errors and intervals are those of the corrected "
    "resampled t-test (Nadeau and Bengio 2003), whose variance is 1/J + n_test/n_train times that "
    "of the J trainings."
)
TITLES = {
    "validation": ("Validation", "valid-\nation"),
    "accuracy": ("Accuracy", "test\naccuracy"),
    "difference": ("Difference", "against {base}\n({share})"),
    "p": ("p", "p\n(Holm)"),
}
"""Titles of the columns of the table of policies: on the page, and in a terminal (`cli`)."""
_BADGES: dict[Verdict, str] = {
    "better": "Better than the baseline",
    "worse": "Worse than the baseline",
    "unclear": "No clear difference",
}


def compare_page(result: JsonObject) -> Page:
    """Make the page of a comparison from the result of ``compare``.

    Accuracies and differences are fractions. A policy that failed has an ``error`` instead of an
    accuracy. Optional: ``per_class`` in a row (a fraction for each class, in the order of
    ``data.classes``), ``curves``, ``examples`` (see `sections.examples`), ``previews``,
    ``policies``, ``provenance``, ``next``.
    """
    results = Results(result)
    verdict: Verdict = result["verdict"]["kind"]
    source = result["data"]["source"]
    number = formatting.plural(len(result["rows"]), "policy", "policies")
    parts = [
        _results(results),
        _classes(results),
        sections.training(
            results.entries("curves"),
            results.seeds,
            results.pair,
            score=result["data"].get("score"),
        ),
        sections.operations(results.entries("curves")),
        sections.examples(result.get("examples") or {}, result["data"].get("target", "classes")),
        sections.previews(results.entries("previews")),
        sections.policies(results.entries("policies"), result.get("winner")),
        sections.setup(result, "Comparison setup", [_fair(results)]),
    ]
    return Page(
        title=f"{number} {'compared ' if len(result['rows']) > 1 else ''}on {source}",
        lead=result["verdict"]["text"],
        verdict=verdict,
        badge=_BADGES[verdict] if len(results.rows) > 1 else "",
        kicker="Comparison of policies",
        answers=answers(results),
        warnings=warnings(results),
        commands=result.get("next") or (),
        sections=[section for section in parts if section is not None],
        provenance=sections.provenance(result.get("provenance") or {}),
    )


def _fair(results: Results) -> str:
    """Say why the rows can be compared."""
    if results.external:
        return _FAIR_COMMAND
    return _FAIR_FOLDS if results.pair == "fold" else _FAIR


def _results(results: Results) -> Section:
    parts: list[Part] = []
    if results.rows:
        parts.append(_dots(results))
    apart = [row for row in results.rows if not formatting.absent(difference(row).get("mean"))]
    if any(not formatting.absent(difference(row).get("low")) for row in apart):
        parts.append(_differences(results, apart))
    parts.append(_table(results))
    if further := further_table(results):
        parts.append(further)
    if results.seeds > 1 and results.rows:
        parts.append(_seed_table(results))
    return Section("Results", parts)


def _dots(results: Results) -> Part:
    rows, metric, factor = [], results.metric, results.metric.factor
    for row in results.rows:
        accuracy = row["accuracy"]
        mean, half = factor * accuracy["mean"], accuracy.get("se")
        low, high = (
            (None, None)
            if formatting.absent(half)
            else (mean - factor * half, mean + factor * half)
        )
        values = [factor * value for value in accuracy.get("values", ())]
        colour, words = results.colours[row["policy"]], metric.value(accuracy["mean"])
        rows.append(FigureRow(results.label(row), mean, low, high, values, colour, words))
    caption = f"{metric.title} of each policy."
    if results.seeds > 1:
        caption += (
            f" Small dots are single {results.pair}s, the large mark is their mean, and the bar "
            "spans one standard error on either side. Thin lines connect results of the same "
            f"{results.pair}; parallel lines mean that the {results.pair}s agree."
        )
    label = f"{metric.title} by policy: {_spoken(rows)}."
    return figure(figures.dots, rows, axis=metric.axis, label=label, caption=caption)


def _differences(results: Results, apart: list[JsonObject]) -> Part:
    name, metric = results.label(results.baseline), results.metric
    rows = []
    for row in apart:
        gap = difference(row)
        # Differences that are equal for all seeds have no interval.
        low, high = (
            None if formatting.absent(gap[end]) else metric.end(gap[end]) for end in ("low", "high")
        )
        mean, words = metric.factor * gap["mean"], metric.difference(gap["mean"])
        colour = results.colours[row["policy"]]
        rows.append(FigureRow(results.label(row), mean, low, high, (), colour, words))
    label = (
        f"Difference from {name}{metric.in_points}: {_spoken(rows)}. The table lists the intervals."
    )
    caption = (
        f"Paired difference from {name} with its {results.level} interval. If an interval "
        "includes zero, there is no evidence of a difference."
    )
    axis = f"Difference from {name}" + (", points" if metric.share else metric.direction)
    return figure(figures.differences, rows, axis=axis, label=label, caption=caption)


def _spoken(rows: list[FigureRow]) -> str:
    return "; ".join(f"{row.label} {row.words}" for row in rows)


def _table(results: Results) -> PageTable:
    metric = results.metric
    measured = [TITLES[column][0] for column in ("accuracy", "difference", "p")]
    if metric.name != "accuracy":
        measured[0] = metric.name[:1].upper() + metric.name[1:]
    columns = ["Policy", *measured, "Passes", "Wall time"]
    if results.validated:
        columns.insert(1, TITLES["validation"][0])
    lines = [_line(results, row) for row in results.rows]
    for row in results.failed:
        why = formatting.in_brief(str(row.get("error") or "no accuracy was measured"))
        lines.append([_head(results, row), TableCell(f"Failed: {why}", warning=True)])
    # The share of the most frequent class is an accuracy, whatever the metric of the table.
    if (base := results.content.get("base_rate")) and metric.name == "accuracy":
        name, columns_before = f"always {base['class']!r}", int(results.validated)
        share = metric.value(base["accuracy"])
        cells: list[TableCell | str] = [
            TableCell(name, "the base rate"),
            *[""] * columns_before,
            share,
        ]
        lines.append([*cells, *[""] * (len(columns) - len(cells))])
    several = results.seeds > 1
    caption = metric.title + (" (mean ± standard error)" if several else "") + metric.direction
    if results.validated:
        chosen_by = "" if "search" in results.content else ", which selects the winner"
        caption = f"Validation {metric.name}{chosen_by}; {caption[0].lower()}{caption[1:]}"
    if results.baseline is not None and len(results.rows) > 1:
        caption += f", paired difference from {results.label(results.baseline)}{metric.in_points}"
        caption += f" ({results.level} interval)" if several else ""
        if any(not formatting.absent(difference(row).get("p_adjusted")) for row in results.rows):
            caption += ", p corrected for the number of policies"
    caption += f", and the cost of one training: {_about_costs(results)}."
    chosen = results.rows.index(results.winner) if results.winner is not None else None
    return PageTable(columns, lines, caption, numbers=range(1, len(columns)), chosen=chosen)


def _line(results: Results, row: JsonObject) -> list[TableCell | str]:
    accuracy, gap, metric = row["accuracy"], difference(row), results.metric
    se = accuracy.get("se")
    spread = metric.interval(gap.get("low"), gap.get("high"))
    validation = metric.value((row.get("validation") or {}).get("mean"))
    return [
        _head(results, row),
        *([validation] if results.validated else []),
        TableCell(
            metric.value(accuracy["mean"]),
            "" if formatting.absent(se) else f"± {metric.spread(se)}",
        ),
        TableCell(
            metric.difference(gap.get("mean")),
            row.get("note") or ("" if spread == formatting.NOTHING else spread),
        ),
        formatting.p_value(p_value(row)),
        _with_ratio(
            results, row, formatting.count(results.passes(row)), results.relative_passes(row)
        ),
        _with_ratio(results, row, formatting.duration(seconds(row)), results.relative_time(row)),
    ]


def _about_costs(results: Results) -> str:
    """Say what the columns of costs count, and whether their ratios are shown."""
    passes = "over the training data" if results.external else "of examples"
    third = "" if results.external else " (a forward pass alone is a third)"
    if results.baseline is None or len(results.rows) < 2:
        return f"passes {passes}{third}, and wall time"
    base, times = results.label(results.baseline), results.about_times
    return f"passes {passes}{third} and their ratio to {base}; wall time{', ' * bool(times)}{times}"


def _with_ratio(results: Results, row: JsonObject, text: str, ratio: float | None) -> TableCell:
    """Return a cost with its ratio to the baseline below it."""
    known = ratio is not None and row is not results.baseline
    return TableCell(text, formatting.times(ratio) if known else "")


def _head(results: Results, row: JsonObject) -> TableCell:
    policy = row["policy"]
    tag = "baseline" if policy == results.content.get("baseline") else ""
    if policy == results.content.get("winner") and len(results.rows) > 1:
        # What is advised may be another one: the best may not be shown to beat the baseline.
        won = "found" if "search" in results.content else "best on validation"
        tag = f"{won}, {tag}" if tag else won
    return TableCell(results.label(row), tag=tag, colour=results.colours[policy])


def _seed_table(results: Results) -> PageTable:
    columns = ["Policy", *(pair_name(results, seed) for seed in results.content["seeds"])]
    lines: list[list[TableCell | str]] = []
    for row in results.rows:
        values = [results.metric.value(value) for value in row["accuracy"].get("values", ())]
        missing = [formatting.NOTHING] * (results.seeds - len(values))
        lines.append([_head(results, row), *values, *missing])
    caption = f"{results.metric.title} by {results.pair}"
    return PageTable(columns, lines, caption, numbers=range(1, len(columns)), folded=True)


def pair_name(results: Results, seed: int) -> str:
    """Name the trainings of one seed, or of one fold of one repeat."""
    if results.pair == "seed":
        return f"Seed {seed}"
    repeat, fold = divmod(seed, results.content["folds"]["count"])
    return f"Fold {fold + 1}, repeat {repeat + 1}"


def _classes(results: Results) -> Section | None:
    names = results.content["data"].get("classes") or []
    mine, theirs = ((row or {}).get("per_class") for row in (results.winner, results.baseline))
    if not mine or not theirs or results.winner is results.baseline:
        return None
    ahead, base = results.label(results.winner), results.label(results.baseline)
    # A class without test examples has no accuracy.
    known = [one for one in zip(names, theirs, mine, strict=True) if None not in one]
    ordered = sorted(known, key=lambda one: one[1] - one[2])
    half = sections.CLASSES // 2
    # Whatever the metric of the table, a class has the share of its examples that are right.
    several = results.content["data"].get("target") == "labels"
    score, kind, many = ("F1", "label", "labels") if several else ("accuracy", "class", "classes")
    accuracy = f"{results.metric.part.capitalize()} {score}"
    shown = ordered if len(ordered) <= sections.CLASSES else [*ordered[:half], *ordered[-half:]]
    rows = [
        FigureRow(str(name), 100 * (b - a), colour=1, words=formatting.points(b - a))
        for name, a, b in shown
    ]
    caption = (
        f"{accuracy} of {ahead} minus that of {base}, by {kind}. Each {kind} has "
        "few examples, so these differences are noisier than the overall ones."
    )
    if len(ordered) > sections.CLASSES:
        caption += f" The {half} best and the {half} worst of {len(ordered)} {many}."
    label = f"Difference of {ahead} from {base} by {kind}, in points: {_spoken(rows)}."
    picture = figure(figures.bars, rows, axis="Difference, points", label=label, caption=caption)
    lines = [
        [str(name), formatting.percent(a), formatting.percent(b), formatting.points(b - a)]
        for name, a, b in ordered[: sections.LINES]
    ]
    columns = [kind.capitalize(), base, ahead, "Difference"]
    table = PageTable(columns, lines, f"{accuracy} by {kind}", numbers=(1, 2, 3), folded=True)
    return Section(f"{kind.capitalize()} by {kind}", [picture, table])
