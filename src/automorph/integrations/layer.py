"""A policy as a layer: batches are augmented on the device on which the model trains."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, distributed, nn

from automorph.engine import check_floats
from automorph.errors import UsageError
from automorph.integrations.checks import checked_epoch, checked_numbers, checked_whole
from automorph.integrations.labels import checked_classes, soft_labels
from automorph.integrations.watch import Watch
from automorph.operations import Stream, occurrences, occurring
from automorph.policies import Policy, load_policy

_REMEDY = "leave index out: examples are then counted as they come"
_SEEN_ELSEWHERE = ("cpu", "meta")
"""Devices on which the layer need not check floats: the engine does, or there are none."""


class OnDevice(nn.Module):
    """Augments batches ``(n, C, H, W)`` on their device; in evaluation mode it does nothing.

    Put it in front of the model. Images are uint8, or floats in [0, 1] before normalisation, and
    keep their type. Floats outside [0, 1] are refused: on a CPU in every batch, on an accelerator
    in the first one only, because later checks would make the host wait. With ``labels`` the result
    is ``(images, labels)``: soft ones, float32 ``(n, classes)``, if the policy mixes labels
    (``classes`` is their count if they are numbers), else unchanged.

    With ``index``, the examples' numbers in their data set (kept on the host), results are a
    function of seed, epoch and number, and equal to those of `automorph.Augmented`; repeats of an
    example in one batch get different draws. Without it, the examples are counted as they come,
    separately in each process of a distributed training, so that all repeats differ; call
    ``set_epoch`` before each epoch if a resumed training must draw as it would have without a stop.

    >>> layer = OnDevice("randaugment", seed=1)
    >>> images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    >>> layer(images).shape
    torch.Size([2, 3, 8, 8])
    >>> layer.eval()(images) is images
    True
    """

    def __init__(
        self,
        policy: Policy | str | os.PathLike[str],
        *,
        seed: int = 0,
        classes: int | None = None,
    ) -> None:
        super().__init__()
        self.policy = load_policy(policy)
        self.seed, self.classes = checked_whole("seed", seed), checked_classes(classes)
        self.epoch = 0
        self.counted = 0
        self._looked = False
        self._watch = Watch()

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch: the count of examples restarts at 0."""
        whole = checked_epoch(epoch)
        if whole != self.epoch:
            self._watch.restart()
        self.epoch, self.counted = whole, 0

    # Drawing uses NumPy, which graph compilers cannot trace.
    @torch.compiler.disable  # type: ignore[untyped-decorator]
    @torch.no_grad()
    def forward(
        self, images: Tensor, labels: Tensor | None = None, *, index: ArrayLike | None = None
    ) -> Any:
        """Augment a batch, and its labels if given."""
        if not self.training:
            return images if labels is None else (images, labels)
        if labels is None and self.policy.mixes_labels:
            raise UsageError(
                f"the policy {self.policy.name!r} mixes labels, but got none; call the "
                "layer with images and labels, and unpack two results"
            )
        if not isinstance(images, Tensor):
            raise UsageError(
                f"got a {type(images).__name__} as a batch of images; expected a tensor "
                "(n, C, H, W), uint8 or floats in [0, 1]"
            )
        numbers = self._numbers(len(images)) if index is None else self._given(index, len(images))
        stream = Stream(seed=self.seed, epoch=self.epoch, index=numbers)
        self._look(images)
        out = self.policy.transform(images, stream)
        if labels is None:
            return out
        n, channels, height, width = images.shape
        mixing = self.policy.mixing(stream, (n, height, width, channels))
        if mixing is None:
            return out, labels
        return mixing.examples(out), mixing.labels(soft_labels(labels, self.classes, n))

    def _look(self, images: Tensor) -> None:
        """Check the first batch on an accelerator, if operations round it."""
        if self._looked or images.device.type in _SEEN_ELSEWHERE or not len(self.policy.space):
            return
        check_floats(images)
        self._looked = True

    def _numbers(self, n: int) -> NDArray[np.int64]:
        """Number examples that have no index; other processes use the numbers in between."""
        together = distributed.is_available() and distributed.is_initialized()
        rank, world = (distributed.get_rank(), distributed.get_world_size()) if together else (0, 1)
        counted = np.arange(self.counted, self.counted + n, dtype=np.int64)
        self.counted += n
        return counted * world + rank

    def _given(self, index: ArrayLike, n: int) -> NDArray[np.int64]:
        given = checked_numbers(np.asarray(index).tolist(), n)
        numbers = occurring(given, occurrences(given))
        self._watch.serve(numbers, self.epoch, remedy=_REMEDY)
        return numbers

    def extra_repr(self) -> str:
        """Return the options shown by ``print(model)``."""
        return f"{self.policy.name!r}, seed={self.seed}"
