"""Classes of different sizes: sampled equally, weighted in the loss, or shifted in the logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.errors import UsageError
from automorph.targets import AdjustedClasses, Classes, SeveralLabels, Target
from automorph.training.augmenter import Augmenter
from automorph.training.sampler import balanced_rows, batches
from automorph.training.task import Task


class Balance:
    """What the entry ``balance`` of a recipe changes in the training of a task.

    - ``none``: nothing;
    - ``sampler``: an epoch has as many examples as before, equally many of each class;
    - ``loss``: the loss of an example is multiplied by the weight of its class (`class_weights`),
      that of a mixed one by the weight to be expected under its soft label;
    - ``logits``: logit adjustment (`AdjustedClasses`).

    Each makes a network rank the classes as if they were equally common. A class without training
    examples counts as if it had one. Several labels are balanced by ``loss`` alone, which then
    multiplies the loss of a present label by its weight (`label_weights`). Raises `UsageError` for
    other targets, and for an augmenter that chooses the examples of an epoch itself, if the sampler
    would, too.
    """

    def __init__(self, task: Task, augmenter: Augmenter | None = None) -> None:
        self.kind, self.batch_size = task.recipe.balance, task.recipe.batch_size
        self.augmenter = augmenter
        self.labels = task.data.train.labels
        self.target: Target = task.target
        """The target whose loss is minimised."""
        self.as_common: Target = task.target
        """The target whose loss judges a balanced network on classes as common as they are."""
        self._weights: Tensor | None = None
        if self.kind == "none":
            return
        if isinstance(self.target, SeveralLabels):
            self._weigh_labels(self.target)
            return
        if not isinstance(self.target, Classes):
            raise UsageError(
                f"got balance={self.kind!r} for {type(self.target).__name__}; expected one label "
                "for each example, as only classes can be balanced: use balance='none'"
            )
        if self.kind == "sampler" and _chooses_rows(augmenter):
            raise UsageError(
                f"got balance='sampler' with {type(augmenter).__name__}, which itself chooses the "
                "examples of an epoch; expected one of them to: use balance='loss' or 'logits'"
            )
        counts = np.maximum(np.bincount(self.labels, minlength=self.target.outputs), 1)
        self.as_common = AdjustedClasses.of(counts.tolist())
        if self.kind == "logits":
            self.target = self.as_common
        elif self.kind == "loss":
            self._weights = torch.from_numpy(class_weights(counts)).float()

    def _weigh_labels(self, target: SeveralLabels) -> None:
        """Weigh the presence of each label by how many examples lack it for one that has it."""
        if self.kind != "loss":
            raise UsageError(
                f"got balance={self.kind!r} for several labels; expected none or loss, because an "
                "example may have rare and common labels: balance='loss' weighs each label"
            )
        weights = label_weights(np.asarray(target.shares))
        self.target = replace(target, weights=tuple(weights.tolist()))
        # The weighted loss raises each logit by the logarithm of its weight.
        self.as_common = replace(target, shift=tuple((-np.log(weights)).tolist()))

    def rows(self, *, seed: int, epoch: int) -> Sequence[NDArray[np.int64]]:
        """Return the rows of every batch of an epoch."""
        n, size = len(self.labels), self.batch_size
        if self.kind == "sampler":
            return balanced_rows(self.labels, size, seed=seed, epoch=epoch)
        if self.augmenter is None:
            return batches(n, size, seed=seed, epoch=epoch)
        return self.augmenter.epoch_rows(n, size, seed=seed, epoch=epoch)

    def weights(self, labels: Tensor, given: Tensor | None = None) -> Tensor | None:
        """Return the weights ``(n,)`` of the losses of soft labels, times those given; or None."""
        if self._weights is None:
            return given
        weights = labels @ self._weights.to(labels.device)
        return weights if given is None else weights * given

    @property
    def shares(self) -> NDArray[np.float64]:
        """The shares of the classes as the training counts them: what a guess would predict."""
        counts = np.bincount(self.labels).astype(np.float64)
        if self.kind in ("sampler", "loss"):
            counts = (counts > 0).astype(np.float64)
        return np.asarray(counts / counts.sum())


def class_weights(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return w_k = n / (K n_k) for K classes with n_k of n training examples.

    Inverse to the size of the class, with a mean over the examples of 1, so that the learning rate
    keeps its meaning (King and Zeng, "Logistic regression in rare events data", 2001; the
    ``class_weight="balanced"`` of scikit-learn).

    >>> class_weights(np.array([6, 2]))
    array([0.66..., 2.        ])
    """
    return np.asarray(counts.sum() / (len(counts) * counts), np.float64)


def label_weights(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return w_k = (1 - p_k) / p_k for labels on a share p_k of the training examples.

    Both kinds of examples of a label then weigh the same (the ``pos_weight`` of
    ``torch.nn.BCEWithLogitsLoss``). 1 for a label that all examples have, or none.

    >>> label_weights(np.array([0.25, 0.5, 1.0]))
    array([3., 1., 1.])
    """
    varies = (shares > 0) & (shares < 1)
    return np.divide(1 - shares, shares, out=np.ones(len(shares)), where=varies)


def _chooses_rows(augmenter: Augmenter | None) -> bool:
    return augmenter is not None and type(augmenter).epoch_rows is not Augmenter.epoch_rows
