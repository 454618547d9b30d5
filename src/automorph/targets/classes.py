"""One label per example: soft cross-entropy, the likeliest class, accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DataError
from automorph.policies import Mixing

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Classes:
    """Single-label classification with ``outputs`` classes.

    Labels and predictions are class numbers int64 ``(n,)``; targets are soft labels float32
    ``(n, k)`` whose rows sum to 1, such as one-hot or mixed ones.
    """

    outputs: int

    @property
    def metric(self) -> str:
        """Accuracy: the share of examples whose likeliest class is their label."""
        return "accuracy"

    @property
    def guess(self) -> float:
        """ln k, the cross-entropy of equal probabilities."""
        return math.log(self.outputs)

    def encode(self, labels: NDArray[np.int64]) -> NDArray[np.float32]:
        """Encode class numbers as one-hot rows. Raises `DataError` for numbers out of range.

        >>> Classes(3).encode(np.array([1])).tolist()
        [[0.0, 1.0, 0.0]]
        """
        if len(labels) and (labels.min() < 0 or labels.max() >= self.outputs):
            raise DataError(
                f"labels range from {labels.min()} to {labels.max()}; expected 0 to "
                f"{self.outputs - 1}, for {self.outputs} classes: check the data, or use a network "
                "with one output per class"
            )
        return np.eye(self.outputs, dtype=np.float32)[labels]

    @overload
    def decode(self, targets: Tensor) -> Tensor: ...
    @overload
    def decode(self, targets: NDArray[Any]) -> NDArray[np.int64]: ...
    def decode(self, targets: Any) -> Any:
        """Return the class with the largest share of each soft label."""
        return self.predict(targets)

    def mix(self, targets: Any, mixing: Mixing) -> Any:
        """Blend soft labels with the weights by which the examples were blended."""
        return mixing.labels(targets)

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """CE(p, q) = -sum_k q_k log softmax(p)_k for each example.

        With smoothing s the targets are (1 - s) q + s / k (Szegedy et al. 2016, "Rethinking the
        Inception architecture", section 7).
        """
        if smoothing:
            targets = targets * (1 - smoothing) + smoothing / targets.shape[1]
        return -(targets * logits.float().log_softmax(dim=1)).sum(dim=1)

    def floor(self, targets: Tensor) -> Tensor:
        """H(q) of soft labels ``(n, k)``: the cross-entropy of a perfect model.

        >>> import torch
        >>> Classes(2).floor(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).tolist()
        [0.0, 0.6931471824645996]
        """
        import torch

        entropy: Tensor = torch.special.entr(targets).sum(dim=1)
        return entropy

    def gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """softmax(p) - q."""
        return logits.softmax(dim=1) - targets

    @overload
    def predict(self, logits: Tensor) -> Tensor: ...
    @overload
    def predict(self, logits: NDArray[Any]) -> NDArray[np.int64]: ...
    def predict(self, logits: Any) -> Any:
        """Return the likeliest class; the first of equal ones."""
        if isinstance(logits, np.ndarray):
            return np.asarray(logits.argmax(axis=1), np.int64)
        return logits.argmax(1)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return the softmax of logits ``(n, k)``."""
        exp = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
        return np.asarray(exp / exp.sum(axis=1, keepdims=True), np.float64)

    @overload
    def correct(self, predictions: Tensor, labels: Tensor) -> Tensor: ...
    @overload
    def correct(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.bool_]: ...
    def correct(self, predictions: Any, labels: Any) -> Any:
        """Return which class numbers are equal; predictions may have leading axes (runs)."""
        return predictions == labels

    def score(self, predictions: NDArray[Any], labels: NDArray[Any]) -> float:
        """Accuracy.

        >>> Classes(2).score(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]))
        0.75
        """
        return float(self.correct(predictions, labels).mean())

    def scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """Accuracy on the examples of each class ``(k,)``; of several runs, their mean.

        >>> Classes(3).scores(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])).tolist()
        [0.5, 1.0, nan]
        """
        shares = self.correct(np.atleast_2d(predictions), labels).mean(axis=0)
        right = np.bincount(labels, shares, self.outputs)
        count = np.bincount(labels, minlength=self.outputs)
        empty = np.full(self.outputs, np.nan)
        return np.asarray(np.divide(right, count, out=empty, where=count > 0), np.float64)

    def further_scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
        """Return metrics that are reported beside the accuracy and choose nothing.

        Balanced accuracy is the mean of the accuracies of all classes that occur.

        >>> Classes(2).further_scores(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1]))
        {'balanced accuracy': 0.5}
        """
        return {"balanced accuracy": float(np.nanmean(self.scores(predictions, labels)))}
