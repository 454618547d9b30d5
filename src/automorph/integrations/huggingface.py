"""Hugging Face data sets: a policy as the transform of a data set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from automorph.errors import UsageError
from automorph.integrations.checks import checked_whole
from automorph.integrations.columns import augment_column, numbers_for
from automorph.integrations.image_types import need_no_others
from automorph.integrations.repeats import by_batch
from automorph.integrations.repr import ShortRepr
from automorph.integrations.shared_epoch import InEpochs, SharedEpoch
from automorph.operations import Stream, occurrences, occurring
from automorph.policies import Policy, load_policy

_REMEDY = (
    "pass repeats=True, or use automorph.Augmented(dataset, policy) with a sampler from "
    "automorph.count_repeats(sampler)"
)


_STORED = ("LazyBatch", "LazyRow")
"""What ``datasets.Dataset.map`` passes to a function; transforms of a data set get a dict."""


class Transform(ShortRepr, InEpochs):
    """The result of ``transform``: a function that augments a batch of columns."""

    _shown = ("image", "index", "seed")

    def __init__(
        self, policy: Policy, *, image: str, index: str | None, seed: int, repeats: bool = False
    ) -> None:
        need_no_others(policy, "a transform of a data set")
        self.policy, self.image, self.index = policy, image, index
        self.seed = checked_whole("seed", seed)
        self.repeats = repeats
        self._epoch = SharedEpoch()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return the batch with augmented images or texts."""
        if type(batch).__name__ in _STORED:
            raise UsageError(
                "got a batch of dataset.map, which runs once and stores the result, so that every "
                "epoch would see the same augmented images; use dataset.set_transform(transform) "
                "or dataset.with_transform(transform)"
            )
        values = list(self._column(batch, self.image, "image"))
        given = None if self.index is None else self._column(batch, self.index, "index")
        index = numbers_for(values, given)
        numbers = occurring(index, by_batch(index) if self.repeats else occurrences(index))
        self._epoch.watch.serve(numbers, self.epoch, remedy=_REMEDY)
        stream = Stream(seed=self.seed, epoch=self.epoch, index=numbers)
        return {**batch, self.image: augment_column(self.policy, values, stream)}

    def _column(self, batch: Mapping[str, Any], name: str, option: str) -> Any:
        if name not in batch:
            raise UsageError(
                f"got the columns {', '.join(map(repr, batch))}, none of which is {name!r}; "
                f"pass the right one: {option}=COLUMN. If the data set has it, the Trainer of "
                "transformers dropped it: pass remove_unused_columns=False to TrainingArguments"
            )
        return batch[name]


def transform(
    policy: Policy | str | os.PathLike[str],
    image: str = "image",
    *,
    index: str | None = None,
    seed: int = 0,
    repeats: bool = False,
) -> Transform:
    """Make a transform for ``dataset.set_transform`` that augments the column ``image``.

    Images (PIL images as the data set decodes them, of any sizes) keep their type; all other
    columns are unchanged. A column of texts works alike, with a policy for texts. The draw for an
    example is a function of seed, epoch and the number in the column ``index``; without one, a hash
    of the pixels or words replaces the number. Call ``set_epoch`` on the transform before each
    epoch (`automorph.integrations.EpochCallback` does so in transformers' Trainer).

    Repeats of an example in one batch get different draws. If a sampler repeats examples in other
    batches of the epoch, set ``repeats``: the draw is then a function of all examples of the batch,
    too. Or use `automorph.Augmented` around the data set with `automorph.count_repeats`.

    Use ``set_transform`` or ``with_transform``, which run whenever examples are read. Do not use
    ``dataset.map``: it runs once and stores the result on disk, so that every epoch would see the
    same augmented images.

    >>> import numpy as np
    >>> augment = transform("randaugment(n=2,m=9)", "img")
    >>> batch = {"img": [np.zeros((8, 8, 3), np.uint8)], "label": [3]}
    >>> sorted(augment(batch))
    ['img', 'label']
    """
    return Transform(load_policy(policy), image=image, index=index, seed=seed, repeats=repeats)
