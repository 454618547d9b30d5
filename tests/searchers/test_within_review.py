"""What a search recommends keeps to what a person ruled out."""

from __future__ import annotations

import pytest

from automorph.experiments import Advice, Verdict
from automorph.operations import named_space
from automorph.policies import Mark, drawable, load_policy, marked_space
from automorph.searchers.portfolio import beyond
from automorph.searchers.within_review import within_review

USUAL = load_policy("flip-crop + trivialaugment")
TREATMENTS = {
    "none": load_policy("none"),
    "tail": load_policy("flip-crop"),
    "trivialaugment": USUAL,
}


def recommended(part, marks, space="randaugment"):
    advice = Advice("too few", part, "Too few examples to tell.")
    verdict = Verdict("unclear", "Too few examples to tell. The search cost 7.6 plain trainings.")
    reviewed = marked_space(named_space(space), marks)
    return reviewed, *within_review(verdict, advice, TREATMENTS, reviewed)


def test_a_default_with_an_operation_that_was_ruled_out_is_drawn_from_the_review():
    space, verdict, advice = recommended("trivialaugment", {"Solarize": Mark(never=True)})
    own = advice.instead
    assert own.name == "flip-crop + trivialaugment(space=own:randaugment-reviewed)"
    assert {*space.names} < {one.name for one in drawable(own)} | {"Identity"}
    assert not beyond(own, space)
    assert verdict.text == (
        "Too few examples to tell. But you ruled out Solarize, which flip-crop + trivialaugment "
        f"may apply: {own.name} keeps to your review, and is not in this table. "
        "The search cost 7.6 plain trainings."
    )


def test_flips_that_were_ruled_out_leave_the_crop():
    marks = {"HorizontalFlip": Mark(never=True)}
    _, _, advice = recommended("tail", marks, "everything")
    assert advice.instead == load_policy("crop")


@pytest.mark.parametrize("part", ["found", "none", "tail"])
def test_what_keeps_to_the_review_stays(part):
    _, verdict, advice = recommended(part, {"Solarize": Mark(never=True)})
    assert advice.instead is None
    assert "ruled out" not in verdict.text
