"""The comparison page: correct conclusions in words, all sections, every edge case."""

from __future__ import annotations

from typing import Any

import pytest
from comparisons import LONG, TEN, comparison

from automorph.report import Page, compare_page, render
from automorph.report.page import PageTable, Part


def answer(page: Page, question: str) -> tuple[str, str]:
    found = next(one for one in page.answers if one.question == question)
    return found.short, found.sentence


def part(page: Page, kind: str, section: str = "Results") -> Any:
    parts: list[Part] = [p for s in page.sections if s.title == section for p in s.parts]
    return next(one for one in parts if one.kind == kind)


def columns(table: PageTable) -> list[list[str]]:
    return [[cell.text for cell in table.cells(row)] for row in table.rows]


def test_a_clear_winner_is_told_in_words() -> None:
    result = comparison()
    page = compare_page(result)
    best = next(row for row in result["rows"] if row["policy"] == result["winner"])
    assert page.title == "5 policies compared on digits"
    assert (page.verdict, page.badge) == ("better", "Better than the baseline")
    assert answer(page, "Which policy won?")[0] == "randaugment(n=1,m=5)"
    assert f"{100 * best['accuracy']['mean']:.2f}%" in answer(page, "Which policy won?")[1]
    assert answer(page, "By how much?")[0] == f"+{100 * best['difference']['mean']:.2f}"
    assert answer(page, "Beyond chance?")[0] == "Yes"
    assert "p = 0.008" in answer(page, "Beyond chance?")[1]  # the corrected one
    assert answer(page, "What did it cost?")[0] == "1.7 ×"
    assert page.commands == result["next"]
    assert [section.title for section in page.sections] == [
        "Results",
        "Class by class",
        "Training curves",
        "Correct and incorrect predictions",
        "What the policies do",
        "Policies",
        "Comparison setup",
    ]


def test_no_clear_winner_is_not_called_one() -> None:
    page = compare_page(comparison(gain=0.0))
    assert page.badge == "No clear difference"
    assert page.answers[0].question == "Which policy came first?"


def test_the_verdict_has_the_last_word_about_chance() -> None:
    result = comparison()
    result["verdict"]["kind"] = "unclear"
    assert answer(compare_page(result), "Beyond chance?")[0] == "Not shown"


def test_one_seed_claims_nothing() -> None:
    page = compare_page(comparison(seeds=1))
    assert answer(page, "Beyond chance?")[0] == "Unknown"
    assert any("one seed" in warning for warning in page.warnings)
    assert "±" not in render(page).split("</style>")[1]


def test_one_policy_needs_no_baseline() -> None:
    page = compare_page(comparison(("none",)))
    assert page.title == "1 policy on digits"
    assert page.badge == ""
    assert [one.question for one in page.answers] == [
        "Which policy came first?",
        "What did it cost?",
    ]


def test_the_baseline_may_win() -> None:
    page = compare_page(comparison(gain=-0.02))
    assert answer(page, "Which policy came first?")[0] == "none"
    assert "the best other policy" in answer(page, "By how much?")[1]
    assert answer(page, "By how much?")[0].startswith("−")
    table = part(page, "table")
    assert table.cells(table.rows[0])[0].tag == "best on validation, baseline"


def test_failed_policies_say_why() -> None:
    page = compare_page(comparison(TEN, failed=("random", LONG)))
    assert page.warnings == [f"No result for random and {LONG}; the table gives the reason."]
    lines = columns(part(page, "table"))
    assert len(lines) == 10
    assert lines[-1] == [LONG, "Failed: loss is nan in epoch 3"]


def test_a_failed_baseline_leaves_accuracies() -> None:
    result = comparison(("a", "b"))
    result["rows"][0] = {"policy": "a", "error": "out of memory"}
    result["rows"][1]["difference"] = None
    page = compare_page(result)
    assert (
        answer(
            page, "Which policy came first?" if page.verdict != "better" else "Which policy won?"
        )[0]
        == "b"
    )
    assert columns(part(page, "table"))[0][3] == "–"
    render(page)


def test_all_failed_is_still_a_page() -> None:
    result = comparison(("none", "random"), failed=("none", "random"))
    page = compare_page(result)
    assert page.answers == []
    assert "Failed: loss is nan" in render(page)


def test_rows_stand_by_rank_with_the_chosen_one_marked() -> None:
    table = part(compare_page(comparison()), "table")
    lines = columns(table)
    assert [line[2] for line in lines] == sorted((line[2] for line in lines), reverse=True)
    assert table.chosen == 0
    heads = [table.cells(row)[0] for row in table.rows]
    assert {head.text: head.tag for head in heads if head.tag} == {
        "randaugment(n=1,m=5)": "best on validation",
        "none": "baseline",
    }


def test_each_policy_has_one_colour_over_the_page() -> None:
    page = compare_page(comparison())
    table = part(page, "table")
    heads = {cell.text: cell.colour for cell in (table.cells(row)[0] for row in table.rows)}
    strips = {one.name: one.colour for s in page.sections for one in s.parts if one.kind == "strip"}
    blocks = {
        one.name: one.colour for s in page.sections for one in s.parts if one.kind == "policy"
    }
    assert heads == strips == blocks
    assert heads["none"] == 0
    assert heads["randaugment(n=1,m=5)"] == 1


SECTIONS = {
    "curves": "Training curves",
    "previews": "What the policies do",
    "policies": "Policies",
}
"""The sections that use one part of the result."""


@pytest.mark.parametrize(
    "missing", ["curves", "previews", "policies", "provenance", "next", "recipe", "parameters"]
)
def test_optional_parts_may_be_missing(missing: str) -> None:
    result = comparison()
    del result[missing]
    whole, page = compare_page(comparison()), compare_page(result)
    titles = [section.title for section in whole.sections if section.title != SECTIONS.get(missing)]
    assert [section.title for section in page.sections] == titles
    assert page.answers == whole.answers
    assert columns(part(page, "table")) == columns(part(whole, "table"))
    shown = render(page)
    assert all(f"{title}</h2>" in shown for title in titles)
    assert "None" not in shown


def test_skipped_examples_are_told() -> None:
    result = comparison()
    result["data"]["skipped"] = [{"name": "a.png"}, {"name": "b.png"}]
    assert compare_page(result).warnings[0].startswith("2 examples could not be read")


def test_one_epoch_is_no_curve() -> None:
    titles = [section.title for section in compare_page(comparison(epochs=1)).sections]
    assert "Training curves" not in titles


def test_the_result_is_not_changed() -> None:
    result = comparison()
    before = repr(result)
    render(compare_page(result))
    assert repr(result) == before


def test_differences_that_are_equal_for_all_seeds_are_explained() -> None:
    result = comparison()
    for row in result["rows"]:
        if row["difference"] is not None:
            row["difference"] |= {"low": None, "high": None}
    short, sentence = answer(compare_page(result), "Beyond chance?")
    assert short == "Yes"
    assert "the same for all" in sentence
    assert "One seed" not in sentence
