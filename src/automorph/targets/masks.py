"""A class for each pixel: cross-entropy over pixels, their likeliest classes, and accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from automorph.data import IGNORE, Dataset
from automorph.errors import DataError, UsageError
from automorph.policies import Mixing, Policy, follow

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Masks:
    """Semantic segmentation with ``outputs`` classes.

    Labels, targets and predictions are class numbers uint8 ``(n, H, W)``; pixels of the value 255
    are ignored. Logits are ``(n, k, H, W)``. ``entropy`` is that of the classes of the training
    pixels in nats, the loss of a guess that knows their frequencies alone. The loss is the
    ``cross_entropy`` of the pixels, the ``dice`` loss, or their sum.
    """

    outputs: int
    entropy: float
    dice: bool = False
    cross_entropy: bool = True

    @classmethod
    def of(cls, data: Dataset) -> Masks:
        """Return the target of a data set with masks.

        Raises `DataError` if all pixels of its training part are of one class.
        """
        if data in _KNOWN:
            return _KNOWN[data]
        masks = data.train.annotations
        assert masks is not None
        outputs = len(data.predicted)
        counts = pixel_counts(masks, outputs)
        if (counts > 0).sum() < 2:
            raise DataError(
                f"{data.name}: all pixels of the {len(masks)} training masks are of the class "
                f"{data.predicted[int(counts.argmax())]!r}; expected at least two classes"
            )
        shares = counts[counts > 0] / counts.sum()
        return _KNOWN.setdefault(data, cls(outputs, float(-(shares * np.log(shares)).sum())))

    @classmethod
    def of_classes(cls, outputs: int) -> Masks:
        """Return the target of a trained network: how often its classes occurred is not known."""
        return cls(outputs, math.log(outputs))

    @property
    def metric(self) -> str:
        """Pixel accuracy: the share of pixels whose likeliest class is their label."""
        return "pixel accuracy"

    @property
    def guess(self) -> float:
        """The entropy of the classes; at least 0.1 nats, so that rare classes need not vanish.

        The Dice loss of any guess is at most 1.
        """
        return self.cross_entropy * max(self.entropy, 0.1) + float(self.dice)

    def encode(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Check class numbers, which are the targets. Raises `DataError` for those out of range."""
        beyond = (labels >= self.outputs) & (labels != IGNORE)
        if beyond.any():
            raise DataError(
                f"masks contain the value {labels[beyond][0]}; expected 0 to {self.outputs - 1}, "
                f"for {self.outputs} classes, and {IGNORE} for pixels to ignore"
            )
        return labels

    def decode(self, targets: Any) -> Any:
        """Return the masks, which targets are."""
        return targets

    def mix(self, targets: Any, mixing: Mixing) -> Any:
        """Raise `UsageError`: masks of blended images have no single class for a pixel."""
        raise UsageError(
            "masks cannot be blended as mixup and CutMix blend labels; expected a policy of "
            "operations, such as flip-crop + randaugment"
        )

    def follow(
        self, policy: Policy, images: NDArray[Any], masks: NDArray[Any], **draw: Any
    ) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Return images and masks that one draw of a policy moves alike.

        What comes in from outside an image is ignored; operations on colours leave masks alone.
        ``draw`` are the ``seed``, ``epoch``, ``index`` and ``copy`` of `automorph.follow`.
        """
        found = follow(policy, images, masks=masks, ignore=IGNORE, **draw)
        assert found.masks is not None
        return found.images, found.masks

    def preview(
        self,
        policy: Policy,
        images: NDArray[Any],
        masks: NDArray[np.uint8],
        *,
        draws: int = 6,
        seed: int = 0,
        epochs: int = 1,
    ) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Return the images of `Policy.preview`, and their masks ``(n, 1 + draws, H, W)``."""
        pairs = [(images, masks)]
        for copy in range(draws):
            epoch = (epochs - 1) * copy // max(draws - 1, 1)
            pairs.append(self.follow(policy, images, masks, seed=seed, epoch=epoch, copy=copy))
        moved, found = (np.stack(one, axis=1) for one in zip(*pairs, strict=True))
        return moved, found

    def loss(self, logits: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
        """Return the mean cross-entropy over the pixels of each example that are not ignored.

        With ``dice``, the Dice loss is added, or taken in its place.
        """
        if not self.dice:
            return self._entropies(logits, targets, smoothing)
        found = self._dice(logits, targets)
        return found + self._entropies(logits, targets, smoothing) if self.cross_entropy else found

    def _dice(self, logits: Tensor, targets: Tensor) -> Tensor:
        """1 - mean_c 2 sum_i p_ic y_ic / sum_i (p_ic + y_ic), over the classes of each mask.

        Sums are over the pixels i that are not ignored. Milletari et al., "V-Net" (2016), with
        plain sums below the line (Sudre et al. 2017); classes that a mask lacks are left out.
        """
        from torch.nn.functional import one_hot

        known = (targets != IGNORE)[:, None]
        truth = one_hot(targets.long() * known[:, 0], self.outputs).movedim(-1, 1) * known
        shares = logits.float().softmax(dim=1) * known
        sizes = truth.sum(dim=(2, 3))
        scores = (
            2 * (shares * truth).sum(dim=(2, 3)) / (shares.sum(dim=(2, 3)) + sizes).clamp(min=1e-7)
        )
        there = sizes > 0
        # A mask of ignored pixels alone has no class, and no loss.
        mean: Tensor = ((1 - scores) * there).sum(dim=1) / there.sum(dim=1).clamp(min=1)
        return mean

    def _entropies(self, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        from torch.nn.functional import cross_entropy

        losses = cross_entropy(
            logits.float(), targets.long(), ignore_index=IGNORE, reduction="none",
            label_smoothing=smoothing,
        )  # fmt: skip
        mean: Tensor = losses.sum(dim=(1, 2)) / self._counted(targets)
        return mean

    def floor(self, targets: Tensor) -> Tensor:
        """Return zeros ``(n,)``: every pixel has one class."""
        return targets.new_zeros(len(targets), dtype=_float32())

    def gradient(self, logits: Tensor, targets: Tensor) -> Tensor:
        """(softmax(p) - q) / m for the m pixels of an example that are not ignored, else 0.

        With ``dice``, the derivative of the loss.
        """
        if self.dice:
            import torch

            with torch.enable_grad():
                given = logits.detach().requires_grad_()
                return torch.autograd.grad(self.loss(given, targets).sum(), given)[0]
        from torch.nn.functional import one_hot

        known = targets != IGNORE
        truth = one_hot(targets.long() * known, self.outputs).movedim(-1, 1)
        gap = (logits.softmax(dim=1) - truth) * known[:, None]
        return gap / self._counted(targets).view(-1, 1, 1, 1)

    @staticmethod
    def _counted(targets: Tensor) -> Tensor:
        return (targets != IGNORE).sum(dim=(1, 2)).clamp(min=1)

    @overload
    def predict(self, logits: Tensor) -> Tensor: ...
    @overload
    def predict(self, logits: NDArray[Any]) -> NDArray[np.int64]: ...
    def predict(self, logits: Any) -> Any:
        """Return the likeliest class of each pixel, uint8; the first of equal ones."""
        if isinstance(logits, np.ndarray):
            return logits.argmax(axis=1).astype(np.uint8)
        return logits.argmax(dim=1).byte()

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return the softmax of logits over the classes."""
        exp = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
        return np.asarray(exp / exp.sum(axis=1, keepdims=True), np.float64)

    def correct(self, predictions: Any, labels: Any) -> Any:
        """Return the pixel accuracy of each example, float ``(n,)``; predictions may have runs."""
        known = labels != IGNORE
        right = ((predictions == labels) & known).sum((-1, -2))
        count = known.sum((-1, -2))
        return right / (count.clip(1) if isinstance(count, np.ndarray) else count.clamp(min=1))

    def score(self, predictions: NDArray[Any], labels: NDArray[Any]) -> float:
        """Pixel accuracy over all examples.

        >>> mask = np.array([[[0, 1], [1, 255]]], np.uint8)
        >>> Masks(2, 0.6).score(np.zeros((1, 2, 2), np.uint8), mask)
        0.333...
        """
        known = labels != IGNORE
        right = ((predictions == labels) & known).sum()
        return float(right / max(1, known.sum() * (predictions.size // labels.size)))

    def scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float64]:
        """Accuracy on the pixels of each class ``(k,)``; NaN for classes without pixels."""
        right = pixel_counts(np.where(predictions == labels, labels, IGNORE), self.outputs)
        count = pixel_counts(labels, self.outputs) * (predictions.size // labels.size)
        empty = np.full(self.outputs, math.nan)
        return np.asarray(np.divide(right, count, out=empty, where=count > 0), np.float64)

    def further_scores(self, predictions: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
        """Return the mean accuracy of the classes that occur, which chooses nothing."""
        return {"mean class accuracy": float(np.nanmean(self.scores(predictions, labels)))}


_KNOWN: WeakKeyDictionary[Dataset, Masks] = WeakKeyDictionary()
"""The targets of data sets: a training asks for its own at every step."""


def pixel_counts(masks: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Return the number of pixels of each class ``(k,)``, without ignored ones."""
    counts = np.zeros(IGNORE + 1, np.int64)
    for mask in masks.reshape(-1, *masks.shape[-2:]):
        counts += np.bincount(mask.ravel(), minlength=IGNORE + 1)
    return counts[:classes]


def _float32() -> Any:
    import torch

    return torch.float32
