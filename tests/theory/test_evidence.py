"""Ranges of an operation chosen by the marginal likelihood of the training examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from automorph.errors import UsageError
from automorph.theory.kernels import averaged_kernel, gaussian_kernel
from automorph.theory.marginal_likelihood import best_evidence, log_evidence, range_evidence


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def turn(x, angle):
    c, s = np.cos(angle), np.sin(angle)
    return x @ np.array([[c, s], [-s, c]])


def test_evidence_is_the_density_of_the_targets(rng):
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    kernel = gaussian_kernel(x, x, gamma=0.3)
    law = multivariate_normal(np.zeros(20), kernel + 0.2 * np.eye(20))
    assert log_evidence(kernel, y, noise=0.2) == pytest.approx(sum(law.logpdf(y.T)))


def test_the_best_evidence_is_evidence_and_is_best(rng):
    x = rng.normal(size=(40, 2))
    y = np.sin(2 * x[:, 0]) + 0.3 * rng.normal(size=40)
    kernel = gaussian_kernel(x, x, gamma=1.0)
    found = best_evidence(kernel, y)
    at = lambda s, n: log_evidence(s * kernel, y, noise=n)  # noqa: E731
    assert at(found.scale, found.noise) == pytest.approx(found.value)
    for scale in (0.8, 1.25):
        assert at(scale * found.scale, found.noise) < found.value
        assert at(found.scale, scale * found.noise) < found.value


def test_a_range_of_zero_is_the_plain_process(rng):
    x, labels = rng.normal(size=(30, 2)), rng.integers(0, 2, 30)
    found = range_evidence(x, labels, turn, [0.0], gammas=[0.7])
    hot = np.eye(2)[labels] - np.eye(2)[labels].mean(0)
    assert found.evidence[0] == best_evidence(
        averaged_kernel(x[:, None], x[:, None], gamma=0.7), hot
    )


def test_the_range_of_the_data_is_found(rng):
    """Targets drawn from a process whose functions are averaged over rotations by 30 degrees."""
    x, reach = rng.normal(size=(150, 2)), np.deg2rad(30)
    copies = np.stack([turn(x, step) for step in np.linspace(-reach, reach, 9)], axis=1)
    kernel = averaged_kernel(copies, copies, gamma=2.0)
    targets = rng.multivariate_normal(np.zeros(150), kernel + 1e-3 * np.eye(150), size=3).T
    ranges = np.deg2rad([0, 10, 20, 30, 45, 90, 180])
    assert range_evidence(x, targets, turn, ranges, gammas=[2.0]).best == pytest.approx(reach)


def test_full_turns_are_kept_where_only_the_radius_counts(rng):
    x = rng.normal(size=(80, 2))
    labels = (np.linalg.norm(x, axis=1) > 1.1).astype(int)
    assert range_evidence(x, labels, turn, [0.0, 1.0, np.pi]).best == pytest.approx(np.pi)


def test_wrong_shapes_are_named():
    with pytest.raises(UsageError, match=r"expected \(n, n\) and n targets"):
        log_evidence(np.eye(3), np.zeros(2), noise=1.0)
