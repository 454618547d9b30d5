"""The report of a search: the policy found, the evidence, and the course of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from automorph.report import curves, figures, formatting, sections
from automorph.report.comparison import compare_page
from automorph.report.figures import FigureRow
from automorph.report.metric_words import MetricWords
from automorph.report.nested_search import OF_COURSE, OF_TABLE, kept_answer, picks_section
from automorph.report.page import Answer, Code, Definitions, Page, PageTable, Part, Section, figure
from automorph.report.summary import answers
from automorph.report.view_model import JsonObject, Results

SHOWN, EFFECTS = 12, 8
"""Maximum policies of a heat in its table; number of effects shown from either end."""


def search_page(result: JsonObject) -> Page:
    """Make the page of a search; ``result`` is that of `compare_page` with the key ``search``.

    ``search``: ``method``, ``space``, ``tail``, ``tried``, ``failed``, ``trainings`` (its cost in
    plain trainings), ``seconds``, ``engine``, ``longer``, ``stopped``, ``trace`` (for each trial
    ``trainings``, ``score`` and ``best``), ``course`` and ``effects`` (see
    `automorph.searchers.trial_analysis`) and ``story`` (of a race: ``searches`` and ``heats``).
    Searches since version 0.2 also have ``plan`` and ``passes`` and, with a budget of time,
    ``repeat``: the command that does the same without a clock. With folds, ``nested`` has the
    policy that is ``kept``, and the ``picks`` of the folds.
    """
    search = result["search"]
    page, results, nested = compare_page(result), Results(result), search.get("nested")
    parts = [
        _table_section(page.sections[0], search, results),
        *([picks_section(nested, results)] if nested else []),
        _search(search, results.metric),
        *page.sections[1:],
    ]
    notes = (
        ["The time budget ended the search before it was complete."] if search["stopped"] else []
    )
    asked = search.get("seeds", 0)
    if isinstance(asked, int) and results.seeds < asked:
        notes.append(
            f"The budget allowed {results.seeds} of {asked} seeds in the final table; a larger "
            "budget narrows the intervals."
        )
    return replace(
        page,
        title=f"Search for augmentation on {result['data']['source']}",
        kicker=f"Search with {search['method']}",
        badge="" if page.badge == "" else page.badge.replace("the baseline", "no augmentation"),
        answers=_answers(results, search),
        warnings=[*page.warnings, *notes],
        sections=parts,
    )


def _answers(results: Results, search: Mapping[str, Any]) -> list[Answer]:
    asked = answers(results)
    if not asked or results.winner is None:
        return []
    metric = results.metric
    accuracy = metric.value(results.winner["accuracy"]["mean"])
    what = Answer(
        "Which policy was found?",
        results.label(results.winner),
        f"{accuracy} mean {metric.part} {metric.name} over "
        f"{formatting.plural(results.seeds, 'seed')}.",
    )
    if (nested := search.get("nested")) is not None:
        what = kept_answer(nested)
        gain = "What does choosing in this way gain?"
        asked = [
            replace(one, question=gain) if place == 1 else one for place, one in enumerate(asked)
        ]
    cost = Answer(
        f"What did the search{'es' * (nested is not None)} cost?",
        f"{search['trainings']:.1f} trainings",
        f"{formatting.plural(search['tried'], 'trial')}; wall time "
        f"{formatting.duration(search['seconds'])} including the final table.",
    )
    return [what, *asked[1:-1], cost]


def _table_section(section: Section, search: Mapping[str, Any], results: Results) -> Section:
    if "nested" in search:
        return replace(section, text=[OF_TABLE])
    text = _seeds(search.get("seeds"), results) + "Rows other than the chosen one need no search. "
    if any("times as long" in results.label(row) for row in results.rows):
        text += (
            f"The row that trains {search['longer']} times as long shows what the time spent on a "
            "search achieves without one. "
        )
    if results.metric.part == "test":
        text += (
            "The search never used the test part; this table used it once for each training. "
            "The validation column of this table was not used for any choice."
        )
    else:
        text += (
            "There are no test values: the search used the same validation data, so the row of "
            "its policy is favoured."
        )
    if kept := search.get("network"):
        text += (
            f" The run folder keeps, in network/, what was trained with the advised policy: {kept}."
        )
    return replace(section, text=[text])


def _seeds(asked: Any, results: Results) -> str:
    """Say how many seeds the rows have, and when they stopped."""
    if not isinstance(asked, str):
        return "All rows use the same seeds. "
    first, _, cap = asked.partition("-")
    end = (
        f"ended after {results.seeds} of at most {cap}, because the validation part told the "
        "policy found and its alternatives clearly apart"
        if results.seeds < int(cap)
        else f"used all {cap}"
    )
    return (
        f"All rows are trained under the same seeds, which were added from {first} on; the table "
        f"{end}. Intervals and p-values allow for these looks (O'Brien-Fleming type, Lan and "
        "DeMets 1983), so they are wider than those of a fixed number of seeds. "
    )


def _search(search: Mapping[str, Any], metric: MetricWords) -> Section:
    cost = search.get("cost")
    parts: list[Part] = []
    trace = search.get("trace") or []
    if len(trace) > 1:
        # A step curve: the best score changes when a trial ends.
        spent = [one["trainings"] for one in trace]
        scores = [metric.factor * metric.sign * one["best"] for one in trace]
        places = [spent[0], *(place for one in spent[1:] for place in (one, one))]
        steps = [*(score for one in scores[:-1] for score in (one, one)), scores[-1]]
        best = curves.Curve("best so far", places, [steps], 1)
        last = trace[-1]
        parts.append(
            figure(
                partial(curves.curves, across="cost in plain trainings"),
                [best],
                axis=metric.axis_of(f"Best validation {metric.name}"),
                label=f"Best score by cost; the final value is {metric.of_score(last['best'])} "
                f"after {last['trainings']:.1f} plain trainings.",
                caption="Best score of any trial so far, by the cost of the search so far.",
            )
        )
    parts += _course(search.get("course"), search["method"])
    parts += _effects(search.get("effects") or (), metric)
    story = search.get("story") or {}
    parts += [
        part for part in (_searches(story, metric), *_heats(story, metric)) if part is not None
    ]
    budget, trials = search.get("budget"), search.get("trials")
    total = f"{search['trainings']:.1f} plain trainings"
    if "passes" in search:
        total += f", {formatting.count(search['passes'])} passes of examples" * (cost is None)
    facts = {
        "Method": search["method"],
        "Space": search["space"],
        "Post-policy": search["tail"],
        "Budget": budget or (f"{trials} trials" if trials else "default number of trials"),
        "Plan": _plan(search),
        "To repeat it exactly": Code(search["repeat"]) if "repeat" in search else None,
        "Trials": search["tried"],
        "Failed": search["failed"] or None,
        "Cost": total,
        "Left out": ", ".join(story.get("left_out") or ()) or None,
        "Engine": search["engine"],
    }
    parts.append(Definitions({name: fact for name, fact in facts.items() if fact is not None}))
    text = (
        "Scores are validation accuracies of short or full trainings of the same model. A pass is "
        "one example forward and backward through the network; a forward pass alone is a third."
        if cost is None
        else f"Scores are values of {metric.name} on the validation data. {cost}"
    )
    more = [OF_COURSE] if "nested" in search else []
    return Section("The search", parts, [text, *more])


def _plan(search: Mapping[str, Any]) -> str | None:
    """Say what a budget of time became when the search began."""
    plan = search.get("plan") or {}
    if plan.get("trials") is None:
        return None
    if "nested" in search:
        return (
            f"{formatting.plural(plan['trials'], 'trial')} in each search; one training took "
            f"{formatting.duration(plan['pace'])} where it was measured"
        )
    most = "at most " if isinstance(search.get("seeds"), str) else ""
    longer = f" and a control {plan['longer']} times as long" if plan["longer"] > 1 else ""
    return (
        f"{formatting.plural(plan['trials'], 'trial')}, then {most}"
        f"{formatting.plural(plan['seeds'], 'paired seed')}{longer}; one training took "
        f"{formatting.duration(plan['pace'])} where it was measured"
    )


def _course(course: Mapping[str, Any] | None, method: str) -> list[Part]:
    """Draw the usage of operations over the trials, or during the best trial."""
    if not course:
        return []
    caption = f"Fraction of examples transformed by each operation, by {course['across']}"
    if course["across"] != "trial":
        caption += ", in the trial with the best score"
    elif course["over"] > 1:
        caption += f": the mean of the last {course['over']} policies"
    return sections.course(
        method, course["places"], course["operations"], caption, course["across"]
    )


def _effects(effects: Sequence[Mapping[str, Any]], metric: MetricWords) -> list[Part]:
    if not effects:
        return []
    factor = metric.factor
    shown = [*effects[:EFFECTS], *effects[max(EFFECTS, len(effects) - EFFECTS) :]]
    rows = [
        FigureRow(
            one["operation"], factor * one["mean"], factor * one["low"], factor * one["high"],
            colour=1, words=metric.difference(one["mean"]),
        )
        for one in shown
    ]  # fmt: skip
    spoken = "; ".join(f"{row.label} {row.words}" for row in rows)
    in_points = ", in points" if metric.share else ""
    caption = (
        f"Operations and scores in {effects[0]['trials']} trials: the mean score of those that "
        "used an operation more than the median trial, minus that of the others, with its 95% "
        "interval. These differences are not corrected for the number of operations, and not "
        "causal, because a search does not choose its trials at random."
    )
    return [
        figure(
            figures.differences, rows, caption=caption,
            axis="Difference of scores" + (", points" if metric.share else ", higher is better"),
            label=f"Difference of scores with more of an operation{in_points}: {spoken}.",
        )
    ]  # fmt: skip


def _searches(story: Mapping[str, Any], metric: MetricWords) -> PageTable | None:
    searches: Sequence[Mapping[str, Any]] = story.get("searches") or ()
    if not searches:
        return None
    rows = [
        [
            one["name"],
            str(one["trials"]),
            f"{one['trainings']:.1f}",
            metric.of_score(one.get("best")),
            one["found"] or formatting.NOTHING,
        ]
        for one in searches
    ]
    columns = ["Search", "Trials", "Trainings", "Best score", "Proposed policy"]
    caption = "Searches that proposed policies; scores of different searches may not be comparable"
    return PageTable(columns, rows, caption, numbers=(1, 2, 3))


def _heats(story: Mapping[str, Any], metric: MetricWords) -> list[PageTable]:
    tables = []
    for number, heat in enumerate(story.get("heats") or (), 1):
        if "against" in heat:
            tables.append(_rung(number, heat, metric))
            continue
        rows = [
            [one["name"], one["by"], metric.of_score(one["score"])] for one in heat["arms"][:SHOWN]
        ]
        caption = (
            f"Heat {number}: {formatting.plural(len(heat['arms']), 'policy', 'policies')} "
            f"up to epoch {heat['epochs']},"
            f" {formatting.plural(heat['seeds'], 'paired seed')}"
        )
        tables.append(PageTable(["Policy", "Proposed by", "Score"], rows, caption, numbers=(2,)))
    return tables


def _rung(number: int, rung: Mapping[str, Any], metric: MetricWords) -> PageTable:
    """Return the candidates of a rung of a race, with their gains in the Brier score if known."""
    caption = (
        f"Rung {number}: {formatting.plural(len(rung['arms']), 'policy', 'policies')} up to epoch "
        f"{rung['epochs']}, {formatting.plural(rung['seeds'], 'split')}"
    )
    arms = rung["arms"][:SHOWN]
    if not all("brier" in one for one in arms):
        rows = [[one["name"], metric.of_score(one["score"])] for one in arms]
        return PageTable(["Policy", "Score"], rows, caption, numbers=(1,))
    rows = [
        [
            one["name"],
            metric.of_score(one["score"]),
            f"{one['gain']:+.3f}",
            f"{one['error']:.3f}",
        ]
        for one in arms
    ]
    caption += (
        f"; gains over {rung['against']} in the mean Brier score of a validation example, and "
        "standard errors of the differences from the first policy"
    )
    columns = ["Policy", "Score", "Gain", "Standard error"]
    return PageTable(columns, rows, caption, numbers=(1, 2, 3))
