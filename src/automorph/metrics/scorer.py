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
ShareOf = Literal["", "all", "present", "absent", "called", "either"]


@dataclass(frozen=True)
class Scorer:
    """A metric for data with ``classes``: its name, direction and computation.

    ``name`` is what `load_metric` reads, ``title`` is for sentences. ``share`` metrics are
    fractions that are written in percent. ``uses`` says what ``function`` gets besides labels and
    weights: the decided classes or the probabilities. ``positive`` is the class that the metric is
    about; ``fewest`` classes must occur among the labels; ``averages`` is True for means over the
    classes that occur. ``point`` finds the threshold of a metric that has an operating point.
    ``share_of`` says which examples the metric is a share of: all of them, those of the class, the
    others, those called so, or (F1) those that are of the class or called so.
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
    share_of: ShareOf = ""

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
        if self.uses == "decisions":
            if self.point is not None and threshold is None:
                threshold = self.threshold(labels, probabilities)
            decisions = self.decided(probabilities, threshold)
            return self.of_decisions(labels, decisions, weights=weights)
        self._check(labels)
        return float(self.function(labels, probabilities, weights))

    def decided(self, probabilities: Floats, threshold: Any = None) -> Labels:
        """Return the decided classes ``(n,)``: by the threshold of the operating point, if any."""
        if self.point is None:
            return np.asarray(probabilities.argmax(axis=1), np.int64)
        assert self.positive is not None
        return decide(probabilities, self.positive, threshold)

    def trials(self, labels: Labels, decisions: Labels) -> int:
        """Return of how many examples the metric is the share, if it is one (``share_of``).

        >>> from automorph.metrics import load_metric
        >>> load_metric("recall:dog", ("cat", "dog")).trials(np.array([1, 0, 1]), np.zeros(3))
        2
        """
        if self.share_of == "all":
            return len(labels)
        of = self._has(decisions if self.share_of == "called" else labels)
        if self.share_of == "either":
            of = of | self._has(decisions)
        return int((~of if self.share_of == "absent" else of).sum())

    def fewest_examples(self, labels: Labels) -> int:
        """Return the size of the smallest group of examples that the metric averages over.

        The groups are the examples with and without each class (or the one that it is about); 0 for
        other metrics. A mean over classes of means of values from 0 to 1 is 1 with at most the
        probability with which all examples of one group are right.

        >>> from automorph.metrics import load_metric
        >>> load_metric("auroc", ("cat", "dog")).fewest_examples(np.array([1, 0, 1]))
        1
        """
        if not self.averages and self.positive is None:
            return 0
        counts = [n for n in self._counts(labels) if n]
        return min((min(n, len(labels) - n or n) for n in counts), default=0)

    def _counts(self, labels: Labels) -> list[int]:
        """Return how many examples have each class that the metric averages over, or is about."""
        which = range(len(self.classes)) if self.positive is None else [self.positive]
        return [int((labels == k).sum()) for k in which]

    def _has(self, labels: Labels) -> NDArray[np.bool_]:
        """Return which examples are of the class that the metric is about."""
        return np.asarray(labels == self.positive)

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

    def of_weights(
        self, labels: NDArray[Any], answers: Floats, weights: Floats, *, threshold: Any = None
    ) -> Floats | None:
        """Compute the metric under many weights ``(r, n)`` at once; None where it cannot."""
        return None

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
