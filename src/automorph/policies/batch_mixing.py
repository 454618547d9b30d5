"""Policies that mix examples and labels of a batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from automorph.errors import PolicyError
from automorph.operations import SearchSpace, Sequences, Stream
from automorph.policies.base import Policy, Table
from automorph.policies.formatting import number_text
from automorph.policies.mixing import Mixing, cutmix, mixup
from automorph.policies.naming import share_text
from automorph.policies.tensors import unchanged

_NO_OPERATIONS = SearchSpace("none", ())


@dataclass(frozen=True, kw_only=True)
class Mixed(Policy):
    """mixup or CutMix with another example of the batch; labels are mixed alike.

    For ``set-mixup`` the other example is any of the training part, drawn uniformly, under a draw
    of its own; outside training, where the data are unknown, it is one of the batch.
    """

    mix: Literal["mixup", "cutmix", "set-mixup"]
    alpha: float = 1.0
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.mix not in ("mixup", "cutmix", "set-mixup"):
            raise PolicyError(f"Mixed got mix={self.mix!r}; expected mixup, cutmix or set-mixup")
        self._settle("alpha", float, 0.01, 100)
        self._settle("probability", float, 0, 1)

    @property
    def name(self) -> str:
        """The name that a user types for this policy."""
        numbers = f"alpha={number_text(self.alpha)},p={number_text(self.probability)}"
        if self.mix == "set-mixup":
            return f"mixup({numbers},partner=set)"
        return f"{self.mix}({numbers})"

    @property
    def space(self) -> SearchSpace:
        """No operations."""
        return _NO_OPERATIONS

    @property
    def mixes_labels(self) -> bool:
        """Whether labels of different examples are mixed: always."""
        return True

    @property
    def mixes_last(self) -> bool:
        """Whether it mixes examples when all else is done: always."""
        return True

    def sample(self, stream: Stream) -> Sequences:
        """Return empty sequences: single examples are unchanged."""
        return Sequences.empty(len(stream))

    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any:
        """Return a copy of the examples: single examples are unchanged."""
        return unchanged(examples)

    def mixing(self, stream: Stream, shape: tuple[int, ...]) -> Mixing:
        """Draw how examples of the batch are mixed with each other."""
        if self.mix != "cutmix":
            found = mixup(stream, self.alpha, self.probability)
            return replace(found, anywhere=self.mix == "set-mixup")
        return cutmix(stream, self.alpha, self.probability, shape[1], shape[2])

    def table(self) -> Table:
        """Return a table of one row."""
        if self.mix != "cutmix":
            origin = "the batch" if self.mix == "mixup" else "the training part"
            what = f"The example is blended with another one of {origin}, and so are their labels."
        else:
            what = "A box from another example is pasted in, and the labels are mixed by its area."
        row = (
            self.mix.removeprefix("set-"),
            number_text(self.alpha),
            share_text(self.probability),
            what,
        )
        caption = "The mixing weight is drawn from Beta(alpha, alpha)."
        return Table(("mixing", "alpha", "chance", "what it does"), (row,), caption)
