"""Adversarial AutoAugment: a policy network that learns to raise the training loss.

Zhang, Wang, Zhang, Zhong, "Adversarial AutoAugment" (ICLR 2020), algorithm 1:
min_w max_theta E_x E_{tau ~ theta} L(f_w(tau(x)), y).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.augmenters.base import InTrainingMethod, copy_of, examples_meet, together
from automorph.augmenters.distributed import summed
from automorph.augmenters.policy_network import Controller, advantages, begun, policy_gradient_loss
from automorph.operations import SearchSpace, Stream, named_space
from automorph.policies import NAMED, Mixture, Policy, Step, check_range, number_text, with_options
from automorph.training import (
    Augmenter,
    Batch,
    Epoch,
    Optimiser,
    RawBatch,
    Recipe,
    make_optimiser,
    mixed_draw,
    prefixed,
    under,
)

COLLAPSED = 0.5
"""Below this share of its initial entropy over operations, the policy network has collapsed."""


@dataclass(frozen=True, kw_only=True)
class Adversarial(InTrainingMethod):
    """Several policies per batch, written by a network that is rewarded for high training loss.

    A policy is ``subpolicies`` times ``length`` operations of ``space`` at one of ``levels``
    magnitudes; every image draws one sub-policy. ``every`` 0 updates the network after each epoch
    (the paper), else after that many steps. ``rate`` is Adam's learning rate, ``entropy`` the
    weight of the entropy bonus.
    """

    operations: SearchSpace
    count: int = 8
    every: int = 0
    subpolicies: int = 5
    length: int = 2
    levels: int = 10
    rate: float = 3.5e-4
    entropy: float = 1e-5

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("m", self.count, 1, 1000),
            ("every", self.every, 0, 1_000_000),
            ("count", self.subpolicies, 1, 100),
            ("n", self.length, 1, 20),
            ("levels", self.levels, 1, 1000),
        ):
            check_range("adversarial", name, value, int, low, high)
        check_range("adversarial", "lr", self.rate, float, 0, 10)
        check_range("adversarial", "entropy", self.entropy, float, 0, 10)

    @property
    def title(self) -> str:
        """The name with all options."""
        options = [f"m={self.count}", f"n={self.length}"]
        for name, value, usual in (
            ("every", self.every, 0),
            ("count", self.subpolicies, 5),
            ("levels", self.levels, 10),
            ("lr", self.rate, 3.5e-4),
            ("entropy", self.entropy, 1e-5),
        ):
            options += [f"{name}={number_text(value)}"] if value != usual else []
        options += [f"space={self.operations.name}"] * (self.operations.name != "autoaugment")
        return with_options("adversarial", options)

    @property
    def inner(self) -> Policy:
        """The initial policy of the network: operations and levels uniform."""
        return NAMED["composition"](n=self.length, p=1, levels=self.levels, space=self.operations)

    def written(self, decisions: NDArray[np.int64]) -> Policy:
        """Return the policy of one row of decisions, at its place in the chain."""
        pairs = decisions.reshape(self.subpolicies, self.length, 2)
        names, top = self.operations.names, max(self.levels - 1, 1)
        subpolicies = tuple(
            tuple(Step(names[op], 1.0, level / top) for op, level in steps)
            for steps in pairs.tolist()
        )
        return self.around(
            Mixture(label="adversarial", operations=self.operations, subpolicies=subpolicies)
        )

    def build(self) -> Augmenter:
        """Build a new augmenter."""
        return AdversarialAugmenter(self)


class AdversarialAugmenter(Augmenter):
    """The current policies of the network, the losses under them, and its updates."""

    targets = "classes", "values"

    def __init__(self, method: Adversarial) -> None:
        self.method = method
        self.controller: Controller | None = None
        self.optimiser: Optimiser | None = None
        self.decisions: Tensor | None = None
        self.policies: list[Policy] = []
        self.lock = Lock()  # A background thread may be the first to request policies.
        self.losses = torch.zeros(2, method.count, dtype=torch.float64)  # Sum and number.
        self.steps = self.updates = 0
        self.operations = torch.full((len(method.operations),), 1 / len(method.operations))
        self.spread = torch.zeros(())
        self.device = torch.device("cpu")
        self.whole_batch = examples_meet(method.policy)
        # If policies change within an epoch, batches must not be prepared ahead.
        self.needs_model = method.every > 0

    def __call__(self, raw: RawBatch, model: nn.Module | None = None) -> Batch:
        """Return every example under every policy, an example's rows adjacent.

        Of M policies, policy m has the rows m::M.
        """
        self.device = raw.device
        with self.lock:
            policies = self._written(raw.seed)
        drawn = [
            mixed_draw(policy, raw, copy_of(raw, copy))
            for copy, policy in enumerate(policies)
        ]  # fmt: skip
        return together(raw, [examples for examples, _ in drawn], [labels for _, labels in drawn])

    def _written(self, seed: int) -> list[Policy]:
        """Return the policies until the next update: a function of network, seed and update."""
        if not self.policies:
            if self.controller is None:
                self._begin(seed)
            assert self.controller is not None
            if self.decisions is None:
                length = 2 * self.method.subpolicies * self.method.length
                stream = Stream(seed=seed, epoch=self.updates, index=np.arange(self.method.count))
                uniform = torch.from_numpy(stream.uniform("controller", length))
                with torch.no_grad():
                    self.decisions = self.controller.write(uniform).decisions
            self.policies = [self.method.written(row) for row in self.decisions.numpy()]
        return self.policies

    def _begin(self, seed: int) -> None:
        self.controller = begun(seed, len(self.method.operations), self.method.levels)
        # AdamW without weight decay is Adam.
        recipe = Recipe(optimizer="adamw", lr=self.method.rate, weight_decay=0.0)
        self.optimiser = make_optimiser(self.controller, recipe)

    def feedback(self, losses: Tensor) -> None:
        """Record the losses under each policy."""
        by_policy = losses.detach().double().view(-1, self.method.count)
        self.losses[0] += by_policy.sum(dim=0).cpu()
        self.losses[1] += len(by_policy)
        self.steps += 1
        if self.method.every and self.steps % self.method.every == 0:
            self._update()

    def _update(self) -> None:
        """Take one step of REINFORCE on the mean losses of the policies; then draw new policies."""
        assert self.controller is not None
        assert self.optimiser is not None
        assert self.decisions is not None
        total, number = summed(self.losses, self.device)
        mean = (total / number.clamp(min=1)).float()
        read = self.controller.read(self.decisions)
        loss = policy_gradient_loss(read, advantages(mean), entropy=self.method.entropy)
        torch.autograd.backward(loss)
        self.optimiser.step()
        self.optimiser.clear()
        self.operations, self.spread = read.operations, mean.max() - mean.min()
        self.updates += 1
        self.policies, self.decisions = [], None
        self.losses = torch.zeros_like(self.losses)

    def end_epoch(self, record: Epoch) -> dict[str, Any]:
        """Update the network (unless it updates every few steps), and report its state.

        ``operations`` is its mean distribution over operations, ``entropy`` the entropy of that as
        a share of the largest possible, ``spread`` the loss of the hardest policy minus that of the
        easiest.
        """
        if not self.method.every:
            self._update()
        p, names = self.operations.double(), self.method.operations.names
        entropy = torch.special.entr(p).sum().item()
        share = entropy / math.log(len(names)) if len(names) > 1 else 1.0
        return {
            "operations": dict(zip(names, [round(x, 5) for x in p.tolist()], strict=True)),
            "entropy": share,
            "collapsed": share < COLLAPSED,
            "spread": self.spread.item(),
            "updates": self.updates,
        }

    def describe(self) -> Any:
        """Return name and content of the method."""
        return self.method.describe()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the network, its optimiser, the policies in use and their losses so far."""
        if self.controller is None or self.optimiser is None:
            return {}
        counts = torch.tensor([self.steps, self.updates])
        kept = {"losses": self.losses, "counts": counts, "spread": self.spread}
        return {
            **prefixed("controller", self.controller.state_dict()),
            **prefixed("optimiser", self.optimiser.state_dict()),
            **({} if self.decisions is None else {"decisions": self.decisions}),
            **kept,
            "operations": self.operations,
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the result of ``state_dict``."""
        if not state:
            return
        self._begin(0)
        assert self.controller is not None
        assert self.optimiser is not None
        self.controller.load_state_dict(under("controller", state))
        self.optimiser.load_state_dict(under("optimiser", state))
        self.decisions, self.policies = state.get("decisions"), []
        self.losses, self.spread = state["losses"], state["spread"]
        self.operations = state["operations"]
        self.steps, self.updates = state["counts"].tolist()


def build(
    m: int = 8, n: int = 2, every: int = 0, count: int = 5, levels: int = 10, lr: float = 3.5e-4,
    entropy: float = 1e-5, space: str = "autoaugment",
) -> InTrainingMethod:  # fmt: skip
    """Build the method from the options that a user types."""
    return Adversarial(
        operations=named_space(space), count=m, length=n, every=every, subpolicies=count,
        levels=levels, rate=lr, entropy=entropy,
    )  # fmt: skip
