"""Audits by cross-validation: every example is predicted by networks that have not seen it."""

import numpy as np
import pytest

import automorph
from automorph.errors import UsageError
from automorph.robustness.audit_folds import averaged
from automorph.robustness.audit_result import measure
from automorph.robustness.groups import Grouper

RNG = np.random.default_rng(0)
DATA = (RNG.integers(0, 256, (60, 8, 8, 1), np.uint8), np.arange(60) % 2, np.arange(60) // 2 % 2)
QUICK = {"model": "cnn:4", "recipe": {"epochs": 1}, "progress": False}


def test_an_audit_by_folds_measures_all_examples_and_resumes(tmp_path):
    first = automorph.audit(DATA, folds=3, repeats=2, folder=tmp_path, **QUICK)
    assert (first.n, first.facts["part"]) == (60, "out-of-fold")
    assert len([*tmp_path.glob("fold-*/model.safetensors")]) == 6
    assert first.overconfidence is not None
    again = automorph.audit(DATA, folds=3, repeats=2, folder=tmp_path, **QUICK)
    assert again.to_dict() == first.to_dict()
    assert any("means over 2 repeats" in note for note in first.notes)


def test_repeats_are_averaged_and_their_p_values_stay_valid():
    grouper = Grouper(("cat", "dog"), ("day", "night"))
    labels, groups = np.repeat([0, 1], 200), np.repeat([0, 1, 2, 3], 100)
    good, bad = labels.copy(), labels.copy()
    bad[:40] = 1
    audits = [measure(labels, one, groups, grouper) for one in (good, bad)]
    mean = averaged(audits, rate=0.05)
    assert mean.accuracy.value == pytest.approx(0.95)
    assert mean.worst.accuracy == pytest.approx(0.8)
    assert mean.groups[0].p == pytest.approx(min(1, audits[0].groups[0].p + audits[1].groups[0].p))
    assert not mean.groups[0].alarm  # One repeat of two has no failure at all.
    assert averaged([audits[1], audits[1]], rate=0.05).groups[0].alarm
    assert averaged(audits[1:], rate=0.05) is audits[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": 3, "discover": True}, "got folds and discover; expected folds alone"),
        ({"folds": 3, "part": "test"}, "got folds and a part"),
        ({"folds": 3, "predictions": np.zeros(60, int)}, "got folds and predictions"),
        ({"repeats": 3}, "got 3 repeats without folds"),
    ],
)
def test_what_does_not_go_with_folds_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        automorph.audit(DATA, **options)
