"""The interface of all policies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.engine import protected_by
from automorph.errors import PolicyError, UsageError
from automorph.notebook import Preview, table_html
from automorph.operations import Colour, Operation, SearchSpace, Sequences, Stream
from automorph.policies.formatting import number_text
from automorph.policies.mixing import Mixing
from automorph.policies.one_image import augment_alone
from automorph.policies.plans import Drawing
from automorph.policies.rendering import Fill, Interpolation
from automorph.policies.tensors import are_texts, as_array, as_images, as_texts, beside
from automorph.policies.transform_call import TransformCall
from automorph.text import Corpus, checked_patterns

Images = NDArray[np.uint8]

COPIES = 1 << 16
"""Copies of an example are numbered below this; AugMix uses higher numbers."""


@dataclass(frozen=True)
class Table:
    """A policy as a readable table: column names, rows of cells, and a caption."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Policy(TransformCall, ABC):
    """A distribution over sequences of operations.

    Policies are values: frozen, hashable, and equal when they mean the same.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that a user types for this policy."""

    @property
    @abstractmethod
    def space(self) -> SearchSpace:
        """The operations that sequences refer to."""

    @abstractmethod
    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example of the stream."""

    @abstractmethod
    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """Return the examples after one draw of the policy; labels are unchanged."""

    @abstractmethod
    def table(self) -> Table:
        """Return the policy as a readable table."""

    @property
    def mixes_labels(self) -> bool:
        """Whether labels of different examples are mixed."""
        return False

    @property
    def mixes_last(self) -> bool:
        """Whether it mixes examples when all else is done, so that no policy can follow it."""
        return False

    @property
    def is_sequence(self) -> bool:
        """Whether ``sample`` states everything that ``transform`` does to single examples."""
        return True

    @property
    def drawable(self) -> tuple[Operation, ...]:
        """The operations that it can draw, each once; may be fewer than its space."""
        return tuple(self.space)

    @property
    def needs_epoch(self) -> bool:
        """Whether draws depend on the number of the epoch itself."""
        return False

    @property
    def span(self) -> int:
        """The number of epochs until the policy stays the same: 1 unless it `needs_epoch`."""
        return 1

    @property
    def needs_seed(self) -> bool:
        """Whether the seed of the training draws the policy itself."""
        return False

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing | None:
        """Draw how examples of the batch are mixed with each other; None if they are not."""
        return None

    def _drawing(self, seed: int) -> Drawing | None:
        """Return how the compiled engine draws for this policy; None if it cannot."""
        return None

    def blends(self, stream: Stream, position: int = 0) -> tuple[Mixing, ...]:
        """Return how ``transform`` mixes labels: by operations such as Mixup, in order.

        ``position`` is that of the first operation in the whole chain.
        """
        return ()

    def rendered(
        self, *, fill: Fill | None = None, interpolation: Interpolation | None = None
    ) -> Policy:
        """Return the policy with another fill colour or resampling (None: unchanged)."""
        return self

    def fitted(self, texts: Any, *, protect: Sequence[str] | None = None) -> Policy:
        """Fit the policy's operations to the words of the training texts (see `Corpus`).

        ``protect`` are regular expressions that match what no operation may change (None: those of
        an earlier fit). Policies without text operations are returned unchanged.
        """
        if self.space.domain != "text":
            return self
        patterns = protected_by(self.space) if protect is None else protect
        return self.with_corpus(Corpus(list(texts), checked_patterns(patterns)))

    def with_corpus(self, corpus: Corpus) -> Policy:
        """Return the policy with operations that use a corpus."""
        return self

    @property
    def needs_mean(self) -> bool:
        """Whether any colour is the mean of the training data (``fill=mean``)."""
        return False

    def with_mean(self, mean: Colour) -> Policy:
        """Return the policy with the mean of the data, one level per channel; see `needs_mean`.

        >>> from automorph import load_policy
        >>> load_policy("crop(fill=mean)").with_mean((125, 123, 114)).name
        'crop(fill=(125,123,114))'
        """
        return self

    def with_seed(self, seed: int) -> Policy:
        """Return the policy that a training with this seed uses; see `needs_seed`.

        >>> from automorph import load_policy
        >>> load_policy("flip + random").with_seed(7).name
        'flip + random(seed=7)'
        """
        return self

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

        Texts are a list or an array of strings, or a column of a table; the result is NumPy's
        ``StringDType`` ``(n,)``.
        A torch tensor of images is ``(n, C, H, W)``, uint8 or float in [0, 1]; the result is such a
        tensor on the same device, and labels given as a tensor are returned as one.

        ``index`` ``(n,)`` holds the numbers of the examples in their data set (default: 0 to n-1):
        an example with the same seed and epoch always gets the same draw, whatever its batch. Only
        operations and policies that combine examples (SamplePairing, mixup, CutMix) depend on the
        batch. ``copy`` distinguishes several views of one example. With soft ``labels`` float
        ``(n, classes)`` the result is ``(examples, labels)``; a policy that mixes labels requires
        them.

        >>> from automorph import load_policy
        >>> batch = np.zeros((2, 8, 8, 3), np.uint8)
        >>> load_policy("trivialaugment").augment(batch, seed=1).shape
        (2, 8, 8, 3)
        """
        if labels is None and type(copy) is int and 0 <= copy < COPIES:
            done = augment_alone(self, examples, seed=seed, epoch=epoch, index=index, copy=copy)
            if done is not None:
                return done
        if are_texts(examples):
            examples = as_texts(examples)
        stream = stream_for(examples, seed, epoch, index, copy)
        soft = None if labels is None else _soft(labels, len(examples))
        if soft is None and self.mixes_labels:
            raise UsageError(
                f"the policy {self.name!r} mixes labels, but got none; pass "
                "labels= (soft labels, shape (n, classes)) and unpack two results"
            )
        out = self.transform(examples, stream, threads=threads)
        if soft is None:
            return out
        mixing = self.mixing(stream, as_images(out.shape, out))
        if mixing is not None:
            out, soft = mixing.examples(out), mixing.labels(soft)
        return out, beside(soft, labels)

    def preview(
        self, examples: Images, *, draws: int = 6, seed: int = 0, epochs: int = 1
    ) -> Images:
        """Return originals and draws side by side: uint8 ``(n, 1 + draws, H, W, C)``.

        A notebook shows the array as a picture, and one of texts as a table.

        The draws are those of epochs from the first to the last of ``epochs``, evenly spaced.
        """
        views = [examples]
        for copy in range(draws):
            epoch = (epochs - 1) * copy // max(draws - 1, 1)
            stream = stream_for(examples, seed, epoch, None, copy)
            view = self.transform(examples, stream)
            mixing = self.mixing(stream, view.shape)
            views.append(view if mixing is None else mixing.examples(view))
        return np.stack(views, axis=1).view(Preview)

    def __str__(self) -> str:
        return self.name

    def _repr_html_(self) -> str:
        """Return the table of the policy, for notebooks."""
        table = self.table()
        return table_html(table.columns, table.rows, title=self.name, note=table.caption)

    def _settle(self, field: str, kind: type[int] | type[float], low: float, high: float) -> None:
        """Check one number of the policy and store it as a plain Python number."""
        value = check_range(type(self).__name__, field, getattr(self, field), kind, low, high)
        object.__setattr__(self, field, value)


