"""SGD, AdamW, Muon and the running average of the weights, on lists of tensors.

PyTorch's own optimisers are not used because making the first one imports its compiler: three
seconds in every process, more than a small training takes. The numbers are equal (tested).
"""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from automorph.errors import UsageError
from automorph.training.muon import hidden_matrices, turn
from automorph.training.recipe import Recipe


class Optimiser:
    """Weights that are moved along their gradients, with some tensors of memory for each."""

    memories: tuple[str, ...] = ()

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.weights: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self.recipe = recipe
        self.lr = recipe.lr
        shares = layer_shares(model, recipe.layer_decay) if recipe.layer_decay < 1 else None
        self.shares = None if shares is None else [shares[id(p)] for p in self.weights]
        self.steps = 0
        self.memory = {name: [torch.zeros_like(p) for p in self.weights] for name in self.memories}
        # `torch.amp.GradScaler` reads gradients from here.
        self.param_groups: list[dict[str, Any]] = [{"params": self.weights}]

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights that have gradients."""
        self.steps += 1
        rows = [i for i, p in enumerate(self.weights) if p.grad is not None]
        weights = [self.weights[i] for i in rows]
        gradients = [p.grad for p in weights if p.grad is not None]
        # Decaying biases and normalisations has no benefit (Goyal et al. 2017, section 5.3).
        decayed = [i for i, p in enumerate(weights) if p.ndim > 1]
        before = None if self.shares is None else [p.clone() for p in weights]
        self.move(weights, gradients, decayed, [[m[i] for i in rows] for m in self.memory.values()])
        if before is not None and self.shares is not None:
            steps = torch._foreach_sub(weights, before)
            torch._foreach_mul_(steps, [self.shares[i] for i in rows])
            torch._foreach_add_(before, steps)
            torch._foreach_copy_(weights, before)

    def move(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        decayed: list[int],
        memory: list[list[Tensor]],
    ) -> None:
        """Update weights and memory in place; may overwrite gradients."""
        raise NotImplementedError

    def clear(self) -> None:
        """Clear the gradients."""
        for p in self.weights:
            p.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        """Return the memory and the number of steps: tensors by name."""
        tensors = {f"{name}.{i}": t for name, ts in self.memory.items() for i, t in enumerate(ts)}
        return {"steps": torch.tensor(self.steps), **tensors}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what ``state_dict`` returned."""
        self.steps = int(state["steps"])
        for name, tensors in self.memory.items():
            for i, tensor in enumerate(tensors):
                tensor.copy_(state[f"{name}.{i}"])


def layer_shares(model: nn.Module, decay: float) -> dict[int, float]:
    """Return the share of the rate at which every weight moves, by its ``id``.

    Layer l of L moves at decay^(L - l), and the output layer at 1 (Clark et al., "ELECTRA", ICLR
    2020, appendix A; Bao et al., "BEiT", ICLR 2022, appendix H). Layers are the blocks that timm
    counts.
    """
    from timm.optim import param_groups_layer_decay

    groups = param_groups_layer_decay(model, layer_decay=decay)
    return {id(p): float(group["lr_scale"]) for group in groups for p in group["params"]}


class SGD(Optimiser):
    """Gradient descent with Nesterov's momentum and weight decay in the gradient.

    g <- g + d w; b <- m b + g; w <- w - lr (g + m b) (Sutskever et al. 2013, section 2, in the
    form that looks ahead from the current weights).
    """

    memories = ("momentum",)

    def move(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        decayed: list[int],
        memory: list[list[Tensor]],
    ) -> None:
        """Take one step."""
        self.descend(weights, gradients, decayed, memory[0], self.lr, self.recipe.momentum)

    def descend(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        decayed: list[int],
        buffers: list[Tensor],
        lr: float,
        momentum: float,
    ) -> None:
        """Take one step at the given rate and momentum."""
        decay = self.recipe.weight_decay
        if decay and decayed:
            torch._foreach_add_(
                [gradients[i] for i in decayed], [weights[i] for i in decayed], alpha=decay
            )
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        torch._foreach_add_(gradients, buffers, alpha=momentum)
        torch._foreach_add_(weights, gradients, alpha=-lr)


