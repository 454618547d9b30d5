"""Base class and shared functions of the in-training methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from automorph.errors import PolicyError
from automorph.operations import MEAN, Colour, SearchSpace, Stream
from automorph.policies import NAMED, Policy, Table, chained, identity_form
from automorph.text import Corpus
from automorph.training import Augmenter, Batch, PolicyAugmenter, RawBatch, mixed_draw


@dataclass(frozen=True, kw_only=True)
class InTrainingMethod(ABC):
    """A method, with policies applied to every view before and after its own draw.

    Methods are values: frozen, comparable, and small enough to send to other processes; ``build``
    makes the object that learns. Their own draws (``inner``) are one stage in a chain of policies,
    so a method that chooses nothing equals that chain bit for bit.
    """

    before: tuple[Policy, ...] = ()
    after: tuple[Policy, ...] = ()

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the method and its options."""

    @property
    @abstractmethod
    def inner(self) -> Policy:
        """The policy that the method itself draws from, before it has learned."""

    def unlabelled_rows(self, batch_size: int) -> int:
        """Return how many examples without labels it needs for a batch of labelled ones."""
        return 0

    @abstractmethod
    def build(self) -> Augmenter:
        """Build a new augmenter without state."""

    @property
    def name(self) -> str:
        """The text that a user types for it."""
        stages = [*(p.name for p in self.before), self.title, *(p.name for p in self.after)]
        return " + ".join(stages)

    @property
    def policy(self) -> Policy:
        """The policy of its views before anything is learned."""
        return self.around(self.inner)

    def around(self, inner: Policy) -> Policy:
        """Return the chain with another policy at the method's own place."""
        return chained(*self.before, inner, *self.after)

    def with_corpus(self, corpus: Corpus) -> Self:
        """Return the method with all its operations fitted to a corpus (texts)."""
        return self._changed(lambda policy: policy.with_corpus(corpus), lambda s: s.fitted(corpus))

    def with_mean(self, mean: Colour) -> Self:
        """Return the method with the mean colour of the data (images)."""
        return self._changed(
            lambda policy: policy.with_mean(mean), lambda space: space.painted(mean, only=MEAN)
        )

    def _changed(
        self,
        policy: Callable[[Policy], Policy],
        space: Callable[[SearchSpace], SearchSpace],
    ) -> Self:
        """Return the method with changes of all policies and spaces among its fields."""
        changes = {
            entry.name: _applied(getattr(self, entry.name), policy, space) for entry in fields(self)
        }
        return replace(self, **changes)

    def surrounded(self, *, before: tuple[Policy, ...], after: tuple[Policy, ...]) -> Self:
        """Return the method with more stages around it."""
        return replace(self, before=(*before, *self.before), after=(*self.after, *after))

    def describe(self) -> Any:
        """Return name and content as plain data."""
        return {"name": self.name, "policy": identity_form(self.policy)}

    def table(self) -> Table:
        """Return the table of the views, with the method in its caption."""
        table = self.policy.table()
        return replace(table, caption=f"{type(self).__doc__ or ''}".split("\n")[0])

    def __str__(self) -> str:
        return self.name


def _applied(
    value: Any, policy: Callable[[Policy], Policy], space: Callable[[SearchSpace], SearchSpace]
) -> Any:
    """Change a field of a method if it holds operations; return others unchanged."""
    if isinstance(value, tuple):
        return tuple(_applied(one, policy, space) for one in value)
    if isinstance(value, Policy):
        return policy(value)
    return space(value) if isinstance(value, SearchSpace) else value


def views(policy: Policy, raw: RawBatch, count: int) -> Batch:
    """Return ``count`` encoded draws of the policy per example; an example's rows are adjacent.

    Row ``i * count + c`` is copy c of example i: the first copies are the same for any count.
    """
    return views_at(policy, raw, np.tile(np.arange(count), (len(raw), 1)))


def views_at(policy: Policy, raw: RawBatch, copies: NDArray[np.int64]) -> Batch:
    """Return the draws with these copy numbers, int ``(n, count)``, as `views` makes them."""
    drawn = []
    for copy in copies.T:
        drawn.append(mixed_draw(policy, raw, stream_of(raw, copy=copy)))
    return together(raw, [examples for examples, _ in drawn], [labels for _, labels in drawn])


def together(raw: RawBatch, examples: list[Any], labels: list[Any]) -> Batch:
    """Join views ``(n, ..)`` and their soft labels to one batch, an example's rows adjacent."""
    count = len(examples)
    if count == 1:
        return raw.batch(examples[0], labels=labels[0])
    rows, soft = (np.stack(parts, axis=1) for parts in (examples, labels))
    batch = raw.batch(
        rows.reshape(-1, *rows.shape[2:]),
        labels=soft.reshape(-1, soft.shape[2]),
        index=np.repeat(raw.index, count),
    )
    return replace(batch, views=count)


def with_unlabelled(
    raw: RawBatch, labelled: list[Any], unlabelled: list[Any], labels: NDArray[np.float32]
) -> Batch:
    """Join views ``(n, ..)`` of a batch with those of its unlabelled examples ``(m, ..)``.

    All are encoded together, so that texts are padded to one length. ``labels`` ``(n, classes)``.
    """
    if raw.unlabelled is None:
        return together(raw, labelled, [labels] * len(labelled))
    rest = raw.unlabelled
    rows = [np.stack(one, axis=1) for one in (labelled, unlabelled)]
    flat = [one.reshape(-1, *one.shape[2:]) for one in rows]
    inputs = raw.encode(np.concatenate(flat))
    count = len(flat[0])
    made = [
        Batch(
            encoded, torch.from_numpy(np.repeat(soft, views, axis=0)).to(raw.device),
            np.repeat(one.index, views), views=views, target=raw.target, progress=raw.progress,
        )
        for one, soft, views, encoded in (
            (raw, labels, len(labelled), inputs[:count]),
            (rest, rest.labels, len(unlabelled), inputs[count:]),
        )
    ]  # fmt: skip
    return replace(made[0], unlabelled=made[1])


def refuse_mixing(name: str, policy: Policy) -> None:
    """Raise `PolicyError` if a policy mixes labels, which unlabelled examples do not have."""
    if policy.mixes_labels:
        raise PolicyError(
            f"{name} got a policy that mixes labels ({policy.name}); expected one that does not, "
            "since it compares views of one example: leave out mixup or cutmix"
        )


def stream_of(raw: RawBatch, count: int = 1, *, copy: NDArray[np.int64] | None = None) -> Stream:
    """Return the random stream of `views`, row by row; with ``copy``, that of `views_at`."""
    numbers = np.tile(np.arange(count), len(raw)) if copy is None else copy.ravel()
    index = np.repeat(raw.numbers, len(numbers) // len(raw))
    return Stream(seed=raw.seed, epoch=raw.epoch, index=index, copy=numbers)


def copy_of(raw: RawBatch, number: int) -> Stream:
    """Return the random stream of one copy of every example."""
    return stream_of(raw, copy=np.full(len(raw), number))


def examples_meet(policy: Policy) -> bool:
    """Return True if the result for one example depends on others of its batch."""
    return PolicyAugmenter(policy).whole_batch


def composition(n: int, space: str, *, p: float = 0.5) -> Policy:
    """Return candidates of uncertainty sampling: n operations, each with probability p."""
    return NAMED["composition"](n=n, p=p, space=space)
