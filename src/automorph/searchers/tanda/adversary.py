"""Generator against discriminator: one step of the adversarial training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from automorph import engine
from automorph.models import evaluating
from automorph.operations import SearchSpace, Sequences, Stream
from automorph.policies import Policy, noise
from automorph.searchers.tanda.config import RATES, Settings
from automorph.searchers.tanda.discriminators import Discriminator
from automorph.searchers.tanda.generators import Generator, build_generator
from automorph.searchers.tanda.rewards import advantages, costs, increments, reinforce_loss
from automorph.training import (
    Recipe,
    Units,
    batches,
    make_optimiser,
    prefixed,
    steps_per_epoch,
    under,
)

ROWS_AT_ONCE = 2048
"""Examples that the discriminator scores at once, to bound memory."""
LOOKED_AT = 256
"""Examples on which generated sequences are compared with random ones."""
BASE_COPIES = 1 << 15
THE_LOOK = (1 << 32) - 1
"""Epoch of an evaluation's random numbers: always the same, and never used by a step."""


@dataclass(frozen=True)
class Look:
    """Mean final costs l_L of generated and of random sequences, under the same noise.

    ``ratio`` is random over generated: above 1, the generator has learned realistic sequences.
    ``entropy`` is the generator's, in nats per position; ``discriminator`` is the loss of its last
    step; ``shares`` are the shares of its sequences that contain each operation.
    """

    step: int
    generated: float
    random: float
    ratio: float
    entropy: float
    discriminator: float
    shares: tuple[float, ...] = ()


