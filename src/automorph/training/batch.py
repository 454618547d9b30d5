"""The data of a training step: raw batches, encoded batches, units of cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.operations import occurring
from automorph.targets import Classes, Target

Encoder = Callable[[Any, torch.device], Tensor]


@dataclass(frozen=True)
class Units:
    """Cost in examples passed forward and backward through the network.

    A plain training step of n examples costs n of each. The work of an augmenter (such as scoring
    candidates) is added to that; evaluation is not counted.

    >>> Units(128, 128) + Units(forward=512)
    Units(forward=640, backward=128)
    >>> _.passes
    298.66...
    """

    forward: int = 0
    backward: int = 0

    def __add__(self, other: Units) -> Units:
        return Units(self.forward + other.forward, self.backward + other.backward)

    @property
    def passes(self) -> float:
        """The same in passes: one example forward and backward through the network.

        A backward pass takes twice the arithmetic of a forward pass (Kaplan et al., "Scaling laws
        for neural language models", 2020, section 2.1), so a forward pass alone is a third.
        """
        return (self.forward + 2 * self.backward) / 3


@dataclass(frozen=True)
class Normaliser:
    """uint8 images to network inputs: (x / 255 - mean) / std, channel by channel.

    >>> inputs = Normaliser((0.5,), (0.25,))(np.full((2, 8, 8, 1), 255, np.uint8))
    >>> inputs.shape, inputs.max().item()
    (torch.Size([2, 1, 8, 8]), 2.0)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, images: NDArray[np.uint8], device: torch.device | None = None) -> Tensor:
        """Map uint8 ``(n, H, W, C)`` to float32 ``(n, C, H, W)`` in channels-last memory."""
        # Torch refuses read-only memory (such as a memory map). Bytes are sent to the device
        # because floats would be four times as large.
        own = np.require(images, requirements=("C", "W"))
        pixels = torch.from_numpy(own).to(device, non_blocking=True)
        mean = torch.tensor(self.mean, device=device).view(1, -1, 1, 1)
        std = torch.tensor(self.std, device=device).view(1, -1, 1, 1)
        # The permuted view of NHWC is already channels-last: no data is moved.
        inputs = pixels.permute(0, 3, 1, 2).to(torch.float32)
        return inputs.mul_(1 / (255 * std)).sub_(mean / std)


