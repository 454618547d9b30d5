"""Policies that change during training, as found by Population Based Augmentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, groupby
from typing import Any

import numpy as np

from automorph.errors import PolicyError
from automorph.operations import Colour, Operation, SearchSpace, Sequences, Stream
from automorph.policies.base import Policy, Table, check_range
from automorph.policies.chain import Chain
from automorph.policies.mixing import Mixing
from automorph.policies.pba_policy import Shuffled
from automorph.policies.rendering import Fill, Interpolation
from automorph.policies.union_space import joint_space
from automorph.text import Corpus

_MOST = 10_000
"""Pieces, at most."""


@dataclass(frozen=True)
class Piece:
    """A policy, and for how many epochs it is used."""

    epochs: int
    policy: Policy

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "epochs", check_range("Schedule", "epochs", self.epochs, int, 1, 10**9)
        )
        if not isinstance(self.policy, Policy):
            raise PolicyError(
                f"got {self.policy!r:.60} in a schedule; expected policies (see load_policy)"
            )
        if isinstance(self.policy, (Chain, Schedule)):
            kind = type(self.policy).__name__.lower()
            raise PolicyError(
                f"got a {kind} inside a schedule ({self.policy.name:.60}); expected single "
                "policies. Put stages that always apply outside it: flip-crop + schedule(..)"
            )


@dataclass(frozen=True, kw_only=True)
class Schedule(Policy):
    """A policy for each epoch of the stream; the last one stays (Ho et al. 2019).

    In an epoch, the result equals that of the epoch's policy exactly. A schedule with a ``label``
    is named by it and stored in files; others are named by their content.

    >>> from automorph import load_policy
    >>> schedule = load_policy("schedule(20:none,10:randaugment(n=2,m=9))")
    >>> schedule.epochs, schedule.at(19).name, schedule.at(99).name
    (30, 'none', 'randaugment(n=2,m=9)')
    """

    pieces: tuple[Piece, ...]
    label: str = ""

    def __post_init__(self) -> None:
        pieces = tuple(_merged(self.pieces))
        object.__setattr__(self, "pieces", pieces)
        if not 1 <= len(pieces) <= _MOST:
            raise PolicyError(f"got a schedule of {len(pieces)} pieces; expected 1 to {_MOST}")
        self._joint  # noqa: B018 - spaces that cannot be joined are an error here, not later

    @property
    def name(self) -> str:
        """The label, or the name that a user types for this policy."""
        inside = ",".join(f"{piece.epochs}:{piece.policy.name}" for piece in self.pieces)
        return self.label or f"schedule({inside})"

    @property
    def epochs(self) -> int:
        """The number of epochs for which it was made."""
        return self._ends[-1]

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(accumulate(piece.epochs for piece in self.pieces))

    @cached_property
    def _joint(self) -> tuple[SearchSpace, dict[SearchSpace, int]]:
        """The space of all pieces, and where the space of each begins in it."""
        spaces = tuple(dict.fromkeys(piece.policy.space for piece in self.pieces))
        if len(spaces) == 1:
            return spaces[0], {spaces[0]: 0}
        joint, offsets = joint_space("schedule", spaces)
        return joint, dict(zip(spaces, offsets, strict=True))

    @property
    def space(self) -> SearchSpace:
        """The operations of all pieces."""
        return self._joint[0]

    @property
    def mixes_labels(self) -> bool:
        """Whether any piece mixes labels."""
        return any(piece.policy.mixes_labels for piece in self.pieces)

    @property
    def mixes_last(self) -> bool:
        """Whether any piece mixes examples at its end."""
        return any(piece.policy.mixes_last for piece in self.pieces)

    @property
    def is_sequence(self) -> bool:
        """Whether all pieces are sequences."""
        return all(piece.policy.is_sequence for piece in self.pieces)

    @property
    def drawable(self) -> tuple[Operation, ...]:
        """The operations that any piece can draw."""
        return tuple(dict.fromkeys(one for piece in self.pieces for one in piece.policy.drawable))

    @property
    def needs_epoch(self) -> bool:
        """Whether the policy ever changes."""
        return len(self.pieces) > 1

    @property
    def span(self) -> int:
        """The first epoch of the last piece, counted from 1."""
        return self.epochs - self.pieces[-1].epochs + 1

    @property
    def needs_seed(self) -> bool:
        """Whether the seed of the training draws any piece."""
        return any(piece.policy.needs_seed for piece in self.pieces)

    def at(self, epoch: int) -> Policy:
        """Return the policy of an epoch, counted from 0."""
        number = int(np.searchsorted(self._ends, epoch, side="right"))
        return self.pieces[min(number, len(self.pieces) - 1)].policy

    def stretched(self, epochs: int) -> Schedule:
        """Return the schedule stretched to another number of epochs.

        Each change keeps its share of the training, rounded to the next whole epoch; pieces that
        are left without an epoch are dropped.

        >>> from automorph import load_policy
        >>> load_policy("schedule(20:none,10:flip)").stretched(90).name
        'schedule(60:none,30:flip)'
        """
        check_range("Schedule", "epochs", epochs, int, 1, 10**9)
        ends = [round(end * epochs / self.epochs) for end in self._ends]
        pieces = tuple(
            Piece(end - start, piece.policy)
            for start, end, piece in zip([0, *ends], ends, self.pieces, strict=False)
            if end > start
        )
        return replace(self, pieces=pieces)

    def rendered(
        self, *, fill: Fill | None = None, interpolation: Interpolation | None = None
    ) -> Schedule:
        """Return the schedule with another fill colour or resampling (None: unchanged)."""
        pieces = (
            replace(piece, policy=piece.policy.rendered(fill=fill, interpolation=interpolation))
            for piece in self.pieces
        )
        return replace(self, pieces=tuple(pieces))

    def with_corpus(self, corpus: Corpus) -> Schedule:
        """Return the schedule with operations that use a corpus."""
        pieces = (replace(piece, policy=piece.policy.with_corpus(corpus)) for piece in self.pieces)
        return replace(self, pieces=tuple(pieces))

    @property
    def needs_mean(self) -> bool:
        """Whether any piece needs the mean of the data."""
        return any(piece.policy.needs_mean for piece in self.pieces)

    def with_mean(self, mean: Colour) -> Schedule:
        """Return the schedule with the mean of the data."""
        pieces = (replace(piece, policy=piece.policy.with_mean(mean)) for piece in self.pieces)
        return replace(self, pieces=tuple(pieces))

    def with_seed(self, seed: int) -> Schedule:
        """Return the schedule that a training with this seed uses."""
        pieces = (replace(piece, policy=piece.policy.with_seed(seed)) for piece in self.pieces)
        return replace(self, pieces=tuple(pieces))

    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example, from the policy of the stream's epoch."""
        policy = self.at(stream.epoch)
        offset = self._joint[1][policy.space]
        return Sequences.empty(len(stream)).then(policy.sample(stream), offset=offset)

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """Return the examples after one draw of the policy of the stream's epoch."""
        return self.at(stream.epoch).transform(examples, stream, threads=threads)

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing | None:
        """Draw how the policy of the stream's epoch mixes examples; None if it does not."""
        return self.at(stream.epoch).mixing(stream, shape)

    def blends(self, stream: Stream, position: int = 0) -> tuple[Mixing, ...]:
        """Return the mixings by operations of the policy of the stream's epoch."""
        return self.at(stream.epoch).blends(stream, position)

    def table(self) -> Table:
        """Return a table of the policies, in order."""
        rows = []
        for end, piece in zip(self._ends, self.pieces, strict=True):
            first = end - piece.epochs + 1
            epochs = str(end) if first == end else f"{first} to {end}"
            policy = piece.policy
            words = policy.words if isinstance(policy, Shuffled) else policy.table().caption
            rows.append((epochs, policy.name, words))
        caption = (
            f"The policy changes with the epoch; after {self.epochs} epochs the last one is kept."
        )
        return Table(("epochs", "policy", "what it does"), tuple(rows), caption)


def _merged(pieces: Iterable[Piece]) -> Iterable[Piece]:
    """Merge adjacent pieces with the same policy."""
    for policy, run in groupby(pieces, key=lambda piece: piece.policy):
        yield Piece(sum(piece.epochs for piece in run), policy)