class Adversary:
    """Both networks between two steps; every step depends only on them, the seed and its number.

    ``examples`` have the form that the engine takes. ``base`` is applied to each of them first,
    originals included, so that its traces (of resampling, for example) do not separate them.
    """

    def __init__(
        self,
        examples: Any,
        space: SearchSpace,
        settings: Settings,
        discriminator: Discriminator,
        *,
        seed: int,
        base: Policy | None = None,
        rendering: dict[str, Any] | None = None,
    ) -> None:
        self.examples, self.space, self.settings = examples, space, settings
        self.seed, self.base, self.rendering = seed, base, rendering or {}
        self.discriminator = discriminator
        self.generator: Generator = build_generator(
            settings.generator, len(space), settings.length, bound=settings.bound
        )
        rate = settings.discriminator_rate
        rate = RATES[space.domain] if rate is None else rate
        recipe = Recipe(optimizer="adamw", lr=rate, weight_decay=0.0)
        self.trained = any(p.requires_grad for p in discriminator.parameters())
        self.optimiser = make_optimiser(discriminator, recipe)
        self.step_number = 0
        self.discriminator_loss = 0.0
        self.units = Units()

    def step(self) -> None:
        """Run one step of the discriminator, then one of the generator."""
        rows = self._rows()
        self._teach(rows)
        self._learn(rows)
        self.step_number += 1

    def look(self) -> Look:
        """Evaluate how realistic generated and random sequences are, on the same examples."""
        spread = np.linspace(0, len(self.examples) - 1, min(LOOKED_AT, len(self.examples)))
        stream = Stream(seed=self.seed, epoch=THE_LOOK, index=spread.astype(np.int64))
        shared = self._noise(stream)
        with torch.no_grad():
            written = self.generator.write(shared)
        generated, random = (
            self._costs(op, stream, prefixes=False)[:, -1].mean().item()
            for op in (written.op, shared.argmax(dim=2))
        )
        return Look(
            self.step_number, generated, random, random / max(generated, 1e-12),
            written.entropy.mean().item(), self.discriminator_loss,
            tuple((written.op == number).any(dim=1).double().mean().item()
                  for number in range(len(self.space))),
        )  # fmt: skip

    def state(self) -> dict[str, Tensor]:
        """Return everything that the next step needs."""
        return {
            **prefixed("generator", self.generator.state_dict()),
            **prefixed("discriminator", self.discriminator.state_dict()),
            **prefixed("optimiser", self.optimiser.state_dict()),
            "counts": torch.tensor([self.step_number, self.units.forward, self.units.backward]),
            "loss": torch.tensor(self.discriminator_loss, dtype=torch.float64),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Restore the result of `state`."""
        self.generator.load_state_dict(under("generator", tensors))
        self.discriminator.load_state_dict(under("discriminator", tensors))
        self.optimiser.load_state_dict(under("optimiser", tensors))
        self.step_number, *units = tensors["counts"].tolist()
        self.units = Units(*units)
        self.discriminator_loss = tensors["loss"].item()

    def _rows(self) -> NDArray[np.int64]:
        """Return the indices of the examples of this step."""
        n, size = len(self.examples), min(self.settings.batch_size, len(self.examples))
        epoch, index = divmod(self.step_number, steps_per_epoch(n, size))
        return batches(n, size, seed=self.seed, epoch=epoch)[index]

    def _teach(self, rows: NDArray[np.int64]) -> None:
        """Train the discriminator to separate originals from the ends of sequences."""
        if not self.trained:
            return
        stream = Stream(seed=self.seed, epoch=self.step_number, index=rows)
        with torch.no_grad():
            shared = self._noise(stream)
            op = self.generator.write(shared).op
        random = torch.arange(len(rows)) < round(self.settings.random_share * len(rows))
        op = torch.where(random[:, None], shared.argmax(dim=2), op)
        both = np.concatenate([self._originals(stream), self._applied(op, stream)])
        logits, _ = self.discriminator(self.discriminator.encode(both))
        real, made = logits[: len(rows)], logits[len(rows) :]
        loss = 0.5 * (softplus(-real).mean() + softplus(made).mean())
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.optimiser.clear()
        self.discriminator_loss = loss.item()
        self.units += Units(len(both), len(both))

    def _learn(self, rows: NDArray[np.int64]) -> None:
        """Move the generator down the policy gradient of the costs of its sequences."""
        count = self.settings.samples
        copies = np.tile(np.arange(1, count + 1), len(rows))
        index = np.repeat(rows, count)
        stream = Stream(seed=self.seed, epoch=self.step_number, index=index, copy=copies)
        written = self.generator.write(self._noise(stream))
        cost = self._costs(written.op, stream)
        advantage = advantages(increments(cost), self.settings.discount)
        loss = reinforce_loss(written.log_prob, advantage.double())
        parameters = list(self.generator.parameters())
        with torch.no_grad():
            for p, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                p.sub_(slope, alpha=self.settings.rate)

    @torch.no_grad()
    def _costs(self, op: Tensor, stream: Stream, *, prefixes: bool = True) -> Tensor:
        """Return the costs of every prefix ``(n, L + 1)``, by the discriminator in evaluation mode.

        Without ``prefixes``, only those of the examples and of the ends, ``(n, 2)``.
        """
        steps = self._applied(op, stream, prefixes=prefixes)
        if not prefixes:
            steps = np.stack([self._originals(stream), steps], axis=1)
        n, length = steps.shape[:2]
        flat = steps.reshape(n * length, *steps.shape[2:])
        with evaluating(self.discriminator):
            parts = [
                self.discriminator(self.discriminator.encode(flat[start : start + ROWS_AT_ONCE]))
                for start in range(0, len(flat), ROWS_AT_ONCE)
            ]
        self.units += Units(forward=len(flat))
        logits = torch.cat([part[0] for part in parts]).reshape(n, length)
        features = torch.cat([part[1] for part in parts]).reshape(n, length, -1)
        return costs(logits, features, self.settings.diversity)

    def _noise(self, stream: Stream) -> Tensor:
        return torch.from_numpy(noise(stream, self.space.names, self.settings.length))

    def _originals(self, stream: Stream) -> Any:
        """Return the examples of a stream, after the base policy."""
        chosen = self.examples[stream.index]
        if self.base is None:
            return chosen
        # Separate copy numbers, so that no draw is used twice.
        return self.base.transform(chosen, replace(stream, copy=stream.copy + BASE_COPIES))

    def _applied(self, op: Tensor, stream: Stream, *, prefixes: bool = False) -> Any:
        """Return the examples after these operations (or after each of them)."""
        sequences = Sequences.of(op.numpy(), 1.0)
        originals = self._originals(stream)
        return engine.apply(
            originals, sequences, self.space, stream, prefixes=prefixes, **self.rendering
        )
