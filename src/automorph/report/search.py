"""The report of a search: what was found, what it rests on, and how the search went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from automorph.report import curves, figures, formatting, sections
from automorph.report.comparison import compare_page
from automorph.report.figures import FigureRow
from automorph.report.page import Answer, Definitions, Page, PageTable, Part, Section, figure
from automorph.report.summary import answers
from automorph.report.view_model import Found, Results

SHOWN, EFFECTS = 12, 8
"""Most arms of a heat in its table; effects shown from either end."""


def search_page(result: Found) -> Page:
    """The page of a search; ``result`` is that of `compare_page`, and ``search`` tells the rest.

    ``search``: ``method``, ``space``, ``tail``, ``tried``, ``failed``, ``trainings`` (its cost in
    plain trainings), ``seconds``, ``engine``, ``longer``, ``stopped``, ``trace`` (for each trial
    ``trainings``, ``score`` and ``best``), ``course`` and ``effects`` (see
    `automorph.searchers.trial_analysis`) and ``story`` (of a race: ``searches`` and ``heats``).
    """
    found = result["search"]
    page, results = compare_page(result), Results(result)
    parts = [_table_section(page.sections[0], found), _search(found), *page.sections[1:]]
    notes = ["The budget ended the search before it was done."] if found["stopped"] else []
    if results.seeds < found.get("seeds", 0):
        notes.append(
            f"The budget allowed {results.seeds} of {found['seeds']} seeds for the final table; a "
            "longer one narrows the intervals."
        )
    return replace(
        page,
        title=f"The augmentation found for {result['data']['source']}",
        kicker=f"Search with {found['method']}",
        badge="" if page.badge == "" else page.badge.replace("the baseline", "no augmentation"),
        answers=_answers(results, found),
        warnings=[*page.warnings, *notes],
        sections=parts,
    )


def _answers(results: Results, found: Mapping[str, Any]) -> list[Answer]:
    asked = answers(results)
    if not asked or results.winner is None:
        return []
    accuracy = formatting.percent(results.winner["accuracy"]["mean"])
    what = Answer(
        "What was found?",
        results.label(results.winner),
        f"{accuracy} mean test accuracy over {formatting.plural(results.seeds, 'seed')}.",
    )
    cost = Answer(
        "What did the search cost?",
        f"{found['trainings']:.1f} trainings",
        f"{formatting.plural(found['tried'], 'trial')}; "
        f"{formatting.duration(found['seconds'])} with the final table.",
    )
    return [what, *asked[1:-1], cost]


def _table_section(results: Section, found: Mapping[str, Any]) -> Section:
    text = (
        "All rows share their seeds. The tail alone, a random policy of the same space, RandAugment"
        " and TrivialAugment need no search; the row that trains"
        f" {found['longer']} times as long says what the time of a search can buy without one. The"
        " search never saw the test part; here it was used once for each training. Nothing in this"
        " table was chosen by its validation column."
    )
    return replace(results, text=[text])


def _search(found: Mapping[str, Any]) -> Section:
    parts: list[Part] = []
    trace = found.get("trace") or []
    if len(trace) > 1:
        # The best stays what it was until a trial has ended.
        spent = [one["trainings"] for one in trace]
        scores = [100 * one["best"] for one in trace]
        places = [spent[0], *(place for one in spent[1:] for place in (one, one))]
        steps = [*(score for one in scores[:-1] for score in (one, one)), scores[-1]]
        best = curves.Curve("best so far", places, [steps], 1)
        last = trace[-1]
        parts.append(
            figure(
                partial(curves.curves, across="cost in plain trainings"),
                [best],
                axis="Best validation accuracy, %",
                label="Best score against cost; at the end "
                f"{formatting.percent(last['best'])} after "
                f"{last['trainings']:.1f} plain trainings.",
                caption="The best score of any trial so far, against what the search had cost.",
            )
        )
    parts += _course(found.get("course"), found["method"])
    parts += _effects(found.get("effects") or ())
    story = found.get("story") or {}
    parts += [part for part in (_searches(story), *_heats(story)) if part is not None]
    budget, trials = found.get("budget"), found.get("trials")
    facts = {
        "Method": found["method"],
        "Space": found["space"],
        "Tail": found["tail"],
        "Budget": budget or (f"{trials} trials" if trials else "the usual number of trials"),
        "Trials": found["tried"],
        "Failed": found["failed"] or None,
        "Cost": f"{found['trainings']:.1f} plain trainings",
        "Left out": ", ".join(story.get("left_out") or ()) or None,
        "Engine": found["engine"],
    }
    parts.append(Definitions({name: fact for name, fact in facts.items() if fact is not None}))
    text = (
        "Scores are validation accuracies of children: short or whole trainings of the same model."
        " A backward pass counts as two forward passes."
    )
    return Section("The search", parts, [text])


def _course(told: Mapping[str, Any] | None, method: str) -> list[Part]:
    """What was tried from trial to trial, or what the best trial learned."""
    if not told:
        return []
    caption = f"How often an example gets each operation, {told['across']} by {told['across']}"
    if told["across"] != "trial":
        caption += ", in the trial with the best score"
    elif told["over"] > 1:
        caption += f": the mean of the last {told['over']} policies"
    return sections.course(method, told["places"], told["operations"], caption, told["across"])


def _effects(told: Sequence[Mapping[str, Any]]) -> list[Part]:
    if not told:
        return []
    shown = [*told[:EFFECTS], *told[max(EFFECTS, len(told) - EFFECTS) :]]
    rows = [
        FigureRow(
            one["operation"], 100 * one["mean"], 100 * one["low"], 100 * one["high"],
            colour=1, words=formatting.points(one["mean"]),
        )
        for one in shown
    ]  # fmt: skip
    spoken = "; ".join(f"{row.label} {row.words}" for row in rows)
    caption = (
        f"Operations and scores in {told[0]['trials']} trials: the mean score of those that used "
        "an operation more than the median trial, less that of the others, with its 95% interval. "
        "Not corrected for their number, and no proof: a search does not try by chance."
    )
    return [
        figure(
            figures.differences, rows, axis="Difference of scores, points", caption=caption,
            label=f"Difference of scores with more of an operation, in points: {spoken}.",
        )
    ]  # fmt: skip


def _searches(story: Mapping[str, Any]) -> PageTable | None:
    found: Sequence[Mapping[str, Any]] = story.get("searches") or ()
    if not found:
        return None
    rows = [
        [
            one["name"],
            str(one["trials"]),
            f"{one['trainings']:.1f}",
            formatting.percent(one.get("best")),
            one["found"] or formatting.NOTHING,
        ]
        for one in found
    ]
    columns = ["Search", "Trials", "Trainings", "Best score", "What it proposed"]
    caption = "The searches that proposed policies; scores of different searches may not compare"
    return PageTable(columns, rows, caption, numbers=(1, 2, 3))


def _heats(story: Mapping[str, Any]) -> list[PageTable]:
    tables = []
    for number, heat in enumerate(story.get("heats") or (), 1):
        rows = [
            [one["name"], one["by"], formatting.percent(one["score"])]
            for one in heat["arms"][:SHOWN]
        ]
        caption = (
            f"Heat {number}: {formatting.plural(len(heat['arms']), 'arm')} "
            f"up to epoch {heat['epochs']},"
            f" {formatting.plural(heat['seeds'], 'paired seed')}"
        )
        tables.append(PageTable(["Arm", "From", "Score"], rows, caption, numbers=(2,)))
    return tables