def check_range(
    who: str, what: str, value: Any, kind: type[int] | type[float], low: float, high: float
) -> Any:
    """Return the value as a plain int or float if it is in range; NaN and booleans are refused."""
    value = value.item() if isinstance(value, np.generic) else value
    fits = isinstance(value, (int, kind)) and not isinstance(value, bool)
    if not fits or not low <= value <= high:
        expected = "a whole number" if kind is int else "a number"
        raise PolicyError(
            f"{who} got {what}={value!r:.60}; expected {expected} from {number_text(low)} to "
            f"{number_text(high)}"
        )
    return kind(value)


def stream_for(examples: Any, seed: int, epoch: int, index: ArrayLike | None, copy: int) -> Stream:
    """Return the random numbers of a batch, after checking the arguments."""
    try:
        n = len(examples)
    except TypeError:
        raise UsageError(
            f"got {type(examples).__name__} as examples; expected a batch, such as a "
            "uint8 NumPy array (n, H, W, C) for images"
        ) from None
    numbers = np.arange(n) if index is None else np.asarray(as_array(index))
    if numbers.shape != (n,) or (numbers.size and numbers.dtype.kind not in "iu"):
        raise UsageError(
            f"got {n} examples and an index of shape {numbers.shape} and type {numbers.dtype}; "
            f"expected one whole number per example, shape ({n},)"
        )
    for what, value, end in (("epoch", epoch, 1 << 32), ("copy", copy, COPIES)):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or not 0 <= value < end:
            raise UsageError(f"got {what}={value!r}; expected a whole number from 0 to {end - 1}")
    if not isinstance(seed, (int, np.integer)):
        raise UsageError(f"got seed={seed!r}; expected a whole number")
    return Stream(seed=int(seed), epoch=int(epoch), index=numbers.astype(np.int64), copy=int(copy))


def _soft(labels: ArrayLike, n: int) -> NDArray[np.float32]:
    try:
        soft = np.asarray(as_array(labels), np.float32)
    except (TypeError, ValueError):
        soft = np.empty(0, np.float32)
    if soft.ndim != 2 or len(soft) != n:
        raise UsageError(
            f"got labels of shape {np.shape(labels)} for {n} examples; expected soft "
            "labels of shape (n, classes), for example numpy.eye(classes)[labels]"
        )
    return soft
