"""Values: one or several numbers of each example, learned as standardised numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset
from automorph.errors import DataError, UsageError
from automorph.policies import Mixing

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Values:
    """Regression of k values with the ``mean`` and deviation ``std`` of the training part.

    Labels and predictions are float64 ``(n, k)`` in the user's units; targets and the network's
    outputs are standardised, float32 ``(n, k)``. ``huber``: the loss is Huber's, which grows
    linearly beyond one deviation (Huber, "Robust estimation of a location parameter", 1964).
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    huber: bool = False

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Values:
        """Return the target of training values ``(n, k)``.

        >>> Values.of(np.array([[1.0], [3.0]]))
        Values(mean=(2.0,), std=(1.0,), huber=False)
        """
        mean, std = values.mean(axis=0), values.std(axis=0)
        return cls(_plain(mean), _plain(np.where(std > 0, std, 1.0)))

    @property
    def metric(self) -> str:
        """The share of the training values' variance that is explained."""
        return "R2"

    @property
    def outputs(self) -> int:
        """The number of values."""
        return len(self.mean)

    @property
    def guess(self) -> float:
        """The squared loss of answering the training mean, 1; at most half of it by Huber."""
        return 0.5 if self.huber else 1.0

    def encode(self, labels: NDArray[np.float64]) -> NDArray[np.float32]:
        """Standardise values. Raises `DataError` for other shapes and values that are not finite.

        >>> Values((2.0,), (0.5,)).encode(np.array([[3.0]])).tolist()
        [[2.0]]
        """
        if labels.ndim != 2 or labels.shape[1] != self.outputs or not np.isfinite(labels).all():
            raise DataError(
                f"got values of shape {labels.shape}; expected finite ones of shape "
                f"(n, {self.outputs}): check the data"
            )
        standardised = (labels - np.array(self.mean)) / np.array(self.std)
        return np.asarray(standardised, np.float32)

    def decode(self, targets: Any) -> Any:
        """Return the values of targets, which may be mixed, in the user's units."""
        return self.predict(targets)

    def mix(self, targets: Any, mixing: Mixing) -> Any:
        """Blend values as their examples were blended.

        mixup for regression: Zhang et al., "mixup", ICLR 2018; of CutMix, by the shares of area.
        """
        return mixing.labels(targets)

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the mean over the values of the squared error, or of Huber's loss, ``(n,)``."""
        from torch.nn import functional

        if smoothing:
            raise UsageError(
                f"got label_smoothing={smoothing:g} for values; expected 0, as only classes can be "
                "smoothed: leave it out"
            )
        compare = functional.huber_loss if self.huber else functional.mse_loss
        return compare(logits.float(), targets, reduction="none").mean(dim=1)

    def floor(self, targets: Tensor) -> Tensor:
        """0: a perfect model predicts the values, also mixed ones."""
        return targets.new_zeros(len(targets))

    def gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """2 (p - y) / k, or of Huber's loss the error cut to [-1, 1], divided by k."""
        error = logits - targets
        slope = error.clamp(-1, 1) if self.huber else 2 * error
        return slope / self.outputs

    @overload
    def predict(self, logits: Tensor) -> Tensor: ...
    @overload
    def predict(self, logits: NDArray[Any]) -> NDArray[np.float64]: ...
    def predict(self, logits: Any) -> Any:
        """Return the values in the user's units, float64 from an array."""
        if isinstance(logits, np.ndarray):
            return logits.astype(np.float64) * np.array(self.std) + np.array(self.mean)
        return logits.float() * logits.new_tensor(self.std) + logits.new_tensor(self.mean)

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return the predictions: what a metric of values is computed from."""
        return self.predict(logits)

    @overload
    def correct(self, predictions: Tensor, labels: Tensor) -> Tensor: ...
    @overload
    def correct(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]: ...
    def correct(self, predictions: Any, labels: Any) -> Any:
        """Return 1 - ((p - y) / std)^2, the mean over the values: what each example adds to R2.

        Predictions may have leading axes (runs).
        """
        array = isinstance(predictions, np.ndarray)
        std = np.array(self.std) if array else predictions.new_tensor(self.std)
        return 1 - (((predictions - labels) / std) ** 2).mean(-1)

    def score(self, predictions: NDArray[Any], labels: NDArray[Any]) -> float:
        """R2 against the variance of the training part: 1 if exact, 0 for its mean.

        >>> Values((2.0,), (1.0,)).score(np.array([[1.0], [2.0]]), np.array([[1.0], [3.0]]))
        0.5
        """
        return float(self.correct(predictions, labels).mean())

    def scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """The same value by value ``(k,)``; of several runs, their mean."""
        errors = ((predictions - labels) / np.array(self.std)) ** 2
        return np.asarray(1 - errors.reshape(-1, self.outputs).mean(axis=0), np.float64)

    def further_scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
        """Return nothing: further metrics of values have units (see `automorph.metrics`)."""
        return {}


def values_of(data: Dataset) -> Values:
    """Return the target of a data set of values."""
    return Values.of(data.train.expected)


def _plain(numbers: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(map(float, numbers))
