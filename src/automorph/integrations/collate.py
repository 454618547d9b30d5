"""Batches augmented in a loader's ``collate_fn``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import default_collate

from automorph.errors import DataError, UsageError
from automorph.integrations.checks import checked_numbers, checked_whole
from automorph.integrations.labels import checked_classes, soft_labels
from automorph.integrations.repeats import by_batch, counted
from automorph.integrations.repr import ShortRepr
from automorph.integrations.sample_access import Position, find_image, get, put
from automorph.integrations.shared_epoch import InEpochs, SharedEpoch
from automorph.operations import occurrences, occurring
from automorph.policies import Policy, as_uint8, load_policy

Array = NDArray[np.uint8]
_REMEDY = (
    "pass repeats=True, or let the data set return the index that "
    "automorph.count_repeats(sampler) gives it, and pass its position (index=)"
)


class Collate(ShortRepr, InEpochs):
    """A ``collate_fn`` for a ``DataLoader`` that augments the whole batch at once.

    It supports policies that combine examples (mixup, CutMix, SamplePairing). Samples are as in
    `automorph.Augmented`, with images of one size; the batch of images is a uint8 tensor
    ``(n, C, H, W)``, everything else is collated as torch does it. If the policy mixes labels, the
    result has soft labels, float32 ``(n, classes)``: ``label`` is their position in a sample
    (default: the second part, or ``"label"``), and ``classes`` their count, if they are numbers.

    The draw for an example is a function of seed, epoch and its number, at the position ``index``
    of the sample. Without ``index``, a hash of the example's pixels replaces its number, so batches
    still do not depend on the number of workers. Call ``set_epoch`` before each epoch.

    Repeats of an example in one batch get different draws. For those in other batches of the epoch,
    either let the data set return the index that it gets from a counted sampler
    (`automorph.count_repeats`), at the position ``index``, or set ``repeats``: the draw is then a
    function of all examples of the batch, too.

    >>> images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    >>> collate = Collate("randaugment + mixup", classes=10)
    >>> batch, labels = collate([(image, label) for label, image in enumerate(images)])
    >>> batch.shape, labels.shape
    (torch.Size([4, 3, 8, 8]), torch.Size([4, 10]))
    """

    _shown = ("seed", "image", "label", "index", "classes")

    def __init__(
        self,
        policy: Policy | str | os.PathLike[str],
        *,
        seed: int = 0,
        image: Position = None,
        label: Position = None,
        index: Position = None,
        classes: int | None = None,
        repeats: bool = False,
    ) -> None:
        self.policy = load_policy(policy)
        self.seed, self.classes = checked_whole("seed", seed), checked_classes(classes)
        self.repeats = repeats
        self.image, self.label, self.index = image, label, index
        self._epoch = SharedEpoch()

    def __call__(self, samples: Sequence[Any]) -> Any:
        """Collate and augment."""
        if not isinstance(samples, (list, tuple)):
            raise UsageError(
                f"Collate got one {type(samples).__name__}; expected the list of samples that a "
                "DataLoader hands to its collate_fn. Pass it as DataLoader(.., collate_fn=..); a "
                "Compose takes a policy that needs no batch, as in load_policy('randaugment')"
            )
        if not len(samples):
            raise UsageError("got a batch without samples; expected at least one")
        position = find_image(samples[0], self.image)
        arrays = [as_uint8(get(sample, position)) for sample in samples]
        batch = _stacked(arrays)
        epoch, index = self._numbers(samples, batch)
        # The images need not be stacked.
        collated = _collated([put(sample, position, 0) for sample in samples])
        where: dict[str, Any] = {"seed": self.seed, "epoch": epoch, "index": index}
        if not self.policy.mixes_labels:
            return put(collated, position, _planes(self.policy.augment(batch, **where)))
        name = self._label_position(collated)
        soft = soft_labels(get(collated, name), self.classes, len(samples))
        images, labels = self.policy.augment(batch, labels=soft.numpy(), **where)
        return put(put(collated, position, _planes(images)), name, torch.from_numpy(labels))

    def _numbers(self, samples: Sequence[Any], batch: Array) -> tuple[int, NDArray[np.int64]]:
        """Return the epoch, and the numbers under which the examples draw."""
        known = [] if self.index is None else [get(sample, self.index) for sample in samples]
        index = checked_numbers(known, len(batch)) if known else numbers_of(batch)
        times, first = counted(known)
        if first is None:
            times = by_batch(index) if self.repeats else occurrences(index)
        epoch, numbers = self._epoch.of(first), occurring(index, times)
        if epoch is None:
            epoch = self.epoch
            self._epoch.watch.serve(numbers, epoch, remedy=_REMEDY)
        return epoch, numbers

    def _label_position(self, collated: Any) -> Position:
        position = self.label
        if position is None:
            position = "label" if isinstance(collated, dict) else 1
        try:
            get(collated, position)
        except UsageError:
            raise UsageError(
                f"the policy {self.policy.name!r} mixes labels, but samples have none at "
                f"{position!r}; give their position: label=POSITION"
            ) from None
        return position


def numbers_of(arrays: Iterable[Array]) -> NDArray[np.int64]:
    """Return numbers below 2^32 that identify images: hashes of their pixels."""
    digests = [
        blake2b(np.ascontiguousarray(array).data, digest_size=4).digest() for array in arrays
    ]
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.int64)


def _collated(samples: list[Any]) -> Any:
    """Collate what is beside the images."""
    try:
        return default_collate(samples)
    except (TypeError, ValueError, RuntimeError, KeyError) as error:
        raise DataError(
            f"torch cannot collate the samples: {error}; beside the image, expected tensors, "
            "arrays, numbers or strings, of one shape in all samples. Let the data set convert the "
            "others, or leave them out"
        ) from error


def _stacked(arrays: Sequence[Array]) -> Array:
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise DataError(
            f"got images of shapes {', '.join(map(str, sorted(shapes)))} in one batch; resize "
            "them first, or augment one by one with automorph.Augmented"
        )
    return np.stack(arrays)


def _planes(images: Array) -> Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
