"""The adaptive rule of uncertainty sampling: views as hard as the training can bear.

It interpolates between no augmentation and the proportional rule of Wu et al. (ICML 2020). One
strength h in [0, 1] controls it. Candidates are drawn with magnitudes scaled by h (see `Eased`),
and among them

    P(candidate) ~ g * min(l, log k)^h

is trained on: h = 0 trains on the steps around the method alone, and nothing is scored; h = 0.6
has the mean magnitude of RandAugment's m = 9; h = 1 is the proportional rule at full magnitudes.
After every epoch

    h <- h + GAIN * log(t * loss on unseen data / loss on the trained views),
    t = SHARE * (1 + learning rate / its maximum).

- A model that memorises its examples, so that they cost less than t times the loss of unseen
  ones, gets harder views; one that cannot fit them gets easier ones. Training starts with the
  easiest views, so a model that never fits its examples never meets harder ones.
- The best trainings end with examples that cost about half as much as unseen ones, and begin
  with a share of 1. Therefore t falls with the learning rate, and memorisation is detected early:
  hard views come in the middle, milder ones at the end.
- A prediction without any knowledge costs log k, with k classes; a higher loss is not harder,
  only more wrong. The loss is therefore clipped there.
- The guard g separates destroyed candidates from informative ones: under an operation and level
  that destroys, the model recognises hardly any example that it recognises elsewhere. One
  candidate cannot show this, but the thousands of an epoch can.
- In steps without scores the losses are predicted: log l is the sum, over operations, of the
  amount by which each (operation, level) raised it in earlier epochs. Only the chosen candidates
  are drawn. With a single candidate nothing is ever scored, and h controls the magnitudes alone.

The state changes between epochs only. It uses one number per epoch of the validation part;
without one, h is HALFWAY from the second epoch on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.augmenters.distributed import summed
from automorph.operations import Sequences, Stream
from automorph.policies import Policy, SpacePolicy, Table

Floats = NDArray[np.float64]
Cells = NDArray[np.int64]

GAIN = 0.3
"""From plain examples to full strength in five epochs, if the loss is half of its target."""
SHARE = 0.45
"""Below this share of the loss on unseen data, the last trained views are too easy."""
HALFWAY = 0.5
"""Strength without a validation loss."""
MEMORY = 0.5
"""Share of the counts that is kept from epoch to epoch."""
HALF = 0.5
"""An operation passes the guard if the model recognises this share of what it usually does."""
PRIOR = 10.0
"""Pseudo-observations, without suspicion or effect, that every operation starts with."""


def log_loss(excess: Floats, classes: int) -> Floats:
    """Return log min(l, log k), finite: losses below 1e-6 count as 1e-6.

    >>> log_loss(np.array([1.0, 9.0]), classes=3).round(3)
    array([0.   , 0.094])
    """
    return np.asarray(np.log(np.clip(excess, 1e-6, math.log(classes))))


def weights(logs: Floats, guard: Floats, exponent: float) -> Floats:
    """Return the weights ``(n, c)`` of candidates: g exp(b log l), up to a factor per example.

    >>> weights(np.log([[0.1, 0.4, 0.2]]), np.ones((1, 3)), 1.0).round(3)
    array([[0.25, 1.  , 0.5 ]])
    """
    powers = exponent * logs
    return np.asarray(guard * np.exp(powers - powers.max(axis=1, keepdims=True)))


class Adaptive:
    """Strength, guard and effects of a run; ``cells`` is the number of (operation, level) pairs."""

    def __init__(self, cells: int, classes: int) -> None:
        self.strength = 0.0
        self.classes = classes
        self.unseen = math.log(classes)
        self.peak = 0.0
        # Per cell, over candidates in which it fired, and (last) over all candidates: their number,
        # the number of correct predictions, and the sum of log l.
        self.kept = np.zeros((3, cells + 1))
        self.seen = np.zeros((3, cells + 1))

    def weights(self, excess: Floats, right: NDArray[np.bool_], cells: Cells) -> Floats:
        """Return the weights ``(n, c)`` and count the scores; ``cells`` is ``(n * c, length)``."""
        logs = log_loss(excess, self.classes)
        self._note(right.ravel(), logs.ravel(), cells)
        return weights(logs, self._product(self.guard(), cells, excess.shape), self.strength)

    def foreseen(self, cells: Cells, count: int) -> Floats:
        """Return the predicted weights ``(n, count)`` of candidates that are not scored."""
        shape = (len(cells) // count, count)
        logs = np.append(self.effects(), 0.0)[cells].sum(axis=1).reshape(shape)
        return weights(logs, self._product(self.guard(), cells, shape), self.strength)

    def guard(self) -> Floats:
        """Return g of every cell: its recognition beyond chance, over half of the usual one."""
        count, right, _ = self.kept
        chance = 1 / self.classes
        usual = right[-1] / count[-1] - chance if count[-1] else 0.0
        if usual <= 0.05:  # An untrained model cannot separate them.
            return np.ones(len(count) - 1)
        above = right[:-1] - chance * count[:-1] + PRIOR * usual
        return np.clip(above / (count[:-1] + PRIOR) / (HALF * usual), 0.0, 1.0)

    def effects(self) -> Floats:
        """Return by how much every cell raised the mean of log l."""
        count, _, logs = self.kept
        mean = logs[-1] / max(count[-1], 1.0)
        return np.asarray((logs[:-1] - mean * count[:-1]) / (count[:-1] + PRIOR))

    @staticmethod
    def _product(guard: Floats, cells: Cells, shape: tuple[int, ...]) -> Floats:
        # Cell -1 (no operation) has guard 1.
        return np.asarray(np.append(guard, 1.0)[cells].prod(axis=1).reshape(shape))

    def _note(self, right: NDArray[np.bool_], logs: Floats, cells: Cells) -> None:
        # Every view counts once for the cell "all".
        size = self.seen.shape[1]
        fired = np.concatenate([cells, np.full((len(cells), 1), size - 1)], axis=1)
        row, _ = np.nonzero(fired >= 0)
        cell = fired[fired >= 0]
        for total, values in zip(self.seen, (np.ones(len(cells)), right, logs), strict=True):
            total += np.bincount(cell, weights=values[row], minlength=size)

    def end_epoch(
        self, unseen: float | None, trained: float, device: torch.device, *, lr: float = 0.0
    ) -> None:
        """Update the strength, given the losses on unseen data (or None) and on the trained views.

        The views were met in the course of the epoch, so they are compared with the geometric mean
        of the losses on unseen data at its beginning and at its end.
        """
        self.kept = MEMORY * self.kept + summed(torch.from_numpy(self.seen), device).numpy()
        self.seen = np.zeros_like(self.seen)
        if unseen is None:
            self.strength = HALFWAY
            return
        before, self.unseen = self.unseen, max(unseen, 1e-4)
        self.peak = max(self.peak, lr)
        target = SHARE * (1 + (lr / self.peak if lr else 0)) * math.sqrt(before * self.unseen)
        steered = self.strength + GAIN * math.log(target / max(trained, 1e-6))
        self.strength = max(0.0, min(1.0, steered))

    def state_dict(self) -> dict[str, Tensor]:
        """Return strength and counts."""
        facts = [self.strength, self.unseen, self.peak, self.classes]
        return {
            "adaptive": torch.tensor(facts, dtype=torch.float64),
            "counts": torch.from_numpy(self.kept.copy()),
        }

    @classmethod
    def from_state_dict(cls, state: dict[str, Tensor]) -> Adaptive:
        """Restore the rule from its ``state_dict``."""
        strength, unseen, peak, classes = state["adaptive"].tolist()
        counts = state["counts"].cpu().numpy().copy()
        rule = cls(counts.shape[1] - 1, int(classes))
        rule.strength, rule.unseen, rule.peak, rule.kept = strength, unseen, peak, counts
        return rule


@dataclass(frozen=True, kw_only=True)
class Eased(SpacePolicy):
    """The draws of another policy with their magnitudes scaled by ``strength``.

    An operation without a magnitude fires with its probability times ``strength``. A strength of 0
    gives the plain example, 1 the other policy.
    """

    draws: SpacePolicy
    strength: float

    @property
    def title(self) -> str:
        """The scaled policy and its strength."""
        return f"{self.strength:.2f} of {self.draws.title}"

    def sample(self, stream: Stream) -> Sequences:
        """Draw one sequence for each example of the stream."""
        drawn = self.draws.sample(stream)
        free = np.array([operation.magnitude_free for operation in self.operations])[drawn.op]
        kept = stream.uniform("eased", drawn.length) < self.strength
        fire = drawn.fire & (kept | ~free) & (self.strength > 0)
        return Sequences.of(drawn.op, drawn.magnitude * self.strength, fire)

    def table(self) -> Table:
        """Return the table of the scaled policy."""
        return self.draws.table()


def eased(draws: Policy, strength: float) -> Policy:
    """Scale a policy of operations by a strength; return any other policy unchanged."""
    if strength >= 1 or not isinstance(draws, SpacePolicy) or not draws.is_sequence:
        return draws
    return Eased(
        operations=draws.operations, fill=draws.fill, interpolation=draws.interpolation,
        draws=draws, strength=strength,
    )  # fmt: skip
