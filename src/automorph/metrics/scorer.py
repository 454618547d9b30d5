"""What computes one metric from labels and answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError, UsageError

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scorer:
    """A metric for data with ``classes``: its name, direction and computation.

    ``name`` is what `load_metric` reads, ``title`` is for sentences. ``share`` metrics are
    fractions that are written in percent. ``uses`` says what ``function`` gets besides labels and
    weights: the decided classes or the probabilities. ``positive`` is the class that the metric is
    about; ``fewest`` classes must occur among the labels; ``averages`` is True for means over the
    classes that occur. ``point`` finds the threshold of a metric that has an operating point.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    function: Callable[[Labels, Any, Floats | None], float]
    uses: Literal["decisions", "probabilities"] = "decisions"
    higher_is_better: bool = True
    share: bool = True
    positive: int | None = None
    fewest: int = 1
    averages: bool = False
    point: Callable[[NDArray[np.bool_], Floats], float] | None = None

    @property
    def sign(self) -> int:
        """1 if higher values are better, otherwise -1."""
        return 1 if self.higher_is_better else -1

    def undefined(self, labels: Labels) -> str:
        """Return why the metric has no value for these labels; empty if it has one.

        >>> from automorph.metrics import load_metric
        >>> load_metric("auroc", ("cat", "dog")).undefined(np.array([1, 1]))
        "all examples are of the class 'dog'; it needs at least 2 classes"
        """
        present = np.unique(labels)
        if not len(present):
            return "there are no examples"
        if self.positive is not None and self.positive not in present:
            return f"no example is of the class {self.classes[self.positive]!r}"
        if len(present) < self.fewest:
            name = self.classes[int(present[0])]
            return (
                f"all examples are of the class {name!r}; it needs at least {self.fewest} classes"
            )
        return ""

    def value(
        self,
        labels: Labels,
        probabilities: Floats,
        *,
        threshold: Any = None,
        weights: Floats | None = None,
    ) -> float:
        """Compute the metric from class numbers ``(n,)`` and probabilities ``(n, k)``.

        ``threshold`` is that of the operating point, fixed on other examples (None: on these).
        Raises `DataError` if the metric is undefined for the labels.
        """
        if self.point is not None:
            if threshold is None:
                threshold = self.threshold(labels, probabilities)
            assert self.positive is not None
            return self.of_decisions(
                labels, decide(probabilities, self.positive, threshold), weights=weights
            )
        if self.uses == "decisions":
            return self.of_decisions(labels, probabilities.argmax(axis=1), weights=weights)
        self._check(labels)
        return float(self.function(labels, probabilities, weights))

    def of_decisions(
        self, labels: Labels, decisions: Labels, *, weights: Floats | None = None
    ) -> float:
        """Compute a metric of decided classes ``(n,)``. Raises `UsageError` for other metrics."""
        if self.uses != "decisions":
            raise UsageError(
                f"{self.title} is computed from probabilities, but only the predicted classes are "
                "known; expected a metric of decisions, such as balanced-accuracy"
            )
        self._check(labels)
        return float(self.function(labels, decisions, weights))

    def fix(self, labels: Labels, probabilities: Floats) -> dict[str, float]:
        """Fix what the metric decides by on the validation part: thresholds by name, often none."""
        return {} if self.point is None else {self.name: self.threshold(labels, probabilities)}

    def fixed(self, thresholds: Mapping[str, float]) -> Any:
        """Return what `fix` found, as `value` takes it; None if it is not among ``thresholds``."""
        return thresholds.get(self.name)

    def groups(self, labels: Labels) -> NDArray[np.int64]:
        """Return the stratum of every example for a stratified bootstrap, ``(n,)``."""
        return labels

    def remark(self, labels: Labels) -> str:
        """Return what the value leaves out on these labels, if anything."""
        return ""

    def threshold(self, labels: Labels, probabilities: Floats) -> float:
        """Fix the threshold of the operating point on these examples; above 1: none reaches it.

        An example is called positive if the probability of the class is at least the threshold.
        """
        assert self.point is not None
        assert self.positive is not None
        self._check(labels)
        return self.point(labels == self.positive, probabilities[:, self.positive])

    def _check(self, labels: Labels) -> None:
        if reason := self.undefined(labels):
            raise DataError(
                f"{self.title} is undefined: {reason}; choose another metric, or examples that it "
                "is defined for"
            )


def decide(probabilities: Floats, positive: int, threshold: float) -> Labels:
    """Decide by a threshold: ``positive`` from there on, otherwise the likeliest other class.

    >>> decide(np.array([[0.7, 0.3], [0.9, 0.1]]), 1, 0.25).tolist()
    [1, 0]
    """
    others = probabilities.copy()
    others[:, positive] = -math.inf
    called = probabilities[:, positive] >= threshold
    return np.where(called, positive, others.argmax(axis=1)).astype(np.int64)
