"""The page of a search: the policy found, its cost, and the course of the race."""

from __future__ import annotations

from comparisons import search

from automorph.report import render, search_page


def test_the_page_tells_what_was_found_and_how() -> None:
    result = search()
    before = repr(result)
    page = search_page(result)
    text = render(page)
    answers = {one.question: one.short for one in page.answers}

    assert answers["Which policy was found?"] == result["winner"]
    assert answers["What did the search cost?"] == "17.4 trainings"
    assert [section.title for section in page.sections][:2] == ["Results", "The search"]
    assert [part.kind for part in page.sections[1].parts] == [
        "figure", "figure", "figure", "table", "table", "table", "definitions",
    ]  # fmt: skip
    assert "which selects the winner" not in text
    assert "pba of 4" in text
    assert "The 9 of 12 operations that change most." in text
    assert "the mean of the last 2 policies" in text
    assert text.count("not causal, because a search does not choose its trials at random") == 1
    assert repr(result) == before


def test_a_search_of_one_trial_that_was_stopped_is_still_a_page() -> None:
    result = search()
    result["search"] |= {"trace": [], "story": {}, "stopped": True}
    page = search_page(result)
    render(page)

    assert any("budget ended the search" in warning for warning in page.warnings)


def test_a_table_that_stopped_says_when_and_which_rows_stopped_earlier() -> None:
    result = search()
    result["search"] |= {"seeds": "2-5"}
    row = next(one for one in result["rows"] if one["policy"] == "random")
    row["accuracy"]["values"] = row["accuracy"]["values"][:2]
    row["difference"] |= {"low": None, "high": None, "p": None, "p_adjusted": None}
    row["note"] = "2 seeds, stopped: far behind"
    text = " ".join(render(search_page(result)).split())

    assert "the table ended after 3 of at most 5, because the validation part told" in text
    assert "Intervals and p-values allow for these looks" in text
    assert "2 seeds, stopped: far behind" in text
    result["search"] |= {"seeds": "2-3"}
    assert "the table used all 3" in render(search_page(result))


def test_the_rungs_of_a_race_show_gains_with_their_errors() -> None:
    result = search()
    arm = {"name": "crop", "by": "portfolio", "score": 0.9, "brier": 0.2, "gain": 0.051}
    rung = {"epochs": 5, "seeds": 2, "against": "none", "arms": [{**arm, "error": 0.012}]}
    own = {**rung, "arms": [{"name": "crop", "by": "portfolio", "score": 0.9}]}
    result["search"]["story"] = {"searches": [], "left_out": [], "heats": [rung, own]}
    text = render(search_page(result))

    assert "Rung 1: 1 policy up to epoch 5, 2 splits; gains over none" in text
    assert "+0.051" in text
    assert "0.012" in text
    assert "Rung 2" in text
