"""Metrics of values, by scikit-learn: errors in the user's units, R2, agreement of grades."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError, UsageError
from automorph.metrics import weighted
from automorph.metrics.scorer import Floats, Scorer
from automorph.registry import Entry, Registry, unknown

Values = NDArray[np.float64]
GRADES = 100
"""The largest distance between two grades."""


@dataclass(frozen=True)
class ValueScorer(Scorer):
    """A metric of predicted values ``(n, k)``; ``classes`` are their names.

    ``column`` is the value that the metric is about (None: the mean over all). ``grades``: values
    are whole numbers, to which predictions are rounded. ``spread``: values must differ. ``many``
    computes the metric of one value under many weights at once.
    """

    column: int | None = None
    grades: bool = False
    spread: bool = False
    many: Callable[[Floats, Floats, Floats], Floats] | None = None

    def undefined(self, labels: Values) -> str:  # type: ignore[override]
        """Return why the metric has no value for these values; empty if it has one."""
        if not len(labels):
            return "there are no examples"
        for k in self._columns(labels):
            name, values = self.classes[k], labels[:, k]
            if self.spread and np.ptp(values) == 0:
                return f"all values of {name!r} are {values[0]:g}; it needs different ones"
            if self.grades and (odd := values[values != np.round(values)]).size:
                return f"{name!r} has fractions, such as {odd[0]:g}; it needs whole numbers"
            if self.grades and np.ptp(values) > GRADES:
                return f"{name!r} goes from {values.min():g} to {values.max():g}; it needs grades"
        return ""

    def value(
        self,
        labels: Values,  # type: ignore[override]
        probabilities: Floats,
        *,
        threshold: float | None = None,
        weights: Floats | None = None,
    ) -> float:
        """Compute the metric from values and predictions, float64 ``(n, k)`` in the user's units.

        Raises `DataError` for no examples, and for grades with fractions.
        """
        given = [
            (labels[:, k], probabilities[:, k], weights) for k in self._columns(labels)
        ]  # fmt: skip
        if not len(labels) or (self.grades and (labels != np.round(labels)).any()):
            raise DataError(
                f"{self.title} is undefined: {self.undefined(labels)}; choose another metric, or "
                "examples that it is defined for"
            )
        function: Any = self.function
        return float(np.mean([function(*one) for one in given]))

    def of_weights(
        self, labels: NDArray[Any], answers: Floats, weights: Floats, *, threshold: Any = None
    ) -> Floats | None:
        """Compute the metric under many weights ``(r, n)`` at once; None where it cannot."""
        if self.many is None:
            return None
        columns = [self.many(labels[:, k], answers[:, k], weights) for k in self._columns(labels)]
        return np.asarray(np.mean(columns, axis=0))

    def groups(self, labels: Values) -> NDArray[np.int64]:  # type: ignore[override]
        """Return one stratum: examples are drawn regardless of their values."""
        return np.zeros(len(labels), np.int64)

    def _columns(self, labels: Values) -> Sequence[int]:
        return range(labels.shape[1]) if self.column is None else [self.column]


def of_values(
    names: Sequence[str], label: str, name: str, title: str, function: Any, **options: Any
) -> ValueScorer:
    """Make a metric of one value, or the mean over all."""
    column = None
    if label:
        known = {one.casefold(): k for k, one in enumerate(names)}
        if label.casefold() not in known:
            raise UsageError(unknown("value", label, names, where=f"of the metric {name!r}"))
        column = known[label.casefold()]
        name, title = f"{name}:{names[column]}", f"{title} of {names[column]}"
    elif len(names) > 1:
        title = f"{title}, mean of {len(names)} values"
    return ValueScorer(
        name, title, tuple(names), function, uses="probabilities", share=False, column=column,
        **options,
    )  # fmt: skip


def mae(names: Sequence[str], label: str = "") -> ValueScorer:
    """Mean absolute error in the units of the values; mae:NAME of one of several values."""
    function = partial(_error, score="mean_absolute_error")
    return of_values(names, label, "mae", "MAE", function, higher_is_better=False,
                     many=weighted.absolute_error)  # fmt: skip


def rmse(names: Sequence[str], label: str = "") -> ValueScorer:
    """Root of the mean squared error in the units of the values; rmse:NAME of one."""
    function = partial(_error, score="root_mean_squared_error")
    return of_values(names, label, "rmse", "RMSE", function, higher_is_better=False,
                     many=weighted.root_squared_error)  # fmt: skip


def r2(names: Sequence[str], label: str = "") -> ValueScorer:
    """Coefficient of determination: 1 if exact, 0 for the mean of the part; r2:NAME of one."""
    return of_values(names, label, "r2", "R2", _r2, spread=True, many=weighted.r2)


def quadratic_kappa(names: Sequence[str], label: str = "") -> ValueScorer:
    """Cohen's kappa with quadratic weights of rounded predictions, for grades."""
    return of_values(
        names, label, "quadratic-kappa", "quadratic kappa", _kappa, grades=True, spread=True
    )


def _error(values: Floats, predicted: Floats, weights: Floats | None, *, score: str) -> float:
    from sklearn import metrics

    return float(getattr(metrics, score)(values, predicted, sample_weight=weights))


def _r2(values: Floats, predicted: Floats, weights: Floats | None) -> float:
    """scikit-learn's R2; where all values are equal, 1 if predictions are exact, otherwise 0."""
    from sklearn.metrics import r2_score

    if len(values) < 2:  # scikit-learn answers NaN.
        return float((values == predicted).all())
    return float(r2_score(values, predicted, sample_weight=weights))


def _kappa(values: Floats, predicted: Floats, weights: Floats | None) -> float:
    """Kappa of rounded predictions within the range of the values; of equal values as `_r2`."""
    from sklearn.metrics import cohen_kappa_score

    low, high = int(values.min()), int(values.max())
    rounded = np.clip(np.round(predicted), low, high).astype(np.int64)
    if low == high:
        return float((values == np.round(predicted)).all())
    # All grades are named: scikit-learn weighs by position, and one may be missing.
    return float(
        cohen_kappa_score(
            values.astype(np.int64), rounded, labels=list(range(low, high + 1)),
            weights="quadratic", sample_weight=weights,
        )
    )  # fmt: skip


VALUE_METRICS: Registry[Entry[Scorer]] = Registry(
    "metric of values",
    Entry("mae", mae, given=1),
    Entry("rmse", rmse, given=1),
    Entry("r2", r2, given=1),
    Entry("quadratic-kappa", quadratic_kappa, given=1),
    example="mae or mae:NAME",
    listing="metrics",
    aliases={
        "mean-absolute-error": "mae", "root-mean-squared-error": "rmse", "r2-score": "r2",
        "qwk": "quadratic-kappa",
    },
)  # fmt: skip
