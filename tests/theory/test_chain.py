"""Augmentation as a Markov chain: distribution, kernel and posterior against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from automorph.errors import UsageError
from automorph.operations import find_operation
from automorph.theory import markov_restarts
from automorph.theory.markov_chain import operation_move, reach
from automorph.theory.markov_walks import nearest_shares, sample_states

RING = [lambda s: (s + 1) % 12, lambda s: (s - 1) % 12]


def ring(beta=3.0):
    return reach(np.array([[0], [1], [6]]), RING, rates=beta / 2)


def in_order(chain, values):
    return values[np.argsort(chain.states[:, 0])]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def reversible(rng):
    weights = rng.uniform(size=(12, 12))
    weights = weights + weights.T
    return csr_array(3.0 * weights / weights.sum(1, keepdims=True)), weights.sum(1) / weights.sum()


def test_steps_are_probabilities_and_the_law_is_stationary(reversible, rng):
    rates, _ = reversible
    restart = rng.dirichlet(np.ones(12))
    step = (rates.toarray() + restart) / (1 + markov_restarts.strength_of(rates))
    law = markov_restarts.stationary(rates, restart)
    np.testing.assert_allclose(step.sum(1), 1)
    np.testing.assert_allclose(law @ step, law, atol=1e-12)
    assert law.sum() == pytest.approx(1)


def test_the_law_is_the_geometric_series_and_the_direct_solution(reversible, rng):
    rates, _ = reversible
    restart = rng.dirichlet(np.ones(12))
    law = markov_restarts.stationary(rates, restart)
    series, term = np.zeros(12), restart / 4
    for _ in range(200):
        series, term = series + term, rates.T @ term / 4
    np.testing.assert_allclose(law, series, atol=1e-12)
    direct = np.linalg.solve(4 * np.eye(12) - rates.toarray().T, restart)
    np.testing.assert_allclose(law, direct, atol=1e-12)


def test_the_kernel_is_symmetric_positive_definite(reversible, rng):
    rates, measure = reversible
    found = markov_restarts.reversible_measure(rates)
    np.testing.assert_allclose(found, measure, atol=1e-12)
    kernel = markov_restarts.kernel(rates, found)
    assert np.abs(kernel - kernel.T).max() < 1e-12
    assert np.linalg.eigvalsh(kernel).min() > 1
    # The votes of the training examples form a distribution.
    gamma = rng.dirichlet(np.ones(12))
    votes = gamma @ kernel * measure
    assert votes.sum() == pytest.approx(1)
    np.testing.assert_allclose(votes, markov_restarts.stationary(rates, gamma), atol=1e-12)


def test_operations_that_cannot_be_undone_have_no_symmetric_kernel():
    directed = reach(np.array([[0]]), RING[:1])
    assert markov_restarts.reversible_measure(directed.rates) is None
    with pytest.raises(UsageError, match="add the inverse operations"):
        directed.kernel()
    np.testing.assert_allclose(directed.posterior([0]), 1)


def test_the_kernel_of_shifts_on_a_line_is_exponential():
    m, beta = 401, 3.0
    rates = beta / 2 * (np.eye(m, k=1) + np.eye(m, k=-1))
    rates[0, 0] = rates[-1, -1] = beta / 2
    row = markov_restarts.kernel(rates, np.ones(m))[200, 200:206]
    ratio = (1 + beta - np.sqrt(1 + 2 * beta)) / beta
    np.testing.assert_allclose(row, ratio ** np.arange(6) / np.sqrt(1 + 2 * beta), atol=1e-14)
    np.testing.assert_allclose(row[[0, 1, 5]], [0.377964, 0.170619, 0.00708495], rtol=3e-6)


def test_the_classifier_on_a_ring():
    chain = ring()
    share = chain.posterior([0, 0, 1], weights=[0.5, 0.2, 0.3])
    signs = in_order(chain, np.sign(share[:, 0] - share[:, 1]))
    assert "".join("+" if s > 0 else "-" for s in signs) == "++++-----+++"

    kernel, gamma = chain.kernel(), np.array([0.5, 0.2, -0.3])
    np.testing.assert_array_equal(np.sign(gamma @ kernel[chain.starts]), np.sign(share @ [1, -1]))


def test_the_posterior_is_that_of_a_simulation():
    chain, labels = ring(), np.array([0, 0, 1])
    walk = chain.sample(200_000, seed=3, weights=[0.5, 0.2, 0.3])
    counts = np.zeros((12, 2))
    np.add.at(counts, (walk.state, labels[walk.source]), 1)
    share = chain.posterior(labels, weights=[0.5, 0.2, 0.3])
    np.testing.assert_allclose(counts / counts.sum(1, keepdims=True), share, atol=0.02)
    law = chain.stationary([0.5, 0.2, 0.3])
    np.testing.assert_allclose(counts.sum(1) / 200_000, law, atol=0.004)


def test_no_operations_remember_and_too_many_forget():
    weak, strong = ring(1e-9), ring(1e6)
    share = weak.posterior([0, 0, 1])
    assert weak.kernel() == pytest.approx(12 * np.eye(12), abs=1e-6)
    assert in_order(weak, share)[[0, 1, 6], 0] == pytest.approx([1, 1, 0], abs=1e-6)
    rates = 1e6 / 12 * np.ones((12, 12))
    np.testing.assert_allclose(markov_restarts.kernel(rates, np.full(12, 1 / 12)), 1, atol=1e-3)
    assert strong.strength == 1e6


def test_neighbours_vote_like_the_posterior_the_more_the_longer_the_chain():
    chain, labels = ring(), np.array([0, 0, 1])
    best = chain.posterior(labels, weights=[0.5, 0.2, 0.3])
    errors = []
    for count in (300, 30_000):
        walk = chain.sample(count, seed=1, weights=[0.5, 0.2, 0.3])
        k = int(count**0.5)
        found = nearest_shares(
            chain.states[walk.state], labels[walk.source], chain.states, k=k, classes=2
        )
        errors.append(np.abs(found - best).mean())
    assert errors[1] < 0.25 * errors[0]
    assert errors[1] < 0.02


def test_draws_without_listing_states_have_the_same_law():
    states, source = sample_states(
        np.array([[0], [1], [6]]), RING, count=100_000, rates=1.5, seed=2
    )
    chain = ring()
    law = in_order(chain, chain.stationary())
    np.testing.assert_allclose(np.bincount(states[:, 0]) / 100_000, law, atol=0.005)
    assert np.bincount(source) / 100_000 == pytest.approx(1 / 3, abs=0.005)


def test_what_leaves_the_set_stays_where_it_is():
    line = [lambda s: s + 1, lambda s: s - 1]
    for chain in (reach(np.array([[0]]), line, depth=3), reach(np.array([[0]]), line, limit=7)):
        assert sorted(chain.states[:, 0]) == list(range(-3, 4))
        np.testing.assert_allclose(chain.rates.sum(axis=1), 2)
        np.testing.assert_allclose(markov_restarts.reversible_measure(chain.rates), 1 / 7)


def test_equally_likely_outcomes_share_a_rate():
    chain = reach(np.array([[0]]), [lambda s: np.stack([s, (s + 1) % 3], axis=1)], rates=2.0)
    assert chain.rates.toarray()[0].tolist() == [1.0, 1.0, 0.0]


def test_image_operations_are_moves(rng):
    images = rng.integers(0, 256, (2, 6, 6, 1), dtype=np.uint8)
    flips = reach(images, [operation_move(find_operation("HorizontalFlip"), [0])])
    assert len(flips) == 4
    np.testing.assert_array_equal(flips.states[2:], images[:, :, ::-1])
    assert np.linalg.eigvalsh(flips.kernel()).min() > 0

    shift = operation_move(find_operation("TranslateX"), (-1 / 6, 1 / 6))
    assert shift(images).shape == (2, 2, 6, 6, 1)
    with pytest.raises(UsageError, match="which draws random numbers"):
        operation_move(find_operation("SamplePairing"), [0.2])


def test_wrong_arguments_are_named():
    with pytest.raises(UsageError, match="and rates above 0"):
        reach(np.array([[0]]), RING, rates=[1, 0])
    with pytest.raises(UsageError, match="an extra axis of outcomes"):
        reach(np.array([[0, 1]]), [lambda s: s[:, :1]])
    with pytest.raises(UsageError, match="expected one for each"):
        ring().posterior([0, 1])
    with pytest.raises(UsageError, match="expected at most 3000"):
        markov_restarts.kernel(csr_array(np.eye(3001)), np.ones(3001))
    with pytest.raises(UsageError, match="expected equal sums"):
        markov_restarts.stationary(np.diag([1.0, 2.0]), [1, 0])


@pytest.mark.slow
def test_a_hundred_thousand_states():
    side = 320
    moves = [lambda s, a=a, d=d: (s + d * np.eye(2, dtype=int)[a]) % side
             for a in (0, 1) for d in (1, -1)]  # fmt: skip
    starts = np.random.default_rng(0).integers(0, side, (50, 2))
    chain = reach(starts, moves, rates=2.5, limit=100_000)
    assert len(chain) == 100_000
    share = chain.posterior(np.arange(50) % 10)
    assert share.shape == (100_000, 10)
    np.testing.assert_allclose(share.sum(1), 1)