Rows = slice | NDArray[np.int64]
"""Some rows of a batch: a slice of consecutive rows, or row numbers."""


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch as the network sees it.

    ``inputs`` float ``(n, C, H, W)``, channels-last; ``labels`` soft, float32 ``(n, classes)``, or
    what ``target`` encodes others as, such as masks uint8 ``(n, H, W)``; ``index`` int64 ``(n,)``,
    the numbers of the examples in the training part; ``weights`` float32 ``(n,)`` of the losses, or
    None for equal ones. ``views`` consecutive rows are views of one example and stay together.
    Where inputs are words, which cannot be blended, ``partner`` (inputs of the same shape) and
    ``share`` float32 ``(n,)`` tell the network to mix embeddings.
    ``target`` is what the labels mean (see `automorph.targets`); None: soft labels of classes.
    ``unlabelled`` are examples without labels (theirs are zeros), for `Augmenter.unlabelled_loss`;
    they go through the network in the same pass. ``progress`` is that of the `RawBatch`.
    """

    inputs: Tensor
    labels: Tensor
    index: NDArray[np.int64]
    weights: Tensor | None = None
    views: int = 1
    partner: Tensor | None = None
    share: Tensor | None = None
    target: Target = None  # type: ignore[assignment]
    unlabelled: Batch | None = None
    progress: float = 0.0

    def __post_init__(self) -> None:
        _complete(self)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def examples(self) -> int:
        """The number of examples, each counted once whatever its number of views."""
        return len(self) // self.views

    @property
    def passed(self) -> int:
        """The number of rows that pass through the network, with and without labels."""
        return len(self) + (0 if self.unlabelled is None else len(self.unlabelled))

    @property
    def arguments(self) -> tuple[Tensor, ...]:
        """The arguments of the network's forward pass."""
        if self.partner is None or self.share is None:
            return (self.inputs,)
        return (self.inputs, self.partner, self.share)

    def part(self, examples: Rows) -> Batch:
        """Return the batch of some of the examples, with all their views.

        A slice takes the same share of the unlabelled examples; row numbers take none of them.
        """
        unlabelled = None
        if isinstance(examples, slice):
            rows: Rows = slice(examples.start * self.views, examples.stop * self.views)
            if self.unlabelled is not None:
                ends = (examples.start, min(examples.stop, self.examples))
                share = [end * self.unlabelled.examples // self.examples for end in ends]
                unlabelled = self.unlabelled.part(slice(*share))
        else:
            rows = (examples[:, None] * self.views + np.arange(self.views)).ravel()
        return replace(
            self,
            inputs=self.inputs[rows],
            labels=self.labels[rows],
            index=self.index[rows],
            weights=None if self.weights is None else self.weights[rows],
            partner=None if self.partner is None else self.partner[rows],
            share=None if self.share is None else self.share[rows],
            unlabelled=unlabelled,
        )


@dataclass(frozen=True, eq=False)
class RawBatch:
    """A batch as it comes from the data, with everything an augmenter needs to make a `Batch`.

    ``examples`` uint8 ``(n, H, W, C)``; ``labels`` soft, float32 ``(n, classes)``; ``index`` int64
    ``(n,)``, the numbers of the examples in the training part. ``seed``, ``epoch`` and ``index``
    are all that random numbers may depend on (see `automorph.operations.Stream`); ``step``
    counts from 0 in each epoch. ``target`` is what the labels mean, as in `Batch`. ``occurrence``
    int64 ``(n,)`` counts how often each example came before in the epoch; None: never. Draw under
    ``numbers``, which differ for repeats of an example. ``progress`` is the share of the training
    before this step, 0 to 1, of its length as far as it is known when the epoch begins.
    ``unlabelled`` are the examples without labels that the augmenter asked for (see
    `Augmenter.unlabelled_rows`), numbered after those of the training part. ``others`` maps
    uniform numbers in [0, 1) ``(m,)`` to examples of the training part and their soft labels, for
    policies that mix in any of them; None: only the batch is known.
    """

    examples: Any
    labels: NDArray[Any]
    index: NDArray[np.int64]
    seed: int
    epoch: int
    step: int
    encoder: Encoder
    device: torch.device = torch.device("cpu")  # noqa: RUF009 - devices are immutable
    target: Target = None  # type: ignore[assignment]
    occurrence: NDArray[np.int64] | None = None
    progress: float = 0.0
    unlabelled: RawBatch | None = None
    others: Callable[[NDArray[np.float32]], tuple[Any, NDArray[np.float32]]] | None = None

    def __post_init__(self) -> None:
        _complete(self)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The numbers under which the examples draw, int64 ``(n,)``."""
        return self.index if self.occurrence is None else occurring(self.index, self.occurrence)

    def rows(self, part: slice) -> RawBatch:
        """Return the batch of some of the rows, with all unlabelled examples."""
        return replace(
            self,
            examples=self.examples[part],
            labels=self.labels[part],
            index=self.index[part],
            occurrence=None if self.occurrence is None else self.occurrence[part],
        )

    def encode(self, examples: Any | None = None) -> Tensor:
        """Encode examples (default: the batch's own) as network inputs on the device."""
        return self.encoder(self.examples if examples is None else examples, self.device)

    def batch(
        self,
        examples: Any | None = None,
        *,
        labels: NDArray[Any] | None = None,
        index: NDArray[np.int64] | None = None,
        weights: Tensor | None = None,
    ) -> Batch:
        """Return the encoded batch; arguments left out are the batch's own."""
        soft = torch.from_numpy(np.array(self.labels if labels is None else labels))
        return Batch(
            self.encode(examples),
            soft.to(self.device, non_blocking=True),
            self.index if index is None else index,
            weights,
            target=self.target,
            progress=self.progress,
        )


def _complete(batch: Batch | RawBatch) -> None:
    """Take the labels for soft labels of classes where no target is given."""
    if batch.target is None:
        object.__setattr__(batch, "target", Classes(batch.labels.shape[1]))
