"""Repeats of examples in an epoch, counted where the order is known: in the main process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from operator import index as whole_number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch.utils.data import DistributedSampler, Sampler

from automorph.errors import UsageError
from automorph.integrations.checks import checked_epoch
from automorph.integrations.shared_epoch import CountedIndex
from automorph.operations import occurrences

_PASS = 1 << 20
"""Occurrences in a later pass of the same epoch are counted from a multiple of this."""
WRAP = "wrap it: sampler=automorph.count_repeats(sampler)"
"""What to do about a sampler that repeats examples."""


class RepeatCounter(Sampler[Any]):
    """The result of ``count_repeats``: the indices of a sampler, each a `CountedIndex`."""

    def __init__(self, sampler: Any) -> None:
        self.inner = sampler
        self.epoch = 0
        self._pending: int | None = None
        self._epoch_set = False
        self._set = False
        self._begun = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next pass; later passes count on from there."""
        self._pending, self._epoch_set = checked_epoch(epoch), True
        # A batch sampler leaves the epoch to the sampler inside.
        parts: tuple[Any, ...] = (self.inner, getattr(self.inner, "sampler", None))
        for part in parts:
            if hasattr(part, "set_epoch"):
                part.set_epoch(epoch)

    def __iter__(self) -> Iterator[Any]:
        """Yield the indices, or batches of them, as the sampler draws them."""
        number, self._pending = self._pending, None
        if number is None:
            # Passes whose number nobody sets count themselves.
            self.epoch, self._begun, self._set = self.epoch + (self._begun > 0), 1, False
        else:
            # accelerate gives passes that are broken off the same number again.
            again = self._set and number == self.epoch
            self.epoch, self._begun, self._set = number, self._begun + 1 if again else 1, True
        count = _Count(self.inner, self.epoch, self._epoch_set, _PASS * (self._begun - 1))
        for item in self.inner:
            if getattr(item, "ndim", 0) == 1:
                yield [count.of(one) for one in item.tolist()]
            elif isinstance(item, Sequence) and not isinstance(item, (str, bytes)):
                yield [count.of(one) for one in item]
            else:
                yield count.of(item)

    def __len__(self) -> int:
        return len(self.inner)

    def __repr__(self) -> str:
        return f"count_repeats({self.inner!r})"

    @property
    def generator(self) -> Any:
        """The generator of the sampler."""
        return self.inner.generator

    @generator.setter
    def generator(self, generator: Any) -> None:
        self.inner.generator = generator

    def __getattr__(self, name: str) -> Any:
        # A loader that restores the sampler's state alone would lose the counts; without a state
        # it draws the pass again up to the place where it stopped.
        if name in ("inner", "state_dict", "load_state_dict") or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.inner, name)


class _Count:
    """Counts the indices of one pass."""

    def __init__(self, sampler: Any, epoch: int, epoch_set: bool, start: int) -> None:
        self.epoch, self.epoch_set, self.start = epoch, epoch_set, start
        self.seen: dict[int, int] = {}
        self.drawn = 0
        part = sampler if hasattr(sampler, "num_replicas") else getattr(sampler, "sampler", sampler)
        self.replicas = int(getattr(part, "num_replicas", 1) or 1)
        self.rank = int(getattr(part, "rank", 0) or 0)
        # Torch's own sampler repeats only what fills up the last round of all processes.
        plain = type(part) is DistributedSampler
        self.once = max(len(part.dataset), 1) if plain else 0

    def of(self, number: Any) -> CountedIndex:
        """Return the next index, counted."""
        try:
            plain = whole_number(number)
        except TypeError:
            raise UsageError(
                f"got {number!r:.60} from the sampler; expected whole numbers, or lists of them"
            ) from None
        if self.once:
            occurrence = (self.drawn * self.replicas + self.rank) // self.once
        else:
            # Other processes count for themselves: of r processes, each takes every r-th number.
            before = self.seen.get(plain, 0)
            self.seen[plain] = before + 1
            occurrence = before * self.replicas + self.rank
        self.drawn += 1
        made: CountedIndex = CountedIndex(
            plain, self.start + occurrence, self.epoch, self.epoch_set
        )
        return made


def count_repeats(sampler: Iterable[Any]) -> RepeatCounter:
    """Wrap a sampler so that repeats of an example in an epoch get different augmentations.

    ``DataLoader(data, sampler=count_repeats(WeightedRandomSampler(..)))`` with
    `automorph.Augmented` as ``data``; a batch sampler works alike. The count is made in the main
    process, so draws are the same for any number of workers; the first time that an example comes,
    it is drawn as without the wrapper. Passes count themselves, also those that are broken off.
    To resume, call ``set_epoch`` on the result (or on the data set) before the pass; accelerate and
    Lightning do so by themselves. Do not wrap data with ``Subset`` after augmentation: it passes
    plain indices on.

    Where a sampler belongs to one of several processes (``num_replicas``, ``rank``), every process
    draws differently. Raises `UsageError` for a sampler that yields no whole numbers.

    >>> sampler = count_repeats([3, 5, 3])
    >>> [(int(number), number.occurrence, number.epoch) for _ in range(2) for number in sampler]
    [(3, 0, 0), (5, 0, 0), (3, 1, 0), (3, 0, 1), (5, 0, 1), (3, 1, 1)]
    """
    if not hasattr(sampler, "__iter__"):
        raise UsageError(
            f"got {type(sampler).__name__} as a sampler; expected one that yields indices, as in "
            "count_repeats(torch.utils.data.WeightedRandomSampler(weights, n))"
        )
    return sampler if isinstance(sampler, RepeatCounter) else RepeatCounter(sampler)


def counted(numbers: Sequence[Any]) -> tuple[NDArray[np.int64], CountedIndex | None]:
    """Return the occurrences of indices, and one of them; zeros and None if they are plain."""
    times = [number.occurrence for number in numbers if isinstance(number, CountedIndex)]
    if len(times) < len(numbers) or not times:
        return np.zeros(len(numbers), np.int64), None
    return np.array(times, np.int64), numbers[0]


def by_batch(numbers: ArrayLike) -> NDArray[np.int64]:
    """Return occurrences derived from all numbers of a batch: other batches have others.

    >>> [bool((by_batch([1, 2]) == by_batch(other)).any()) for other in ([1, 2], [1, 3])]
    [True, False]
    """
    whole = np.ascontiguousarray(numbers, np.int64)
    key = int.from_bytes(blake2b(whole.tobytes(), digest_size=4).digest(), "little")
    return key // 2 + 1 + occurrences(whole)
