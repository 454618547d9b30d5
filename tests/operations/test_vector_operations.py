"""Displacements of points with known answers."""

from __future__ import annotations

import numpy as np

from automorph.operations import named_space
from automorph.operations.synthetic import axes, displacement, small_and_large, unit_disc


def move(name: str, number: int, points: object) -> np.ndarray:
    operation = named_space(name).operations[number]
    where = np.asarray(points, float)
    assert operation.function is not None
    before = where.copy()
    out = operation.function(where, operation.values(np.zeros(len(where))))
    np.testing.assert_array_equal(where, before)
    return out


def test_displacement_by_hand() -> None:
    right = displacement("right", (0.75, 0.0))
    assert right.values(0.4).item() == 1.0
    assert not right.signed
    assert right.domain == "vector"
    np.testing.assert_allclose(move("disc-axes", 1, [[1, 2]]), [[1, 2.75]])
    assert len(axes(dimensions=5)) == 5


def test_small_and_large() -> None:
    lengths = [
        np.abs(op.function(np.zeros((1, 2)), np.ones(1))).max() for op in small_and_large(seed=3)
    ]
    assert len(lengths) == 15
    assert max(lengths[:10]) <= 0.1
    assert max(lengths[10:]) <= 2
    assert max(lengths[10:]) > 0.5


def test_shrinking_axes_do_not_commute() -> None:
    out = move("disc-shrinking-axes", 0, [[0, 0], [2, 0], [0, -4]])
    np.testing.assert_allclose(out, [[0.75, 0], [2.375, 0], [0.75 * 2 / 16, -4]])
    there = move("disc-shrinking-axes", 2, move("disc-shrinking-axes", 0, [[1.5, 0]]))
    here = move("disc-shrinking-axes", 0, move("disc-shrinking-axes", 2, [[1.5, 0]]))
    assert np.abs(there - here).max() > 0.01


def test_sticky_angles() -> None:
    points = np.array([[0.0, 0.0], [1.6, 0.0]])
    for number in range(10):
        moved = move("disc-sticky-angles", number, points) - points
        np.testing.assert_allclose(np.hypot(*moved[0]), 0.33)
        assert not moved[1].any()


def test_unit_disc_is_uniform() -> None:
    points = unit_disc(20000, seed=1)
    radius = np.hypot(points[:, 0], points[:, 1])
    assert radius.max() < 1
    assert abs((radius < 0.5).mean() - 0.25) < 0.01
    assert np.abs(points.mean(0)).max() < 0.02
