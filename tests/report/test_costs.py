"""Costs are shown in passes, from counts; wall times have a ratio on an idle machine only."""

from __future__ import annotations

from typing import Any

import pytest
from comparisons import comparison, search

from automorph.experiments import Row, summarise
from automorph.report import compare_page, render, search_page
from automorph.report.page import PageTable
from automorph.report.view_model import Results
from automorph.training import Units


def result(busy: float | None = None, **more: Any) -> dict[str, Any]:
    """Three policies whose trainings take 24,000, 32,000 and 40,000 passes."""
    made = comparison(("none", "crop", "uncertainty"))
    for row in made["rows"]:
        row["seconds"] |= {"busy": busy} if busy is not None else {}
        row |= more
    return made


def table(made: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, list[str]], str]:
    """The cells of costs of the table, the notes below them, and its caption."""
    shown = next(p for p in compare_page(made).sections[0].parts if isinstance(p, PageTable))
    assert shown.columns[-2:] == ["Passes", "Wall time"]
    rows = {row[0].text: row[-2:] for row in map(shown.cells, shown.rows)}
    texts = {name: [cell.text for cell in cells] for name, cells in rows.items()}
    return texts, {n: [cell.note for cell in cells] for n, cells in rows.items()}, shown.caption


def cost(made: dict[str, Any]) -> tuple[str, str]:
    found = next(a for a in compare_page(made).answers if a.question == "What did it cost?")
    return found.short, found.sentence


def test_passes_and_their_ratio_do_not_depend_on_times() -> None:
    slow = result(busy=0.6)
    for row in slow["rows"]:
        row["seconds"] |= {"mean": 100.0 * row["seconds"]["mean"] ** 3}
    for made in (result(), slow):
        texts, notes, _ = table(made)
        assert {name: texts[name][0] for name in texts} == {
            "none": "24,000", "crop": "32,000", "uncertainty": "40,000",
        }  # fmt: skip
        assert {name: notes[name][0] for name in notes} == {
            "none": "", "crop": "1.3 ×", "uncertainty": "1.7 ×",
        }  # fmt: skip
        assert cost(made)[0] == "1.7 ×"
        assert "40,000 for one training instead of 24,000" in cost(made)[1]


@pytest.mark.parametrize(
    ("busy", "words"),
    [
        (None, "not known whether the machine was idle"),  # A run of an older version.
        (0.43, "other work used up to 43% of the machine"),
        (0.04, ""),
    ],
)
def test_wall_times_have_a_ratio_on_an_idle_machine_only(busy: float | None, words: str) -> None:
    made = result(busy)
    texts, notes, caption = table(made)
    assert texts["uncertainty"][1] == "3.8 s"
    assert notes["uncertainty"][1] == ("1.2 ×" if words == "" else "")
    assert caption.endswith(f"{words}." if words else "; wall time.")
    assert ("idle machine" in cost(made)[1]) == (words == "")
    assert "instead of 3.2 s" in cost(made)[1] or words == ""
    render(compare_page(made))


def test_one_busy_training_is_enough_to_leave_the_ratios_out() -> None:
    made = result(0.02)
    made["rows"][1]["seconds"]["busy"] = 0.5
    _, notes, caption = table(made)
    assert notes["crop"][1] == ""
    assert notes["uncertainty"][1] == "1.2 ×"
    assert "up to 50% of the machine" in caption
    made["rows"][0]["seconds"]["busy"] = 0.5
    assert not any(note[1] for note in table(made)[1].values())


def test_unknown_passes_leave_the_wall_time() -> None:
    made = result(units={})
    assert table(made)[0]["none"] == ["–", "3.2 s"]
    assert cost(made) == ("3.8 s", "wall time of one training.")


def test_the_baseline_costs_its_passes() -> None:
    made = result()
    made["winner"] = "none"
    assert cost(made) == ("24,000 passes", "of examples for one training; wall time 3.2 s.")


def test_passes_of_the_users_own_training_are_those_over_the_data() -> None:
    made = result(units={"passes": 36}, trained_by={})
    made["trained_by"] = {}
    texts, _, caption = table(made)
    assert texts["crop"][0] == "12"
    assert "passes over the training data" in caption


def test_pages_and_trainings_define_a_pass_alike() -> None:
    units = {"forward": 1800, "backward": 600}
    row = Row("crop", summarise([0.5, 0.6]), units=units)
    assert row.passes == Units(**units).passes / 2 == Results({"seeds": [0, 1]}).passes(vars(row))


def test_rows_of_older_versions_have_the_same_keys() -> None:
    seconds = summarise([3.0])
    plain = Row("crop", summarise([0.5]), seconds=seconds).to_dict()
    assert "busy" not in plain
    assert plain["seconds"].keys() == vars(seconds).keys()
    measured = Row("crop", summarise([0.5]), seconds=seconds, busy=0.0)
    assert measured.to_dict() == {**plain, "seconds": {**plain["seconds"], "busy": 0.0}}
    assert measured == Row("crop", summarise([0.5]), seconds=seconds)


def test_a_search_shows_its_plan_and_how_to_repeat_it() -> None:
    made = search()
    old = render(search_page(made))
    assert "To repeat it exactly" not in old
    command = "automorph search digits --trials 53 --seeds 3 --longer 2"
    made["search"] |= {
        "plan": {"trials": 53, "seeds": 3, "longer": 2, "pace": 20.0, "passes": 84_800},
        "passes": 81_234.0, "repeat": command,
    }  # fmt: skip
    text = render(search_page(made))
    assert command in text
    assert "81,234 passes of examples" in text
    assert "53 trials, then 3 paired seeds and a control 2 times as long" in text
