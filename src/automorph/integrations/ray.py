"""Ray Data: a policy as a function for ``map_batches``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import ArrayLike

from automorph.errors import UsageError
from automorph.integrations.checks import checked_epoch, checked_whole
from automorph.integrations.columns import augment_column, numbers_for
from automorph.integrations.image_types import need_no_others
from automorph.integrations.repr import ShortRepr
from automorph.integrations.watch import Watch
from automorph.operations import Stream
from automorph.policies import Policy, load_policy

_ANEW = "make a map for every pass, RayMap(policy, epoch=epoch)"
_REMEDY = "number the rows of the repeated data set, and pass that column: index=COLUMN"


class RayMap(ShortRepr):
    """``dataset.map_batches(RayMap("randaugment(n=2,m=9)"))`` augments the column ``image``.

    Batches are Ray's own: dicts of NumPy arrays. Images are uint8, of one size ``(n, H, W, C)`` or
    of several (an array of objects); all other columns are unchanged. Single rows, which
    ``dataset.map`` passes, get the same draws; batches are faster. ``image`` may name a column of
    texts, for a policy for texts. The draw for an example is a function of seed, epoch and the
    number in the column ``index``; without one, a hash of the pixels replaces the number, so
    blocks, order and workers do not affect results. Each epoch needs its own map:
    ``RayMap(policy, epoch=epoch)``; a worker that gets an example again and again under one map
    warns, and Ray prints that in the main process.

    >>> images = np.arange(384).astype(np.uint8).reshape(2, 8, 8, 3)
    >>> batch = {"image": images, "label": np.array([3, 4])}
    >>> RayMap("trivialaugment")(batch)["image"].shape
    (2, 8, 8, 3)
    """

    _shown = ("image", "index", "seed", "epoch")

    def __init__(
        self,
        policy: Policy | str | os.PathLike[str],
        *,
        image: str = "image",
        index: str | None = None,
        seed: int = 0,
        epoch: int = 0,
    ) -> None:
        self.policy = load_policy(policy)
        need_no_others(
            self.policy,
            "RayMap",
            "leave that stage out here, and mix in the training loop: "
            "automorph.OnDevice('mixup', classes=...)(images, labels)",
        )
        self.image, self.index = image, index
        self._token = uuid4().hex
        self.seed, self.epoch = checked_whole("seed", seed), checked_epoch(epoch)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the batch, or the single row, with augmented images."""
        if not hasattr(batch, "keys"):
            raise UsageError(
                f"got a batch of type {type(batch).__name__}; expected a dict of NumPy arrays, "
                'which map_batches passes with batch_format="numpy"'
            )
        for name in filter(None, (self.image, self.index)):
            if name not in batch:
                raise UsageError(
                    f"got the columns {', '.join(map(repr, batch))}, none of which is {name!r}; "
                    "pass the column of the images: RayMap(policy, image=COLUMN)"
                )
        if _is_row(batch, self.image):
            return self._row(batch)
        values = batch[self.image]
        index = None if self.index is None else batch[self.index]
        augmented = self._augmented(list(values), index)
        if augmented and isinstance(augmented[0], str):
            return {**batch, self.image: np.array(augmented, object)}
        if len({image.shape for image in augmented}) <= 1:
            return {**batch, self.image: np.stack(augmented) if augmented else values}
        out = np.empty(len(augmented), object)
        out[:] = augmented
        return {**batch, self.image: out}

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Augment a row of ``dataset.map``."""
        value = row[self.image]
        value = str(value) if isinstance(value, np.str_) else value
        index = None if self.index is None else [row[self.index]]
        return {**row, self.image: self._augmented([value], index)[0]}

    def _augmented(self, values: list[Any], index: ArrayLike | None) -> list[Any]:
        numbers = numbers_for(values, index)
        _watch(self._token).serve(numbers, self.epoch, remedy=_REMEDY, anew=_ANEW)
        stream = Stream(seed=self.seed, epoch=self.epoch, index=numbers)
        return augment_column(self.policy, values, stream)


def _is_row(batch: Mapping[str, Any], image: str) -> bool:
    """Return whether a dict of columns is a single row.

    A grey image ``(H, W)`` is one image; three axes are a colour image or several grey ones, which
    the other columns tell apart, or else the number of channels.

    >>> [_is_row({"image": np.zeros((8, 8, 3))} | other, "image")
    ...  for other in ({}, {"label": 4}, {"label": np.arange(8)})]
    [True, True, False]
    """
    value = batch[image]
    axes = 1 if isinstance(value, (list, tuple)) else getattr(value, "ndim", 0)
    if axes != 3:
        return axes in (0, 2)
    others = [other for name, other in batch.items() if name != image]
    if others:
        return any(np.ndim(other) == 0 or len(other) != len(value) for other in others)
    return value.shape[2] in (1, 3, 4)


@lru_cache(maxsize=64)
def _watch(token: str) -> Watch:
    """Return what this process watches of a map, of which Ray makes copies."""
    return Watch()
