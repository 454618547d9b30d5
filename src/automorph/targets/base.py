"""The protocol of a target, and the target of a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset, TargetKind
from automorph.policies import Mixing
from automorph.targets.classes import Classes
from automorph.targets.masks import Masks
from automorph.targets.several_labels import SeveralLabels
from automorph.targets.values import values_of

if TYPE_CHECKING:
    from torch import Tensor


class Target(Protocol):
    """What a network predicts: encoding, loss, decision and metric of one kind of label.

    Three forms of the same content occur: *labels* as the data hold them, *targets* that the loss
    compares with the network's outputs (and that mixing can blend), and *predictions*, which are
    compared with labels. Rows are examples. ``n`` is their number, ``k`` is ``outputs``.
    """

    @property
    def metric(self) -> str:
        """The name of the score, in the words of a report; higher is better."""
        ...

    @property
    def outputs(self) -> int:
        """The number of outputs that a network needs."""
        ...

    @property
    def guess(self) -> float:
        """The mean loss of guessing: by this, a diverged training is recognised."""
        ...

    def encode(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Encode labels as targets ``(n, ..)``. Raises `DataError` for labels out of range."""
        ...

    def decode(self, targets: Any) -> Any:
        """Return the label that each target, which may be mixed, is nearest to."""
        ...

    def mix(self, targets: Any, mixing: Mixing) -> Any:
        """Blend targets as their examples were blended."""
        ...

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the loss of each example, float32 ``(n,)``."""
        ...

    def floor(self, targets: Tensor) -> Tensor:
        """Return the loss of a perfect prediction for each target, ``(n,)``."""
        ...

    def gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the gradient of each example's loss in its logits, ``(n, k)``."""
        ...

    @overload
    def predict(self, logits: Tensor) -> Tensor: ...
    @overload
    def predict(self, logits: NDArray[Any]) -> NDArray[Any]: ...
    def predict(self, logits: Any) -> Any:
        """Decide: predictions from logits ``(n, k)``, an array from an array."""
        ...

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probabilities that logits ``(n, k)`` stand for; of values, the predictions."""
        ...

    @overload
    def correct(self, predictions: Tensor, labels: Tensor) -> Tensor: ...
    @overload
    def correct(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[Any]: ...
    def correct(self, predictions: Any, labels: Any) -> Any:
        """Return which predictions are right, bool ``(n,)``; of values, what each adds to R2."""
        ...

    def score(self, predictions: NDArray[Any], labels: NDArray[Any]) -> float:
        """Return the metric over all examples."""
        ...

    def scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """Return the metric output by output ``(k,)``; NaN for outputs without examples."""
        ...

    def further_scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
        """Return more metrics by name, which are reported and choose nothing."""
        ...


def target_of(data: Dataset) -> Target:
    """Return what a network predicts that is trained on these data.

    >>> from automorph.data import load_data
    >>> target_of(load_data("digits"))
    Classes(outputs=10)
    """
    if data.annotation is not None:
        return TARGETS[data.annotation.kind](data)
    return Classes(len(data.classes))


TARGETS: dict[TargetKind, Callable[[Dataset], Target]] = {
    "labels": SeveralLabels.of,
    "masks": Masks.of,
    "values": values_of,
}
"""What builds the target of annotated data, by kind."""
