"""The linear setting: errors against simulation, updates against refits, gains against both."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.errors import UsageError
from automorph.theory.data_addition import add_greedily, new_part, noise_limit, one_point_gain
from automorph.theory.ridge import choose_penalty, fit_ridge, predicted_change, ridge_error

P, N, PENALTY, NOISE = 30, 12, 4.0, 0.5


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def rows(rng):
    return rng.normal(size=(N, P))


@pytest.fixture
def beta(rng):
    b = rng.normal(size=P)
    return b / np.linalg.norm(b)


def kept_labels(rng, beta):
    """A random orthogonal map that keeps beta, so that it keeps every label."""
    free = np.linalg.qr(np.column_stack([beta, rng.normal(size=(P, P - 1))]))[0]
    turn = np.eye(P)
    turn[1:, 1:] = np.linalg.qr(rng.normal(size=(P - 1, P - 1)))[0]
    return free @ turn @ free.T


def test_bias_and_variance_are_those_of_a_simulation(rng, rows, beta):
    extra = np.vstack([rows, 0.5 * (rows[0] + rows[1])])
    mixing = np.vstack([np.eye(N), 0.5 * (np.eye(N)[0] + np.eye(N)[1])])
    expected = ridge_error(extra, beta, penalty=PENALTY, noise=NOISE, mixing=mixing)
    noises = NOISE * rng.normal(size=(N, 50_000))
    fit = fit_ridge(extra, (extra @ beta)[:, None] + mixing @ noises, penalty=PENALTY)
    off = fit.weights - beta[:, None]
    squared = np.square(off).sum(0)
    assert squared.mean() == pytest.approx(
        expected.total, abs=3 * squared.std() / np.sqrt(len(squared))
    )
    assert np.square(off.mean(1)).sum() == pytest.approx(expected.bias, rel=0.01)


def test_twice_the_data_and_twice_the_penalty_change_nothing(rows, beta):
    once = ridge_error(rows, beta, penalty=PENALTY, noise=NOISE)
    twice = ridge_error(
        np.vstack([rows, rows]),
        beta,
        penalty=2 * PENALTY,
        noise=NOISE,
        mixing=np.vstack([np.eye(N), np.eye(N)]),
    )
    assert twice.bias == pytest.approx(once.bias, abs=1e-14)
    assert twice.variance == pytest.approx(once.variance, abs=1e-14)
    # Copies that count as new examples look better than they are.
    wrong = ridge_error(np.vstack([rows, rows]), beta, penalty=2 * PENALTY, noise=NOISE)
    assert wrong.variance < 0.6 * once.variance


def test_the_gain_of_one_point_is_exact(rng, rows, beta):
    point = kept_labels(rng, beta) @ rows[3]
    assert point @ beta == pytest.approx(rows[3] @ beta)
    part = new_part(rows, point)
    np.testing.assert_allclose(rows @ part.residual, 0, atol=1e-12)
    np.testing.assert_allclose(rows.T @ part.explained + part.residual, point, atol=1e-12)

    carried = part.carried_noise(3)
    gain = one_point_gain(part.residual, beta, penalty=PENALTY, noise=NOISE, carried=carried)
    before = ridge_error(rows, beta, penalty=PENALTY, noise=NOISE)
    after = ridge_error(
        np.vstack([rows, part.residual]),
        beta,
        penalty=PENALTY,
        noise=NOISE,
        mixing=np.vstack([np.eye(N), carried]),
    )
    assert gain == pytest.approx(before.total - after.total, abs=1e-13)


def test_adding_hurts_beyond_the_noise_limit(rng, rows, beta):
    part = new_part(rows, kept_labels(rng, beta) @ rows[0])
    known = {"penalty": PENALTY, "carried": part.carried_noise(0)}
    limit = noise_limit(part.residual, beta, **known)
    assert 0 < limit < np.inf
    assert one_point_gain(part.residual, beta, noise=0.99 * limit, **known) > 0
    assert one_point_gain(part.residual, beta, noise=1.01 * limit, **known) < 0
    # A new direction without signal only adds noise.
    empty = part.residual - (part.residual @ beta) * beta
    assert noise_limit(empty, beta, **known) == pytest.approx(0, abs=1e-12)
    assert noise_limit(0 * beta, beta, **known) == np.inf


def test_without_noise_new_directions_never_hurt(rng, rows, beta):
    held, errors = rows, []
    for source in range(6):
        errors.append(ridge_error(held, beta, penalty=PENALTY, noise=0).total)
        part = new_part(held, kept_labels(rng, beta) @ rows[source])
        held = np.vstack([held, part.residual])
    assert (np.diff(errors) <= 0).all()


def test_greedy_takes_the_best_first_and_stops_when_adding_hurts(rng, rows, beta):
    turn = kept_labels(rng, beta)
    points = rows @ turn.T
    problem = {"penalty": PENALTY, "noise": NOISE}
    found = add_greedily(rows, points, beta, mixing=np.eye(N), count=N, **problem)

    def error(chosen):
        mixing = np.vstack([np.eye(N), np.eye(N)[list(chosen)]])
        return ridge_error(np.vstack([rows, points[list(chosen)]]), beta, mixing=mixing, **problem)

    single = [error([i]).total for i in range(N)]
    assert found.order[0] == int(np.argmin(single))
    for step, seen in enumerate(found.errors):
        assert seen.total == pytest.approx(error(found.order[:step]).total, abs=1e-12)
    left = [i for i in range(N) if i not in found.order]
    assert all(error([*found.order, i]).total >= found.errors[-1].total for i in left)
    # Wrong labels are not selected.
    wrong = add_greedily(
        rows, points, beta, mixing=np.eye(N), count=N, clean=-5 * points @ beta, **problem
    )
    assert len(wrong.order) < len(found.order)


def test_an_update_is_a_refit(rng, rows):
    targets, more, their = (rng.normal(size=s) for s in [(N, 3), (5, P), (5, 3)])
    fit = fit_ridge(rows, targets, penalty=PENALTY)
    grown = fit.with_rows(more, their)
    again = fit_ridge(np.vstack([rows, more]), np.vstack([targets, their]), penalty=PENALTY)
    np.testing.assert_allclose(grown.weights, again.weights, atol=1e-12)
    np.testing.assert_allclose(grown.inverse, again.inverse, atol=1e-12)

    held_out = rng.normal(size=(40, P)), rng.normal(size=(40, 3))
    change = predicted_change(fit, more, their, held_out=held_out)
    assert change == pytest.approx(again.error(*held_out) - fit.error(*held_out))
    # A point that the fit already predicts changes nothing.
    assert predicted_change(fit, more, fit(more), held_out=held_out) == pytest.approx(0, abs=1e-12)


def test_the_step_of_one_row_is_its_residual(rng, rows):
    fit = fit_ridge(rows, rng.normal(size=N), penalty=PENALTY)
    u, target = rng.normal(size=(1, P)), 3.0
    side = fit.inverse @ u[0]
    step = side * (target - fit(u)[0, 0]) / (1 + u[0] @ side)
    np.testing.assert_allclose((fit.with_rows(u, [target]).weights - fit.weights)[:, 0], step)


def test_new_information_is_all_of_a_row_outside_the_span(rng, rows):
    fit = fit_ridge(rows, np.zeros(N), penalty=1e-3)
    outside = new_part(rows, rng.normal(size=P)).residual
    inside = rng.normal(size=N) @ rows
    assert fit.unexplained([outside])[0] == pytest.approx(outside @ outside)
    assert fit.unexplained([inside])[0] < 1e-3 * inside @ inside
    many = rng.normal(size=(50, P))
    assert ((fit.unexplained(many) >= 0) & (fit.unexplained(many) <= (many**2).sum(1))).all()


def test_the_penalty_has_the_least_error_left_one_out(rng, rows):
    targets = rows @ rng.normal(size=P) + rng.normal(size=N)
    candidates = [0.1, 1.0, 10.0, 100.0]

    def left_out(penalty):
        errors = []
        for i in range(N):
            rest = np.arange(N) != i
            fit = fit_ridge(rows[rest], targets[rest], penalty=penalty)
            errors.append((fit(rows[i : i + 1])[0, 0] - targets[i]) ** 2)
        return sum(errors)

    best = min(candidates, key=left_out)
    assert choose_penalty(rows, targets, candidates=candidates) == best


def test_wrong_arguments_are_named(rows):
    with pytest.raises(UsageError, match="penalty=0; expected a number above 0"):
        fit_ridge(rows, np.zeros(N), penalty=0)
    with pytest.raises(UsageError, match="for 12 rows"):
        fit_ridge(rows, np.zeros(3), penalty=1)