class AdamW(Optimiser):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2)."""

    memories = ("mean", "square")
    beta2 = 0.999
    epsilon = 1e-8

    def move(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        decayed: list[int],
        memory: list[list[Tensor]],
    ) -> None:
        """Take one step."""
        beta1, beta2, t = self.recipe.momentum, self.beta2, self.steps
        means, squares = memory
        if decayed:
            torch._foreach_mul_(
                [weights[i] for i in decayed], 1 - self.lr * self.recipe.weight_decay
            )
        torch._foreach_lerp_(means, gradients, 1 - beta1)
        torch._foreach_mul_(squares, beta2)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - beta2)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_div_(roots, math.sqrt(1 - beta2**t))
        torch._foreach_add_(roots, self.epsilon)
        torch._foreach_addcdiv_(weights, means, roots, -self.lr / (1 - beta1**t))


class Muon(SGD):
    """Muon for the matrices between input and output (`hidden_matrices`), SGD for the rest.

    ``lr`` and ``momentum`` of the recipe are those of the matrices, ``sgd_share`` times that rate
    and ``sgd_momentum`` those of the rest and of the lengths of the matrices (see `turn`). Weight
    decay is that of SGD, and applies to the rest only.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        super().__init__(model, recipe)
        counts = hidden_matrices(model)
        # One number per matrix; none for the weights that SGD moves.
        self.memory["length"] = [
            torch.zeros(counts.get(id(p), 0), device=p.device) for p in self.weights
        ]

    def move(
        self,
        weights: list[Tensor],
        gradients: list[Tensor],
        decayed: list[int],
        memory: list[list[Tensor]],
    ) -> None:
        """Take one step."""
        recipe, (buffers, lengths) = self.recipe, memory
        sgd_lr = recipe.sgd_share * self.lr
        hidden = [i for i, length in enumerate(lengths) if length.numel()]
        rest = [i for i, length in enumerate(lengths) if not length.numel()]
        if rest:
            self.descend(
                [weights[i] for i in rest],
                [gradients[i] for i in rest],
                [place for place, i in enumerate(rest) if i in decayed],
                [buffers[i] for i in rest],
                sgd_lr,
                recipe.sgd_momentum,
            )
        if hidden:
            turn(
                [weights[i] for i in hidden],
                [gradients[i] for i in hidden],
                [buffers[i] for i in hidden],
                [lengths[i] for i in hidden],
                rate=self.lr,
                m=recipe.momentum,
                length_rate=sgd_lr,
                length_m=recipe.sgd_momentum,
            )


_OPTIMISERS: dict[str, type[Optimiser]] = {"sgd": SGD, "adamw": AdamW, "muon": Muon}


def make_optimiser(model: nn.Module, recipe: Recipe) -> Optimiser:
    """Build the recipe's optimiser for the weights of a network."""
    if recipe.optimizer not in _OPTIMISERS:
        raise UsageError(
            f"the recipe's optimizer is {recipe.optimizer!r}, which fits heads on frozen features; "
            f"expected one of {', '.join(_OPTIMISERS)}, or a model such as features:timm:NAME"
        )
    return _OPTIMISERS[recipe.optimizer](model, recipe)


class Average:
    """A running mean of weights (EMA): m <- d m + (1 - d) w after every step t = 1, 2, ..

    d = min(decay, (1 + t) / (10 + t)), so that early weights do not dominate short runs. Without a
    ``decay``, d = (1 - 1 / t)^(gamma + 1): the mean then reaches back over a tenth of the steps so
    far, however many they are (Karras et al., "Analyzing and improving the training dynamics of
    diffusion models", CVPR 2024, section 3.1).
    """

    gamma = 6.94

    def __init__(self, model: nn.Module, decay: float | None = None) -> None:
        self.model = deepcopy(model).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Average in the weights after step number ``step`` (from 0)."""
        if self.decay is None:
            decay = (1 - 1 / (step + 1)) ** (self.gamma + 1)
        else:
            decay = min(self.decay, (1 + step) / (10 + step))
        mean, now = self.model.state_dict(), model.state_dict()
        floats = [name for name, value in mean.items() if value.is_floating_point()]
        torch._foreach_lerp_([mean[n] for n in floats], [now[n] for n in floats], 1 - decay)
        for name in mean.keys() - floats:
            mean[name].copy_(now[name])
