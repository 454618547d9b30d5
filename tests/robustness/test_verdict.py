"""The verdict of a patch."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from automorph.data import from_arrays
from automorph.experiments import paired_difference, summarise
from automorph.robustness.audit_result import measure
from automorph.robustness.groups import Grouper
from automorph.robustness.model_card import model_card
from automorph.robustness.patch_result import TreatmentRow, judge


def audit(robust: float, accuracy: float = 0.9, only: str | None = None):
    return SimpleNamespace(
        only=only,
        robust_accuracy=robust,
        robust=SimpleNamespace(low=robust - 0.05),
        accuracy=SimpleNamespace(value=accuracy),
        worst=SimpleNamespace(class_name="bad", subgroup="yes"),
    )


def arm(name: str, values: list[float], base: list[float] | None = None) -> TreatmentRow:
    numbers = summarise(values)
    gap = None if base is None else paired_difference(values, base)
    return TreatmentRow(name, numbers, numbers, {}, numbers, numbers, numbers, gap)


@pytest.mark.parametrize("after", [0.0, 0.1])
def test_what_mends_nothing_is_not_called_needed(after):
    rows = (arm("erm", [0.0, 0.1]), arm("balanced", [0.0, 0.0]))
    verdict = judge(rows, "balanced", audit(0.1, 0.81), audit(after, 0.69), (0, 1))
    assert verdict.kind == "unclear"
    assert "No objective mended it: keep the model you have." in verdict.text
    assert "(bad, yes)" in verdict.text
    assert "suffices" not in verdict.text


def test_a_gain_within_chance_is_said_to_be_one():
    rows = (arm("erm", [0.2, 0.9]), arm("balanced", [0.5, 0.8]))
    verdict = judge(rows, "balanced", audit(0.5), audit(0.52), (0, 1))
    assert verdict.kind == "unclear"
    assert "Over plain training the gain is within chance: +10.0 points (" in verdict.text


def test_a_gain_is_a_gain():
    base = [0.80, 0.81, 0.80]
    rows = (
        arm("erm", [0.2, 0.21, 0.2]), arm("balanced", base),
        arm("camel", [0.9, 0.92, 0.91], base),
    )  # fmt: skip
    verdict = judge(rows, "camel", audit(0.2), audit(0.9), (0, 1, 2))
    assert verdict.kind == "better"
    assert "so what is added to balanced sampling pays" in verdict.text
    assert "chance" not in verdict.text


def test_a_network_that_answers_one_class_is_told_to_be_trained():
    rows = (arm("erm", [0.0, 0.0]), arm("balanced", [0.0, 0.0]))
    verdict = judge(rows, "balanced", audit(0.0, only="good"), audit(0.0, only="bad"), (0, 1))
    assert verdict.kind == "unclear"
    assert "The network before predicts only 'good' for every example: train" in verdict.text
    assert verdict.text.endswith(
        "The network after predicts only 'bad' for every example: train it longer, or lower --lr."
    )
    assert "More examples" not in verdict.text


def test_a_gain_over_a_network_that_answers_one_class_is_told_as_that():
    rows = (arm("erm", [0.0, 0.0]), arm("balanced", [0.5, 0.52]))
    verdict = judge(rows, "balanced", audit(0.0, only="good"), audit(0.51), (0, 1))
    assert "The network before predicts only 'good'" in verdict.text


@pytest.mark.parametrize(
    ("kind", "words"), [("better", "repaired with"), ("unclear", "trained with")]
)
def test_a_card_claims_no_more_than_the_verdict(kind, words):
    grouper = Grouper(("bad", "good"), ("no", "yes"))
    data = from_arrays(np.zeros((40, 4, 4, 1), np.uint8), np.arange(40) % 2,
                       subgroups=np.arange(40) // 2 % 2, classes=["bad", "good"])  # fmt: skip
    told = measure(data.train.labels, data.train.labels, grouper.of(data.train), grouper).to_dict()
    result = {
        "objective": "balanced", "verdict": {"kind": kind, "text": "Told."}, "before": told,
        "after": told, "flip_rate": {"before": None, "after": None}, "arms": [], "seeds": [0],
        "seed": 0, "notes": [], "translator": {"kind": "none"},
    }  # fmt: skip
    card = model_card(result, SimpleNamespace(model="cnn", name="d", data=data), grouper)
    assert card.splitlines()[0] == f"# cnn on d, {words} balanced"
