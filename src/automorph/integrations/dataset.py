"""A data set with augmented examples."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from operator import index as whole_number
from typing import Any

import numpy as np
from torch.utils.data import Dataset, IterableDataset

from automorph.errors import UsageError
from automorph.integrations.checks import checked_whole
from automorph.integrations.columns import augment_column
from automorph.integrations.image_types import augment_each, need_no_others
from automorph.integrations.repeats import WRAP, by_batch, counted
from automorph.integrations.repr import ShortRepr
from automorph.integrations.sample_access import Position, find_image, get, put
from automorph.integrations.shared_epoch import InEpochs, SharedEpoch, counting
from automorph.operations import Stream, occurring
from automorph.policies import COPIES, Policy, augment_one, load_policy


class Augmented(ShortRepr, InEpochs, Dataset[Any]):
    """The examples of a data set, each augmented by a policy.

    ``dataset`` is anything with a length and numbered samples (of torch, torchvision, Hugging Face,
    a list): images, or tuples or dicts with one. Images are PIL images, uint8 arrays ``(H, W, C)``
    or uint8 tensors ``(C, H, W)``, of any sizes, and keep their type; everything else in a sample
    is unchanged. ``policy`` is a policy or its name. ``image`` is the position of the image in a
    sample (default: the first part, or ``"image"`` or ``"img"``). ``then`` is called with each
    augmented image, for steps after augmentation (``ToTensor``, ``Normalize``).

    The draw for an example is a function of seed, epoch and its number: it does not depend on
    workers, order or batch size. Call ``set_epoch`` before each epoch, or wrap the sampler
    (`automorph.count_repeats`), which counts passes, and repeats of an example within one: a
    sampler that repeats examples must be wrapped, or ``repeats`` set. With ``repeats`` the draw is
    a function of the indices of the whole batch, too, so that repeats in other batches differ.
    With ``copies`` the data set is that many times as long, with a different draw for each copy:
    sample ``i`` is copy ``i // n`` of example ``i % n``. With a policy for texts, ``image`` is the
    position of a text.

    >>> import torch
    >>> images = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    >>> data = Augmented([(image, label) for label, image in enumerate(images)], "randaugment")
    >>> image, label = data[2]
    >>> image.shape, image.dtype, label
    (torch.Size([3, 8, 8]), torch.uint8, 2)
    """

    _shown = ("seed", "copies", "image", "then")

    def __init__(
        self,
        dataset: Any,
        policy: Policy | str | os.PathLike[str],
        *,
        seed: int = 0,
        copies: int = 1,
        image: Position = None,
        then: Callable[[Any], Any] | None = None,
        repeats: bool = False,
    ) -> None:
        numbered = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
        if not numbered or isinstance(dataset, IterableDataset):
            raise UsageError(
                f"got a data set of type {type(dataset).__name__}, which has no indices; "
                "expected one with a length and indexed samples. For others, use "
                "automorph.Collate(policy) as the collate_fn of the DataLoader"
            )
        if isinstance(dataset, Mapping):
            names = ", ".join(map(repr, dataset))
            raise UsageError(
                f"got a {type(dataset).__name__} of {names:.200}; expected one data set with "
                "indexed samples, such as its part 'train'"
            )
        if then is not None and not callable(then):
            raise UsageError(f"got then={then!r:.60}; expected a function of an image, or None")
        self.dataset = dataset
        self.policy = load_policy(policy)
        need_no_others(self.policy, "Augmented")
        self.seed = checked_whole("seed", seed)
        self.copies = checked_whole("copies", copies, 1, COPIES)
        self.image, self.then, self.repeats = image, then, repeats
        self._epoch = SharedEpoch()

    @property
    def transform(self) -> Callable[[Any], Any] | None:
        """What is called with each augmented image (``then``), as timm's loader sets it."""
        return self.then

    @transform.setter
    def transform(self, transform: Callable[[Any], Any] | None) -> None:
        if self.then is not None and transform is not None and transform is not self.then:
            raise UsageError(
                f"got a transform for an Augmented that has then={self.then!r:.60}; expected one "
                "of them. Leave then= out: timm.data.create_loader sets the transform itself"
            )
        self.then = transform

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, also of everything inside that counts epochs, and in running workers."""
        super().set_epoch(epoch)
        for part in counting(self.dataset):
            if hasattr(part, "set_epoch"):
                part.set_epoch(epoch)

    def __len__(self) -> int:
        # Samplers ask for the length before each pass, in the main process.
        self._epoch.watch.notes.relay()
        return len(self.dataset) * self.copies

    def __getitem__(self, number: int) -> Any:
        size = len(self.dataset)
        total = size * self.copies
        if type(number) is not int or self.repeats or not -total <= number < total:
            return self.__getitems__([number])[0]
        number %= total
        copy, index = divmod(number, size)
        epoch = self._epoch.number
        self._epoch.watch.serve((number,), epoch, size=total, remedy=WRAP)
        inside = self.dataset
        if hasattr(inside, "__getitems__"):
            [sample] = inside.__getitems__([index])
        else:
            sample = inside[index]
        position = find_image(sample, self.image)
        image = get(sample, position)
        done = augment_one(self.policy, image, seed=self.seed, epoch=epoch, index=index, copy=copy)
        if done is None:
            stream = Stream(seed=self.seed, epoch=epoch, index=[index], copy=copy)
            [done] = self._augmented([image], stream)
        return put(sample, position, done if self.then is None else self.then(done))

    def __getitems__(self, numbers: Sequence[int]) -> list[Any]:
        """Return several samples at once, as loaders request them: faster than one by one."""
        chosen = np.array([self._number(number) for number in numbers], np.int64)
        copy, index = np.divmod(chosen, max(len(self.dataset), 1))
        times, first = counted(numbers)
        handed = index.tolist()
        if first is not None:
            # Data sets inside, and those that return their index, go by the same count.
            inside = (times * self.copies + copy).tolist()
            handed = [first.at(*pair) for pair in zip(handed, inside, strict=True)]
        elif self.repeats:
            times = by_batch(chosen)
        epoch = self._epoch.of(first)
        if epoch is None:
            epoch = self.epoch
            self._epoch.watch.serve(occurring(chosen, times), epoch, size=len(self), remedy=WRAP)
        samples = self._samples(handed)
        positions = [find_image(sample, self.image) for sample in samples]
        images = [
            get(sample, position) for sample, position in zip(samples, positions, strict=True)
        ]
        drawn = occurring(index, times)
        stream = Stream(seed=self.seed, epoch=epoch, index=drawn, copy=copy)
        augmented = self._augmented(images, stream)
        if self.then is not None:
            augmented = [self.then(image) for image in augmented]
        return [put(*parts) for parts in zip(samples, positions, augmented, strict=True)]

    def _augmented(self, images: list[Any], stream: Stream) -> list[Any]:
        augment = augment_column if self.policy.space.domain == "text" else augment_each
        return augment(self.policy, images, stream)

    def _number(self, number: int) -> int:
        plain = whole_number(number)
        if not -len(self) <= plain < len(self):
            raise IndexError(f"got index {plain} for a data set of {len(self)} samples")
        return plain % len(self)

    def _samples(self, numbers: list[int]) -> list[Any]:
        if hasattr(self.dataset, "__getitems__"):
            return list(self.dataset.__getitems__(numbers))
        return [self.dataset[number] for number in numbers]
