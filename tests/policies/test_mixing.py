"""mixup and CutMix: identities, shares, partners."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from automorph.operations import Stream
from automorph.policies import load_policy
from automorph.policies.mixing import Mixing, beta, cutmix, mixup, shuffled

N = 4000


def stream(n=N, **options):
    return Stream(index=np.arange(n), **options)


def cross_entropy(labels, log_probabilities):
    return -(labels * log_probabilities).sum(1)


def test_soft_label_loss_is_the_mixture_of_losses():
    """CE(soft label) = lam CE(y_i) + (1 - lam) CE(y_j): policy-search.md, section 3.6."""
    mixing = mixup(stream(), 0.4)
    random = np.random.default_rng(0)
    labels = np.eye(10, dtype=np.float32)[random.integers(0, 10, N)]
    log_probabilities = np.log(random.dirichlet(np.ones(10), N))
    got = cross_entropy(mixing.labels(labels), log_probabilities)
    own = cross_entropy(labels, log_probabilities)
    others = cross_entropy(labels[mixing.partner], log_probabilities)
    expected = mixing.weight * own + (1 - mixing.weight) * others
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_weight_1_is_the_identity():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), np.uint8)
    labels = np.eye(5, dtype=np.float32)
    mixing = Mixing(np.array([1, 2, 3, 4, 0]), np.ones(5, np.float32))
    assert (mixing.examples(images) == images).all()
    assert (mixing.labels(labels) == labels).all()
    for name in ("mixup(p=0)", "cutmix(p=0)"):
        out, soft = load_policy(name).augment(images, labels=labels, seed=1)
        assert (out == images).all()
        assert (soft == labels).all()


def test_mixup_blends_and_rounds():
    images = np.array([0, 255, 100], np.uint8).reshape(3, 1, 1, 1)
    mixing = Mixing(np.array([1, 0, 1]), np.array([0.5, 0.9, 0.25], np.float32))
    assert mixing.examples(images).ravel().tolist() == [128, 230, 216]
    vectors = mixing.examples(np.eye(3))
    assert vectors.dtype == np.float64
    np.testing.assert_allclose(vectors[2], [0, 0.75, 0.25])


@pytest.mark.parametrize(("height", "width"), [(32, 32), (17, 40), (1, 1), (3, 2)])
def test_the_pasted_share_is_one_minus_the_weight(height, width):
    images = np.zeros((N, height, width, 1), np.uint8)
    mixing = cutmix(stream(), 1.0, 1.0, height, width)
    marked = images.copy()
    partners = mixing.partner
    for value in (0, 1):
        marked[:] = 0
        marked[partners % 2 == value] = 255
    # Paste white partners into black images: white pixels were pasted.
    black, white = images, images + 255
    pasted = np.where(mixing._mask(images.shape), white, black)
    share = pasted.astype(float).mean((1, 2, 3)) / 255
    np.testing.assert_allclose(share, 1 - mixing.weight, atol=1e-6)


def test_cutmix_pastes_the_partner_in_place():
    images = np.broadcast_to(np.arange(6, dtype=np.uint8)[:, None, None, None], (6, 8, 8, 3))
    mixing = cutmix(stream(6, seed=2), 1.0, 1.0, 8, 8)
    out = mixing.examples(images)
    for row, (top, left, bottom, right) in enumerate(mixing.box):
        inside = np.zeros((8, 8), bool)
        inside[top:bottom, left:right] = True
        assert (out[row][inside] == mixing.partner[row]).all()
        assert (out[row][~inside] == row).all()


def test_cutmix_boxes_are_mostly_as_large_as_the_weight_says():
    """Boxes inside the image have the area 1 - w, up to whole pixels."""
    mixing = cutmix(stream(), 1.0, 1.0, 256, 256)
    top, left, bottom, right = mixing.box.T
    inside = (top > 0) & (left > 0) & (bottom < 256) & (right < 256)
    w = beta(stream().uniform("mixing", 1, start=4)[:, 0], 1.0)
    area = (bottom - top) * (right - left) / 256**2
    np.testing.assert_allclose(area[inside], 1 - w[inside], atol=0.01)
    assert stats.kstest(w, "uniform").pvalue > 1e-4


def test_cutmix_is_used_as_often_as_its_probability():
    used = cutmix(stream(), 1.0, 0.3, 64, 64).weight < 1
    assert abs(used.mean() - 0.3) < 0.03


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_mixup_weights_are_beta(alpha):
    weight = mixup(stream(), alpha).weight
    assert stats.kstest(weight, "beta", (alpha, alpha)).pvalue > 1e-4
    assert ((weight >= 0) & (weight <= 1)).all()


@given(st.integers(0, 50), st.integers(0, 2**32))
def test_partners_are_a_ring_that_leaves_nobody_alone(n, seed):
    partner = shuffled(stream(n, seed=seed))
    assert sorted(partner) == list(range(n))
    if n > 1:
        assert (partner != np.arange(n)).all()


@given(st.permutations(range(8)))
def test_the_order_of_the_rows_does_not_matter(order):
    """Partners depend on which examples are in the batch, not on their positions."""
    images = np.random.default_rng(0).integers(0, 256, (8, 6, 5, 1), np.uint8)
    labels = np.eye(8, dtype=np.float32)
    index = np.arange(8) * 7
    for name in ("mixup", "cutmix(p=1)"):
        policy = load_policy(name)
        out, soft = policy.augment(images, labels=labels, index=index, seed=3)
        other = policy.augment(images[order], labels=labels[order], index=index[order], seed=3)
        assert (other[0] == out[order]).all()
        assert (other[1] == soft[order]).all()


def test_a_batch_of_one_is_its_own_partner():
    images = np.full((1, 4, 4, 1), 9, np.uint8)
    out, soft = load_policy("mixup").augment(images, labels=[[0.0, 1.0]])
    assert (out == images).all()
    assert soft.tolist() == [[0, 1]]


def test_mixup_reaches_the_end_of_a_chain_with_its_own_numbers():
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    labels = np.eye(6, dtype=np.float32)
    out, soft = load_policy("none + mixup").augment(images, labels=labels, seed=4)
    mixing = mixup(stream(6, seed=4).at_stage(1), 1.0)
    assert (out == mixing.examples(images)).all()
    assert (soft == mixing.labels(labels)).all()
    assert soft.dtype == np.float32
