"""The effect of a transformation on data with several labels per example."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from automorph.diagnostics.diagnosis import Bench, Floats, Risk, standard_error
from automorph.theory import target_alignment


@dataclass(frozen=True, eq=False)
class LabelBench(Bench):
    """A `Bench` whose ``labels`` are uint8 ``(n, k)``; the ridge regression is on their columns.

    Each column is scaled to deviation 1, so that rare labels count as much as common ones. A label
    is decided by whether its held-out score is above the middle between the mean scores of the
    examples with and without it. The error of a label is the mean of the shares of wrong decisions
    on both. Its risk is the error on transformed examples, under training with them, minus that on
    originals, under training on originals alone. The label risk of a transformation is that of
    the label with the highest one; its standard error is widened for their number.
    """

    @property
    def accuracy(self) -> float:
        """Held-out balanced accuracy of the originals alone, the mean over all labels."""
        return float(1 - self._weighted(self._wrong_before).mean(0)[self._varies].mean())

    @property
    def informative(self) -> bool:
        """Whether any label is decided better than by guessing, beyond chance."""
        wrong = self._weighted(self._wrong_before)
        error, spread = wrong.mean(0), wrong.std(0, ddof=1) / np.sqrt(len(wrong))
        return bool((error + self._width * spread < 0.5)[self._varies].any())

    @cached_property
    def _varies(self) -> NDArray[np.bool_]:
        return np.asarray(self.labels.any(0) & ~self.labels.all(0))

    @property
    def _width(self) -> float:
        """Standard errors that stand for two of one label (Bonferroni)."""
        return float(stats.norm.isf(stats.norm.sf(2) / max(1, self._varies.sum())))

    @cached_property
    def _targets(self) -> Floats:
        labels = self.labels.astype(np.float32)
        deviation = labels.std(0)
        scaled = (labels - labels.mean(0)) / np.where(deviation > 0, deviation, 1)
        return np.asarray(scaled, np.float32)

    def _alignment_of(self, features: NDArray[Any]) -> float:
        return target_alignment(features, self._targets)

    def _weighted(self, wrong: NDArray[Any]) -> NDArray[np.float64]:
        """Weigh decisions ``(n, .., k)`` such that their mean is the error of each label."""
        share = np.clip(self.labels.mean(0), 1 / len(self.labels), 1 - 1 / len(self.labels))
        weight = np.where(self.labels == 1, 0.5 / share, 0.5 / (1 - share))
        return np.asarray(wrong * weight.reshape(len(weight), *[1] * (wrong.ndim - 2), -1))

    def _wrong(self, scores: Floats) -> NDArray[np.bool_]:
        """Return which decisions ``(n, k)`` are wrong, given the scores."""
        has = self.labels == 1
        count = np.maximum(has.sum(0), 1), np.maximum((~has).sum(0), 1)
        middle = ((scores * has).sum(0) / count[0] + (scores * ~has).sum(0) / count[1]) / 2
        return np.asarray((scores >= middle) != has)

    @cached_property
    def _wrong_before(self) -> NDArray[np.bool_]:
        return self._wrong(self._targets - self._base[1][:, 0])

    def _risk(self, residuals: Floats) -> Risk:
        scores = self._targets[:, None] - residuals
        copies = np.stack([self._wrong(scores[:, b]) for b in range(1, scores.shape[1])], axis=1)
        more = copies.mean(1) - self._wrong_before
        risks = self._weighted(more)
        by_label = np.where(self._varies, risks.mean(0), 0.0)
        worst = int(by_label.argmax())
        own = self.by_group(risks[:, worst]).astype(np.float32)
        return Risk(
            float(by_label[worst]), standard_error(own) * self._width / 2, own,
            by_label=tuple(by_label.tolist()),
        )  # fmt: skip
