"""The summary of a comparison: the winner, its margin, whether it is beyond chance, the cost."""

from __future__ import annotations

from automorph.report import formatting
from automorph.report.page import Answer
from automorph.report.view_model import JsonObject, Results, difference, p_value, seconds


def answers(results: Results) -> list[Answer]:
    """Return the questions that the result answers, in reading order."""
    if results.winner is None:
        return []
    return [_first(results), *_margin(results), _cost(results)]


def warnings(results: Results) -> list[str]:
    """Return the limitations of the result that a reader must know."""
    notes = []
    if results.failed:
        names = formatting.listed([results.label(row) for row in results.failed])
        notes.append(f"No result for {names}; the table gives the reason.")
    skipped = len(results.content["data"].get("skipped") or ())
    if skipped:
        unread = formatting.plural(skipped, "example")
        notes.append(f"{unread} could not be read and were left out; run.json lists them.")
    notes += results.content.get("limits") or ()
    if results.rows and results.seeds == 1:
        notes.append(
            "This comparison has one seed, so it cannot distinguish a difference from chance."
        )
    notes += results.content.get("remarks") or ()
    # Earlier versions recorded remarks as limits, too.
    return list(dict.fromkeys(formatting.in_brief(note) for note in notes))


def _first(results: Results) -> Answer:
    assert results.winner is not None
    won = results.content["verdict"]["kind"] == "better"
    metric = results.metric
    accuracy = metric.value(results.winner["accuracy"]["mean"])
    of = f"{metric.part} {metric.name}"
    of = f"mean {of} over {results.seeds} {results.pair}s" if results.seeds > 1 else of
    how = (
        f"Best on the validation {'folds' if results.pair == 'fold' else 'part'}; "
        if results.validated
        else ""
    )
    question = "Which policy won?" if won else "Which policy came first?"
    return Answer(question, results.label(results.winner), f"{how}{accuracy} {of}.")


def _margin(results: Results) -> list[Answer]:
    row, metric = results.winner, results.metric
    unit = metric.points or f"in {metric.name}"
    between = f"{unit} relative to {results.label(results.content.get('baseline'))}"
    if row is results.baseline and len(results.rows) > 1:
        # By validation accuracy, like the winner; the test part must not choose.
        others = [
            other for other in results.rows
            if other is not results.winner and not other.get("note")
        ]  # fmt: skip
        if not others:
            return []
        row = max(others, key=results.standing)
        between = f"{unit}: the best other policy, {results.label(row)}, relative to the baseline"
    gap = difference(row)
    if formatting.absent(gap.get("mean")):
        return []
    spread = metric.interval(gap.get("low"), gap.get("high"))
    if spread == formatting.NOTHING:
        return [
            Answer("By how much?", metric.difference(gap["mean"]), f"{between}."),
            _without_interval(results, row),
        ]
    # The verdict may use more than this interval, so it decides.
    beyond = results.content["verdict"]["kind"] != "unclear"
    zero = "includes zero" if gap["low"] <= 0 <= gap["high"] else "excludes zero"
    p = p_value(row)
    chance = "" if formatting.absent(p) else f", p {formatting.p_value(p, sign=True)}"
    return [
        Answer(
            "By how much?",
            metric.difference(gap["mean"]),
            f"{between}; {results.level} interval {spread}.",
        ),
        Answer(
            "Beyond chance?",
            "Yes" if beyond else "Not shown",
            f"The interval over {results.seeds} paired {results.pair}s {zero}{chance}.",
        ),
    ]


def _without_interval(results: Results, row: JsonObject | None) -> Answer:
    """Answer without an interval: one seed, or differences that are equal for all seeds."""
    p = p_value(row)
    if results.seeds == 1 or formatting.absent(p):
        return Answer("Beyond chance?", "Unknown", "One seed gives no interval.")
    return Answer(
        "Beyond chance?",
        "Yes" if results.content["verdict"]["kind"] != "unclear" else "Not shown",
        f"The difference is the same for all {results.seeds} paired {results.pair}s, so it has no "
        f"interval, p {formatting.p_value(p, sign=True)}.",
    )


def _cost(results: Results) -> Answer:
    question, row, base = "What did it cost?", results.winner or {}, results.label(results.baseline)
    passes, ratio = results.passes(row), results.relative_passes(row)
    wall = f"wall time {formatting.duration(seconds(row))}"
    if passes is None:
        return Answer(question, formatting.duration(seconds(row)), "wall time of one training.")
    if ratio is None or row is results.baseline:
        count = f"{formatting.count(passes)} passes"
        of = " over the training data" if results.external else " of examples"
        return Answer(question, count, f"{of.strip()} for one training; {wall}.")
    theirs = results.baseline or {}
    if (slower := results.relative_time(row)) is not None:
        wall += f", {formatting.times(slower)} that of {base} on an idle machine"
    elif seconds(theirs):
        wall += f" instead of {formatting.duration(seconds(theirs))}"
    sentence = (
        f"the passes of {base}: {formatting.count(passes)} for one training instead of "
        f"{formatting.count(results.passes(theirs))}; {wall}."
    )
    return Answer(question, formatting.times(ratio), sentence)
