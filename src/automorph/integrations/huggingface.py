"""Hugging Face data sets: a policy as the transform of a data set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from automorph.errors import UsageError
from automorph.integrations.columns import augment_column, numbers_for
from automorph.integrations.image_types import need_no_others
from automorph.integrations.repr import ShortRepr
from automorph.integrations.shared_epoch import InEpochs, SharedEpoch
from automorph.operations import Stream
from automorph.policies import Policy, load_policy


class Transform(ShortRepr, InEpochs):
    """The result of ``transform``: a function that augments a batch of columns."""

    _shown = ("image", "index", "seed")

    def __init__(self, policy: Policy, *, image: str, index: str | None, seed: int) -> None:
        need_no_others(policy, "a transform of a data set")
        self.policy, self.image, self.index, self.seed = policy, image, index, seed
        self._epoch = SharedEpoch()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the batch with augmented images or texts."""
        values = list(self._column(batch, self.image, "image"))
        given = None if self.index is None else self._column(batch, self.index, "index")
        numbers = numbers_for(values, given)
        self._epoch.watch(numbers)
        stream = Stream(seed=self.seed, epoch=self.epoch, index=numbers)
        return {**batch, self.image: augment_column(self.policy, values, stream)}

    def _column(self, batch: Mapping[str, Any], name: str, option: str) -> Any:
        if name not in batch:
            raise UsageError(
                f"got the columns {', '.join(map(repr, batch))}, none of which is {name!r}; "
                f"pass the right one: {option}=COLUMN"
            )
        return batch[name]


def transform(
    policy: Policy | str | os.PathLike[str],
    image: str = "image",
    *,
    index: str | None = None,
    seed: int = 0,
) -> Transform:
    """Make a transform for ``dataset.set_transform`` that augments the column ``image``.

    Images (PIL images as the data set decodes them, of any sizes) keep their type; all other
    columns are unchanged. A column of texts works alike, with a policy for texts. The draw for an
    example is a function of seed, epoch and the number in the column ``index``; without one, a hash
    of the pixels or words replaces the number. Call ``set_epoch`` on the transform before each
    epoch (`automorph.integrations.EpochCallback` does so in transformers' Trainer; with
    `automorph.Augmented` around the data set instead, accelerate and the Trainer do so by
    themselves).

    Use ``set_transform`` or ``with_transform``, which run whenever examples are read. Do not use
    ``dataset.map``: it runs once and stores the result on disk, so that every epoch would see the
    same augmented images.

    >>> import numpy as np
    >>> augment = transform("randaugment(n=2,m=9)", "img")
    >>> batch = {"img": [np.zeros((8, 8, 3), np.uint8)], "label": [3]}
    >>> sorted(augment(batch))
    ['img', 'label']
    """
    return Transform(load_policy(policy), image=image, index=index, seed=seed)
