"""Several labels per example: binary cross-entropy, a threshold for each label, exact match."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset
from automorph.errors import DataError
from automorph.policies import Mixing

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SeveralLabels:
    """Multi-label classification with ``outputs`` labels, any number of which an example has.

    Labels and predictions are uint8 ``(n, k)``; targets are float32 ``(n, k)`` in [0, 1]. A label
    is predicted if its probability is at least its entry in ``thresholds`` (empty: 0.5).
    ``shares`` are how often each label occurs in training (empty: not known). The loss multiplies
    that of present labels by ``weights`` (empty: 1), and adds ``shift`` (empty: 0) to the logits.
    """

    outputs: int
    shares: tuple[float, ...] = ()
    thresholds: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    shift: tuple[float, ...] = ()

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Return the target for the training part of a data set."""
        shares = data.train.expected.mean(axis=0, dtype=np.float64)
        return cls(len(shares), tuple(shares.tolist()))

    def with_thresholds(self, thresholds: Sequence[float]) -> Self:
        """Return the target that decides by these thresholds, one for each label."""
        return replace(self, thresholds=tuple(thresholds))

    @property
    def metric(self) -> str:
        """Exact match: the share of examples all of whose labels are predicted, and no other."""
        return "exact match"

    @property
    def guess(self) -> float:
        """The mean entropy of the labels' shares; ln 2, of equal probabilities, if not known."""
        shares = [share for share in self.shares if 0 < share < 1]
        if not shares:
            return math.log(2)
        entropies = (-p * math.log(p) - (1 - p) * math.log(1 - p) for p in shares)
        return sum(entropies) / len(self.shares)

    def encode(self, labels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode labels as floats. Raises `DataError` for another shape or other entries.

        >>> SeveralLabels(2).encode(np.uint8([[0, 1]])).tolist()
        [[0.0, 1.0]]
        """
        if labels.ndim != 2 or labels.shape[1] != self.outputs or (labels > 1).any():
            raise DataError(
                f"labels have shape {labels.shape} and a largest entry of {labels.max(initial=0)}; "
                f"expected 0 or 1 for each of {self.outputs} labels: check the data, or use a "
                "network with one output per label"
            )
        return labels.astype(np.float32)

    def decode(self, targets: Any) -> Any:
        """Return the labels of which a target, which may be mixed, has at least a half."""
        return targets >= 0.5

    def mix(self, targets: Any, mixing: Mixing) -> Any:
        """Blend targets with the weights by which the examples were blended."""
        return mixing.labels(targets)

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """BCE = -1/k sum_k w_k q_k log s(f_k) + (1 - q_k) log(1 - s(f_k)), with s the sigmoid.

        With smoothing e the targets are (1 - e) q + e / 2.
        """
        from torch.nn.functional import logsigmoid

        if smoothing:
            targets = targets * (1 - smoothing) + smoothing / 2
        exact = self._shifted(logits)
        present = targets * logsigmoid(exact)
        if self.weights:
            present = present * exact.new_tensor(self.weights)
        return -(present + (1 - targets) * logsigmoid(-exact)).mean(dim=1)

    def floor(self, targets: Tensor) -> Tensor:
        """The mean entropy of targets: the loss of a perfect model.

        >>> import torch
        >>> SeveralLabels(2).floor(torch.tensor([[1.0, 0.0], [1.0, 0.5]])).tolist()
        [0.0, 0.346...]
        """
        import torch

        entropies: Tensor = torch.special.entr(targets) + torch.special.entr(1 - targets)
        return entropies.mean(dim=1)

    def gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """((1 - q) s(f) - w q (1 - s(f))) / k."""
        chance = self._shifted(logits).sigmoid()
        weight = chance.new_tensor(self.weights) if self.weights else 1.0
        return ((1 - targets) * chance - weight * targets * (1 - chance)) / self.outputs

    @overload
    def predict(self, logits: Tensor) -> Tensor: ...
    @overload
    def predict(self, logits: NDArray[Any]) -> NDArray[np.int64]: ...
    def predict(self, logits: Any) -> Any:
        """Return the labels whose probability reaches their threshold, ``(n, k)``.

        >>> SeveralLabels(2, thresholds=(0.5, 0.9)).predict(np.array([[1.0, 1.0]])).tolist()
        [[1, 0]]
        """
        if isinstance(logits, np.ndarray):
            at = np.array(self.thresholds or 0.5)
            return (self.probabilities(logits) >= at).astype(np.uint8)
        if not self.thresholds:
            return logits >= 0
        return logits.sigmoid() >= logits.new_tensor(self.thresholds)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sigmoid of logits ``(n, k)``."""
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64))), np.float64)

    @overload
    def correct(self, predictions: Tensor, labels: Tensor) -> Tensor: ...
    @overload
    def correct(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.bool_]: ...
    def correct(self, predictions: Any, labels: Any) -> Any:
        """Return which examples have exactly the predicted labels, ``(n,)``."""
        return (predictions == labels).all(-1)

    def score(self, predictions: NDArray[Any], labels: NDArray[Any]) -> float:
        """Exact match.

        >>> SeveralLabels(2).score(np.array([[0, 1], [1, 1]]), np.array([[0, 1], [0, 1]]))
        0.5
        """
        return float(self.correct(predictions, labels).mean())

    def scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """F1 of each label ``(k,)``, of several runs their mean; NaN for a label that none has.

        >>> SeveralLabels(2).scores(np.array([[1, 0], [1, 1]]), np.array([[1, 0], [0, 0]])).tolist()
        [0.66..., nan]
        """
        runs = predictions.reshape(-1, *labels.shape).astype(np.int64)
        hits = (runs * labels).sum(axis=1)
        both = runs.sum(axis=1) + labels.sum(axis=0, dtype=np.int64)
        f1 = np.divide(2 * hits, both, out=np.zeros(both.shape), where=both > 0).mean(axis=0)
        return np.where(labels.any(axis=0), f1, np.nan)

    def further_scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
        """Return the mean F1 of the labels that occur."""
        return {"macro F1": float(np.nanmean(self.scores(predictions, labels)))}

    def _shifted(self, logits: Tensor) -> Tensor:
        exact = logits.float()
        return exact + exact.new_tensor(self.shift) if self.shift else exact
