"""Kernel alignment against its definition, and the effect of averaging on a kernel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from automorph.errors import UsageError
from automorph.theory.feature_averaging import (
    averaged,
    displacement,
    invariance_ratio,
    spread_matrix,
)
from automorph.theory.kernel_alignment import (
    alignment,
    alignment_gain,
    alignment_gains,
    centred_alignment,
    gain_in_words,
)


def by_definition(features, labels, centred):
    k = features @ features.T
    s = (labels[:, None] == labels[None]).astype(float)
    if centred:
        h = np.eye(len(k)) - 1 / len(k)
        k, s = h @ k @ h, h @ s @ h
    return (k * s).sum() / np.linalg.norm(k) / np.linalg.norm(s)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("shape", [(30, 4), (12, 50)])
def test_equals_its_definition(rng, centred, shape):
    features, labels = rng.normal(size=shape) + 1, rng.integers(0, 3, shape[0])
    found = alignment(features, labels, centred=centred)
    assert found == pytest.approx(by_definition(features, labels, centred), abs=1e-12)
    assert alignment(7 * features, labels, centred=centred) == pytest.approx(found)
    assert -1 <= found <= 1


def test_the_labels_own_kernel_is_aligned_perfectly(rng):
    labels = rng.integers(0, 4, 40)
    for centred in (False, True):
        assert alignment(np.eye(4)[labels], labels, centred=centred) == pytest.approx(1)
    assert centred_alignment(np.ones((40, 3)), labels) == 0
    assert centred_alignment(rng.normal(size=(40, 3)), np.zeros(40)) == 0


def test_the_same_orthogonal_map_of_all_points_changes_nothing(rng):
    features, labels = rng.normal(size=(20, 6)), rng.integers(0, 2, 20)
    order = rng.permutation(6)
    assert alignment(features[:, order], labels) == pytest.approx(alignment(features, labels))


@pytest.mark.parametrize("centred", [False, True])
def test_a_bootstrap_draw_is_the_alignment_of_the_drawn_examples(rng, centred):
    features, labels = rng.normal(size=(25, 5)) + 2, rng.integers(0, 3, 25)
    copies = features[:, None] + rng.normal(size=(25, 4, 5))
    gain = alignment_gain(features, copies, labels, centred=centred, draws=3, seed=5)

    drawn = np.random.default_rng(5).multinomial(25, np.full(25, 1 / 25), size=3)
    again = []
    for counts in drawn:
        rows = np.repeat(np.arange(25), counts)
        after = by_definition(copies.mean(1)[rows], labels[rows], centred)
        again.append(after - by_definition(features[rows], labels[rows], centred))
    low, high = np.quantile(again, [0.025, 0.975])
    assert (gain.low, gain.high) == pytest.approx((low, high))
    assert gain.after - gain.before == pytest.approx(gain.value)
    assert gain.after == pytest.approx(by_definition(copies.mean(1), labels, centred))


def test_both_statistics_come_with_their_intervals(rng):
    features, labels = rng.normal(size=(25, 5)) + 2, rng.integers(0, 3, 25)
    copies = features[:, None] + rng.normal(size=(25, 4, 5))
    both = alignment_gains(features, copies, labels, draws=20, seed=3)
    for centred, found in ((False, both.uncentred), (True, both.centred)):
        alone = alignment_gain(features, copies, labels, centred=centred, draws=20, seed=3)
        assert found == alone
        words = {(True, True): "raises", (False, False): "lowers"}
        told = words.get((found.low > 0, found.high > 0), "cannot be told")
        assert found.verdict == told
    same = alignment_gains(features, features[:, None], labels, draws=20)
    assert {same.uncentred.verdict, same.centred.verdict} == {"cannot be told"}


def test_averaging_noise_away_raises_alignment_and_copies_of_itself_do_not(rng):
    labels = np.repeat([0, 1], 100)
    signal = np.where(labels, 1.0, -1.0)[:, None] * np.ones(8)
    copies = signal[:, None] + rng.normal(size=(200, 6, 8)) * 3
    gain = alignment_gain(copies[:, 0], copies, labels, draws=50)
    assert gain.low > 0
    same = alignment_gain(copies[:, 0], copies[:, :1], labels, draws=10)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_the_averaged_kernel_of_a_group_is_invariant(rng):
    images = rng.normal(size=(5, 8))
    weights = rng.normal(size=(8, 30))
    features = lambda x: np.cos(x @ weights)  # noqa: E731
    turned = np.stack([np.roll(images, s, axis=1) for s in range(8)], axis=1)
    psi = averaged(features(turned))
    for s in range(8):
        again = averaged(features(np.roll(turned, s, axis=2)))
        np.testing.assert_allclose(again @ psi.T, psi @ psi.T, atol=1e-12)


def test_how_far_copies_lie_apart(rng):
    originals = rng.normal(size=(300, 4))
    still = np.repeat(originals[:, None], 3, axis=1)
    assert displacement(still) == pytest.approx(0, abs=1e-15)
    assert invariance_ratio(still) == pytest.approx(0, abs=1e-30)
    assert invariance_ratio(rng.normal(size=(300, 50, 4))) == pytest.approx(1, abs=0.1)

    copies = originals[:, None] + rng.normal(size=(300, 5, 4))
    curvature = rng.uniform(size=300)
    expected = np.mean(
        [c * np.cov(row.T, bias=True) for c, row in zip(curvature, copies, strict=True)], axis=0
    )
    np.testing.assert_allclose(spread_matrix(copies, weights=curvature), expected, atol=1e-12)


def test_wrong_shapes_are_named(rng):
    with pytest.raises(UsageError, match=r"expected \(n, D\) and \(n,\)"):
        alignment(rng.normal(size=(3, 2)), [0, 1])
    with pytest.raises(UsageError, match="same examples"):
        alignment_gain(rng.normal(size=(3, 2)), rng.normal(size=(4, 5, 2)), [0, 1, 1])
    with pytest.raises(UsageError, match="none empty"):
        averaged(np.zeros((3, 2)))


def test_the_page_says_what_the_stored_cells_say():
    """Centred alignment of h-flip rises, the paper's uncentred one cannot be told from 0."""
    file = Path(__file__).parents[2] / "benchmarks" / "results" / "theory-figures.json"
    content = json.loads(file.read_text())
    (flip,) = [row for row in content["rows"] if row.get("operation") == "h-flip"]
    low, high = flip["uncentred interval"]
    assert flip["uncentred"] == pytest.approx(-0.0020, abs=5e-5)
    assert (high - low) / 2 == pytest.approx(0.0045, abs=5e-5)
    assert gain_in_words(low, high) == "cannot be told"
    assert gain_in_words(*flip["centred interval"]) == "raises"
    claims = {one["text"]: one["holds"] for one in content["claims"]}
    assert claims["h-flip lowers uncentred alignment"] is None
