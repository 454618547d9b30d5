"""Training objectives on augmented data: exact, first order (averaging), second order (variance).

A linear model scores the T copies of n examples: ``scores`` ``(n, T, C)``. Because the scores are
linear, their mean over the copies is the score of the averaged features, and

- exact: ``g = 1/n sum_i mean_z l(s(z); y_i)``
- first order: ``g1 = 1/n sum_i l(mean_z s(z); y_i)``
- second order: ``g2 = g1 + R``, ``R = 1/n sum_i 1/2 E_z d^T H_i d``, d = s(z) - mean_z s(z), where
  H is the loss's curvature at the mean (Dao et al. 2019, section 4).
- variance: ``g0 + R``, ``g0 = 1/n sum_i l(s(x_i); y_i)``: the second order without the first, that
  is, the variance is penalised, but features are not averaged.

For models that are not linear, `layers` makes the mean scores and the moves ``d`` at a layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.errors import UsageError
from automorph.registry import unknown
from automorph.theory.losses import LOSSES, Loss

Floats = NDArray[np.float64]
Order = Literal["exact", "first", "second", "variance"]
_EXPECTED = "expected exact, first, second or variance"


@dataclass(frozen=True)
class Objectives:
    """The objectives of one model on one set of copies; ``original`` is the loss of copy 0."""

    original: float
    exact: float
    first: float
    second: float

    @property
    def regulariser(self) -> float:
        """The variance regulariser R alone."""
        return self.second - self.first

    @property
    def variance(self) -> float:
        """The loss of the originals plus R: the second order without the first."""
        return self.original + self.regulariser


def loss_named(name: str) -> Loss:
    """Return a loss by name: softmax, squared, logistic, hinge, squared-hinge."""
    try:
        return LOSSES[name]
    except KeyError:
        raise UsageError(unknown("loss", name, LOSSES)) from None


def objectives_of(scores: ArrayLike, labels: ArrayLike, *, loss: str = "softmax") -> Objectives:
    """Return all objectives of scores ``(n, T, C)``; see `targets_for` for the labels.

    >>> found = objectives_of([[[1.0], [3.0]]], [0.0], loss="squared")
    >>> found.exact, found.first, found.second
    (2.5, 2.0, 2.5)
    """
    s, y, kind = _checked(scores, labels, loss)
    centre = s.mean(axis=1)
    first = float(kind.value(centre, y).mean())
    return Objectives(
        original=float(kind.value(s[:, 0], y).mean()),
        exact=float(kind.value(s, y[:, None]).mean()),
        first=first,
        second=first + float(kind.spread(centre, s - centre[:, None], y).mean()),
    )


def variance_regulariser(
    scores: ArrayLike, labels: ArrayLike | None = None, *, loss: str = "softmax"
) -> float:
    """Return R of scores ``(n, T, C)``: the second-order term, from the spread of the copies.

    For softmax ``R = 1/n sum_i 1/2 E_z Var_{c ~ p_i}(d_c)``. Softmax, logistic and squared loss
    need no labels.
    """
    s = _scores(scores)
    if labels is None:
        if loss not in ("softmax", "logistic", "squared"):
            raise UsageError(
                f"got no labels; the variance regulariser of {loss!r} needs them: pass labels"
            )
        y = np.zeros((len(s), s.shape[2]))
    else:
        y = targets_for(labels, classes=s.shape[2], loss=loss)
    centre = s.mean(axis=1)
    return float(loss_named(loss).spread(centre, s - centre[:, None], y).mean())


def value_and_slope(
    scores: ArrayLike, labels: ArrayLike, *, loss: str = "softmax", order: Order = "exact"
) -> tuple[float, Floats]:
    """Return an objective and its derivative by the scores, ``(n, T, C)``."""
    s, y, kind = _checked(scores, labels, loss)
    n, t, _ = s.shape
    if order == "exact":
        flat, each = s.reshape(n * t, -1), np.repeat(y, t, axis=0)
        slope = kind.slope(flat, each).reshape(s.shape) / (n * t)
        return float(kind.value(flat, each).mean()), slope
    centre = s.mean(axis=1)
    value, slope = float(kind.value(centre, y).mean()), kind.slope(centre, y)
    if order == "first":
        return value, np.repeat(slope[:, None] / (n * t), t, axis=1)
    if order not in ("second", "variance"):
        raise UsageError(f"got order={order!r}; {_EXPECTED}")
    moves = s - centre[:, None]
    by_centre, by_moves = kind.spread_slopes(centre, moves, y)
    by_moves = by_moves - by_moves.mean(axis=1, keepdims=True)
    by_scores = by_centre[:, None] / (n * t) + by_moves / n
    if order == "second":
        by_scores += slope[:, None] / (n * t)
    else:
        value = float(kind.value(s[:, 0], y).mean())
        by_scores[:, 0] += kind.slope(s[:, 0], y) / n
    return value + float(kind.spread(centre, moves, y).mean()), by_scores


def targets_for(labels: ArrayLike, *, classes: int, loss: str) -> Floats:
    """Convert labels to targets ``(n, C)`` of a loss.

    Class indices ``(n,)`` become one-hot rows, for logistic and hinge losses rows of -1 and 1
    (one class against the rest). With a single score, labels are used unchanged: -1 and 1, or
    regression targets. Rows ``(n, C)`` (soft labels, several targets) are used unchanged too.
    """
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] == classes:
        return given.astype(np.float64)
    if given.ndim != 1:
        raise UsageError(f"got labels of shape {given.shape}; expected (n,) or (n, {classes})")
    if classes == 1:
        return given.astype(np.float64)[:, None]
    if len(given) and not (given.min() >= 0 and given.max() < classes):
        raise UsageError(
            f"got labels from {given.min()} to {given.max()} for {classes} scores; expected 0 to "
            f"{classes - 1}"
        )
    hot = np.eye(classes)[given.astype(np.intp)]
    return 2 * hot - 1 if loss_named(loss).signed else hot


def agreement(scores: ArrayLike, others: ArrayLike) -> float:
    """Return the share of examples for which two models ``(n, C)`` predict the same class."""
    a, b = (np.asarray(s) for s in (scores, others))
    return float((_choice(a) == _choice(b)).mean())


def divergence(scores: ArrayLike, others: ArrayLike) -> float:
    """Return the mean Kullback-Leibler divergence of two models' softmax scores ``(n, C)``."""
    p, q = (_log_softmax(np.asarray(s, np.float64)) for s in (scores, others))
    return float((np.exp(p) * (p - q)).sum(axis=-1).mean())


def _choice(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    one = scores.shape[-1] == 1
    return (scores[..., 0] > 0).astype(np.intp) if one else scores.argmax(axis=-1)


def _log_softmax(scores: Floats) -> Floats:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float64)


def _scores(scores: ArrayLike) -> Floats:
    s = np.asarray(scores, np.float64)
    if s.ndim != 3 or 0 in s.shape:
        raise UsageError(
            f"got scores of shape {s.shape}; expected (examples, copies, classes), none empty"
        )
    return s


def _checked(scores: ArrayLike, labels: ArrayLike, loss: str) -> tuple[Floats, Floats, Loss]:
    s, kind = _scores(scores), loss_named(loss)
    y = targets_for(labels, classes=s.shape[2], loss=loss)
    if len(y) != len(s):
        raise UsageError(f"got {len(y)} labels for {len(s)} examples; expected one for each")
    return s, y, kind
