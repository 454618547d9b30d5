"""A training in which network and policy learn together: one run of DADA."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph import engine
from automorph.errors import UsageError
from automorph.experiments import JobResult, key_of, plain_treatment
from automorph.models import begin_training, evaluating
from automorph.operations import SearchSpace, Sequences, Stream, occurring
from automorph.policies import Policy, RandomPolicy
from automorph.searchers.dada.choices import LEVELS, Choices, choices_loss
from automorph.targets import Target
from automorph.training import (
    Balance,
    Optimiser,
    Recipe,
    Task,
    Units,
    batches,
    evaluate,
    find_machine,
    fitted,
    learning_rate,
    make_optimiser,
    prefixed,
    read_checkpoint,
    repeatable,
    repeats,
    steps_per_epoch,
    under,
    write_checkpoint,
)

NUDGE = 1e-2
"""Length of the step in weights that measures an alignment (Li et al. 2020: 0.01 / |v|)."""
WARM = 0.1
"""Share of the epochs before the policy moves: gradients of an untrained network say little."""


def alignments(
    model: nn.Module,
    direction: Sequence[Tensor],
    inputs: Tensor,
    labels: Tensor,
    target: Target,
) -> Tensor:
    """Return <grad_w l_i, v / |v|> of each example ``(n,)``: the loss added by a step along v.

    Two forward passes, (l_i(w + e v) - l_i(w - e v)) / 2 e (Li et al. 2020, equation 14, uses the
    same difference), in evaluation mode. For v = grad L_val it is the decrease of the validation
    loss by a step on example i, to first order and up to the learning rate and |v|.
    """
    weights: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
    norm = torch.stack([v.double().square().sum() for v in direction]).sum().sqrt() + 1e-30
    step = [v * (NUDGE / norm).to(v.dtype) for v in direction]
    losses = []
    with torch.no_grad(), evaluating(model):
        kept = [p.clone() for p in weights]
        for sign in (1, -1):
            torch._foreach_copy_(weights, torch._foreach_add(kept, step, alpha=sign))
            losses.append(target.loss(model(inputs), labels).double())
        torch._foreach_copy_(weights, kept)
    return (losses[0] - losses[1]) / (2 * NUDGE)


def validation_gradient(
    model: nn.Module, inputs: Tensor, labels: Tensor, target: Target
) -> list[Tensor]:
    """Return grad_w of the mean loss, in evaluation mode."""
    weights: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
    with evaluating(model):
        loss = target.loss(model(inputs), labels).mean()
    return list(torch.autograd.grad(loss, weights))


class Learning:
    """The state of a run between two epochs."""

    def __init__(self, job: Learn, task: Task) -> None:
        self.job, self.task, self.recipe = job, task, task.recipe
        self.machine = find_machine()
        self.model = task.build(job.seed).to(self.machine.device)
        begin_training(self.model)
        self.optimiser: Optimiser = make_optimiser(self.model, task.recipe)
        self.balance = Balance(task)
        self.choices = Choices(job.length, len(job.space))
        self.space, self.post_policy = fitted(job.space, task), fitted(job.post_policy, task)
        # Adam with beta_1 = 0.5, as Li et al. 2020.
        policy = Recipe(optimizer="adamw", lr=job.rate, momentum=0.5, weight_decay=0.0)
        self.climber: Optimiser = make_optimiser(self.choices, policy)
        self.entropies: list[float] = []
        self.shares: list[list[float]] = []
        self.units, self.seconds = Units(), 0.0

    def epoch(self) -> None:
        """Train on every example under its first draw; compare all draws."""
        began = time.perf_counter()
        number, job, target = len(self.entropies), self.job, self.balance.target
        train, validation = self.task.data.train, self.task.data.parts["validation"]
        size = self.recipe.batch_size
        against = batches(
            len(validation), min(size, len(validation)), seed=job.seed + 1, epoch=number
        )
        steps = steps_per_epoch(len(train), size)
        epoch = self.balance.rows(seed=job.seed, epoch=number)
        for step, (rows, times) in enumerate(zip(epoch, repeats(epoch), strict=True)):
            numbers = occurring(rows, times)
            decisions = self._draw(numbers, number)
            views = [
                self._view(rows, numbers, decisions[:, d], number, d) for d in range(job.draws)
            ]
            if number >= round(WARM * job.epochs):
                some = against[step % len(against)]
                direction = validation_gradient(
                    self.model,
                    *self._inputs(validation.data[some], target.encode(validation.expected[some])),
                    self.balance.as_common,
                )
                rewards = [alignments(self.model, direction, *view, target) for view in views]
                reward = torch.stack(rewards, dim=1).cpu()
                log_p = self.choices.log_probability(decisions.flatten(0, 1))
                torch.autograd.backward(choices_loss(log_p.view(reward.shape), reward))
                self.climber.step()
                self.climber.clear()
                scored = 2 * reward.numel()
                self.units += Units(len(some) + scored, len(some))
            inputs, labels = views[0]
            loss = target.loss(self.model(inputs), labels, smoothing=self.recipe.label_smoothing)
            weights = self.balance.weights(labels)
            torch.autograd.backward((loss if weights is None else loss * weights).mean())
            if self.recipe.clip_norm is not None:
                nn.utils.clip_grad_norm_(self.optimiser.weights, self.recipe.clip_norm)
            self.optimiser.lr = learning_rate(self.recipe, number * steps + step, steps)
            self.optimiser.step()
            self.optimiser.clear()
            self.units += Units(len(rows), len(rows))
        p = self.choices.operation.detach().softmax(dim=1)
        self.entropies.append(float(torch.special.entr(p).sum(dim=1).mean()))
        fires = self.choices.chance.detach().sigmoid()
        self.shares.append((1 - (1 - p * fires).prod(dim=0)).tolist())
        self.seconds += time.perf_counter() - began

    def _draw(self, numbers: NDArray[np.int64], epoch: int) -> Tensor:
        """Return decisions ``(n, draws, length, 3)``."""
        count = self.job.draws
        stream = Stream(
            seed=self.job.seed, epoch=epoch, index=np.repeat(numbers, count),
            copy=np.tile(np.arange(count), len(numbers)),
        )  # fmt: skip
        uniform = stream.uniform("gradient search", 3 * self.job.length)
        return self.choices.draw(uniform).view(len(numbers), count, self.job.length, 3)

    def _view(
        self,
        rows: NDArray[np.int64],
        numbers: NDArray[np.int64],
        decisions: Tensor,
        epoch: int,
        copy: int,
    ) -> tuple[Tensor, Tensor]:
        """Return network inputs and labels after one draw per example and the post-policy.

        Examples draw under ``numbers``, which differ for repeats.
        """
        op, fires, level = decisions.numpy().transpose(2, 0, 1)
        job, part = self.job, self.task.data.train
        stream = Stream(seed=job.seed, epoch=epoch, index=numbers, copy=copy)
        sequences = Sequences.of(op, level / (LEVELS - 1), fires > 0)
        examples = engine.apply(part.data[rows], sequences, self.space, stream)
        # Further copy numbers, so that the post-policy repeats no draw of the operations.
        return self._inputs(
            *self.post_policy.augment(
                examples, labels=self.task.target.encode(part.expected[rows]), seed=job.seed,
                epoch=epoch, index=numbers, copy=job.draws + copy,
            )
        )  # fmt: skip

    def _inputs(self, examples: Any, labels: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        device = self.machine.device
        return self.task.encoder(examples, device), torch.from_numpy(labels).to(device)

    def outcome(self) -> JobResult:
        """Return the learned distribution as plain data."""
        with torch.no_grad():
            seen = evaluate(
                self.model,
                self.task.data.parts["validation"],
                encoder=self.task.encoder,
                target=self.task.target,
            )
            facts = {
                "operation": self.choices.operation.softmax(dim=1).tolist(),
                "chance": self.choices.chance.sigmoid().tolist(),
                "level": self.choices.level.softmax(dim=2).tolist(),
                "entropies": self.entropies,
                "course": {
                    "across": "epoch",
                    "places": list(range(1, len(self.shares) + 1)),
                    "operations": {
                        name: [shares[number] for shares in self.shares]
                        for number, name in enumerate(self.space.names)
                    },
                },
            }
        return JobResult(seen.accuracy, self.units, self.seconds, facts)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything that the next epoch needs."""
        tensors = {
            **prefixed("model", self.model.state_dict()),
            **prefixed("optimiser", self.optimiser.state_dict()),
            **prefixed("choices", self.choices.state_dict()),
            **prefixed("climber", self.climber.state_dict()),
        }
        units = [self.units.forward, self.units.backward]
        return tensors, {
            "entropies": self.entropies, "shares": self.shares, "units": units,
            "seconds": self.seconds,
        }  # fmt: skip

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restore the result of `state`."""
        self.model.load_state_dict(under("model", tensors))
        self.optimiser.load_state_dict(under("optimiser", tensors))
        self.choices.load_state_dict(under("choices", tensors))
        self.climber.load_state_dict(under("climber", tensors))
        self.entropies, self.seconds = list(facts["entropies"]), facts["seconds"]
        self.shares = list(facts["shares"])
        self.units = Units(*facts["units"])


@dataclass(frozen=True, kw_only=True)
class Learn:
    """One run; ``facts`` hold the learned distribution, and its entropy epoch by epoch.

    It stores its state after every epoch, so a killed run resumes. The score is the validation
    accuracy of the network trained alongside.
    """

    space: SearchSpace
    post_policy: Policy
    seed: int
    epochs: int = 20
    length: int = 2
    draws: int = 2
    rate: float = 2e-2

    def describe(self) -> dict[str, Any]:
        """Return all that determines the result, as plain data."""
        return {
            "job": "learn",
            "space": plain_treatment(RandomPolicy(operations=self.space))["operations"],
            "tail": plain_treatment(self.post_policy),
            "options": [self.seed, self.epochs, self.length, self.draws, self.rate],
        }

    def run(self, task: Task, folder: Path) -> JobResult:
        """Train and learn, epoch by epoch."""
        if task.data.validation is None:
            raise UsageError(
                f"{task.name} has no validation part; dada learns its policy on one: split it off "
                "(see automorph.data.split)"
            )
        run = Learning(self, task.with_recipe(epochs=self.epochs))
        state = folder / "children" / key_of(self) / "learn.safetensors"
        with repeatable(run.machine):
            if state.exists():
                run.restore(*read_checkpoint(state))
            while len(run.entropies) < self.epochs:
                run.epoch()
                state.parent.mkdir(parents=True, exist_ok=True)
                write_checkpoint(state, *run.state())
            return run.outcome()
