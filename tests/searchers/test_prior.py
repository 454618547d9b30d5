"""The prior of a race: its table, the spread between sets, and posterior means."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automorph.errors import DamagedError
from automorph.searchers.prior import PRIOR, Gain, gains_of, load_prior, posterior

SMALL = st.floats(-0.3, 0.3)
ERROR = st.floats(0.02, 0.2)


@given(SMALL, ERROR, SMALL, ERROR)
def test_the_posterior_mean_is_that_of_bayes(measured, error, mean, spread):
    gains = np.linspace(-3, 3, 20_001)
    weights = np.exp(-(((gains - measured) / error) ** 2 + ((gains - mean) / spread) ** 2) / 2)
    expected = float(gains @ weights / weights.sum())
    assert posterior(measured, error, Gain(mean, spread**2)) == pytest.approx(expected, abs=1e-6)


def test_without_a_prior_or_an_error_the_measurement_counts():
    assert posterior(0.2, 0.1, None) == 0.2
    assert posterior(0.2, 0.0, Gain(0.0, 0.01)) == 0.2


def slow_moments(gains, errors):
    """DerSimonian and Laird, written out."""
    w = [1 / e**2 for e in errors]
    mean = sum(a * g for a, g in zip(w, gains, strict=True)) / sum(w)
    q = sum(a * (g - mean) ** 2 for a, g in zip(w, gains, strict=True))
    scale = sum(w) - sum(a * a for a in w) / sum(w)
    return max(0.0, (q - (len(gains) - 1)) / scale)


@given(st.lists(st.tuples(SMALL, ERROR), min_size=3, max_size=8))
def test_the_spread_between_sets_is_that_of_moments(rows):
    gains, errors = (list(column) for column in zip(*rows, strict=True))
    made = gains_of({"crop": (gains, errors)})["crop"]
    spread = slow_moments(gains, errors)
    w = np.array([1 / (e**2 + spread) for e in errors])
    assert made.mean == pytest.approx(float(w @ gains / w.sum()), abs=1e-9)
    assert made.variance == pytest.approx(spread + 1 / w.sum())


def test_a_spread_that_is_0_by_chance_is_taken_from_the_other_candidates():
    wide, equal = [-0.3, 0.0, 0.3], [0.1, 0.1, 0.1]
    made = gains_of({"a": (wide, [0.01] * 3), "b": (equal, [0.01] * 3)})
    assert made["b"].variance > 0.03
    assert gains_of({"a": ([0.1, 0.2], [0.1, 0.1])}) == {}


def table(path, *rows):
    names = ("candidate", "set", "domain", "regime", "gain", "error", "seeds")
    content = {"rows": [dict(zip(names, row, strict=True)) for row in rows]}
    path.write_text(json.dumps(content))
    return path


def test_a_table_is_read_by_domain_and_regime_and_without_a_set(tmp_path):
    path = table(
        tmp_path / "prior.json",
        *(("crop", name, "image", "scratch", gain, 0.01, 3)
          for name, gain in (("a", 0.1), ("b", 0.2), ("c", 0.3), ("d", 0.9))),
        ("crop", "a", "image", "frozen", -0.5, 0.01, 3),
    )  # fmt: skip
    assert load_prior("image", "scratch", path=path)["crop"].mean > 0.3
    assert load_prior("image", "scratch", path=path, without=["d"])["crop"].mean < 0.21
    assert load_prior("image", "frozen", path=path) == {}
    assert load_prior("text", "scratch", path=path) == {}


def test_a_damaged_table_is_refused(tmp_path):
    for content in ("{}", '{"rows": [{"candidate": "crop"}]}', "[]", "{"):
        (tmp_path / "prior.json").write_text(content)
        with pytest.raises(DamagedError):
            load_prior("image", "scratch", path=tmp_path / "prior.json")


def test_the_shipped_table_can_be_read():
    for regime in ("scratch", "fine-tuned", "frozen"):
        for gain in load_prior("image", regime).values():
            assert math.isfinite(gain.mean)
            assert gain.variance > 0
    assert PRIOR.exists()
