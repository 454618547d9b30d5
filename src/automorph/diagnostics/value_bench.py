"""The effect of a transformation on data whose examples have numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.diagnostics.diagnosis import Bench, Floats, Risk, standard_error
from automorph.theory import target_alignment


@dataclass(frozen=True, eq=False)
class ValueBench(Bench):
    """A `Bench` whose ``labels`` are values float64 ``(n, k)``; the ridge regression is on them.

    Each value is scaled to deviation 1. The risk of a value is the mean distance of its held-out
    predictions of transformed examples from the value, under training with them, minus that of the
    originals, under training on originals alone. The label risk of a transformation, in deviations,
    is that of the value with the highest one.
    """

    @property
    def accuracy(self) -> float:
        """Held-out R2 of the originals alone, the mean over all values."""
        return float(1 - self._base_errors.mean() / self._targets.shape[1])

    @property
    def informative(self) -> bool:
        """Whether values are predicted better than by their mean, beyond chance."""
        gain = self.by_group(np.square(self._targets).sum(1) - self._base_errors)
        return bool(gain.mean() > 2 * standard_error(gain))

    @cached_property
    def _deviation(self) -> NDArray[np.float64]:
        deviation = self.labels.std(0)
        return np.asarray(np.where(deviation > 0, deviation, 1.0), np.float64)

    @cached_property
    def _targets(self) -> Floats:
        return np.asarray((self.labels - self.labels.mean(0)) / self._deviation, np.float32)

    def _alignment_of(self, features: NDArray[Any]) -> float:
        return target_alignment(features, self._targets)

    def _risk(self, residuals: Floats) -> Risk:
        before = np.abs(self._base[1][:, 0])
        risks = np.abs(residuals[:, 1:]).mean(1) - before
        by_value = risks.mean(0)
        worst = int(by_value.argmax())
        own = self.by_group(risks[:, worst])
        return Risk(
            float(by_value[worst]), standard_error(own), own,
            further_off=tuple((by_value * self._deviation).tolist()),
        )  # fmt: skip
