"""What every policy can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph import engine
from automorph.errors import UsageError
from automorph.policies.mixing import Mixing
from automorph.space import SearchSpace, Sequences, Stream

Images = NDArray[np.uint8]
Interpolation = Literal["nearest", "bilinear"]


@dataclass(frozen=True)
class Table:
    """A policy as people read it: names of columns and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Policy(ABC):
    """A distribution over sequences of operations.

    ``fill`` (one level, or one a channel) is what comes in from outside the image;
    ``interpolation`` is how geometric operations resample.
    """

    fill: int | tuple[int, ...] = 0
    interpolation: Interpolation = "nearest"

    @property
    @abstractmethod
    def name(self) -> str:
        """What a user types to get this policy."""

    @property
    @abstractmethod
    def space(self) -> SearchSpace:
        """The operations that sequences refer to."""

    @abstractmethod
    def sample(self, stream: Stream) -> Sequences:
        """One sequence for each example of the stream."""

    @abstractmethod
    def table(self) -> Table:
        """The policy as a readable table."""

    @property
    def mixes_labels(self) -> bool:
        """Whether labels of different examples are mixed."""
        return False

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """The examples after one draw of the policy; labels stay what they are."""
        return engine.apply(
            examples,
            self.sample(stream),
            self.space,
            stream,
            fill=self.fill,
            interpolation=self.interpolation,
            threads=threads,
        )

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing | None:
        """How examples of the batch are mixed with each other, if they are."""
        return None

    @overload
    def augment(
        self, examples: Any, *, labels: None = None, seed: int = 0, epoch: int = 0,
        index: ArrayLike | None = None, copy: int = 0, threads: int = 1,
    ) -> Images: ...  # fmt: skip

    @overload
    def augment(
        self, examples: Any, *, labels: ArrayLike, seed: int = 0, epoch: int = 0,
        index: ArrayLike | None = None, copy: int = 0, threads: int = 1,
    ) -> tuple[Images, NDArray[np.float32]]: ...  # fmt: skip

    def augment(
        self,
        examples: Any,
        *,
        labels: ArrayLike | None = None,
        seed: int = 0,
        epoch: int = 0,
        index: ArrayLike | None = None,
        copy: int = 0,
        threads: int = 1,
    ) -> Any:
        """Augment a batch: uint8 ``(n, H, W, C)`` in, the same out.

        ``index`` ``(n,)`` holds the numbers of the examples in their data set (default: 0 to n-1),
        so that the same example of the same epoch always gets the same draw; ``copy`` tells several
        views of one example apart. With soft ``labels`` float ``(n, classes)`` the result is
        ``(examples, labels)``; a policy that mixes labels needs them.

        >>> from automorph import load_policy
        >>> batch = np.zeros((2, 8, 8, 3), np.uint8)
        >>> load_policy("trivialaugment").augment(batch, seed=1).shape
        (2, 8, 8, 3)
        """
        numbers = np.arange(len(examples)) if index is None else np.asarray(index)
        if numbers.shape != (len(examples),):
            raise UsageError(
                f"got {len(examples)} examples and an index of shape {numbers.shape}; "
                f"expected one number an example, shape ({len(examples)},)"
            )
        stream = Stream(seed=seed, epoch=epoch, index=numbers, copy=copy)
        out = self.transform(examples, stream, threads=threads)
        if labels is None:
            if self.mixes_labels:
                raise UsageError(
                    f"the policy {self.name!r} mixes labels, and none were given; pass "
                    "labels= (soft labels, shape (n, classes)) and take two results"
                )
            return out
        soft = np.asarray(labels, np.float32)
        if soft.ndim != 2 or len(soft) != len(examples):
            raise UsageError(
                f"got labels of shape {soft.shape} for {len(examples)} examples; expected soft "
                "labels of shape (n, classes), for example numpy.eye(classes)[labels]"
            )
        mixing = self.mixing(stream, out.shape)
        return (out, soft) if mixing is None else (mixing.examples(out), mixing.labels(soft))

    def preview(self, examples: Images, *, draws: int = 6, seed: int = 0) -> Images:
        """Originals and draws side by side: uint8 ``(n, 1 + draws, H, W, C)``."""
        n = len(examples)
        views = [examples]
        for copy in range(draws):
            stream = Stream(seed=seed, index=np.arange(n), copy=copy)
            view = self.transform(examples, stream)
            mixing = self.mixing(stream, view.shape)
            views.append(view if mixing is None else mixing.examples(view))
        return np.stack(views, axis=1)

    def __str__(self) -> str:
        return self.name
