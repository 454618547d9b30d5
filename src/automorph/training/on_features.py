"""A task on the features of a frozen network: its head is trained by steps, by any loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from automorph.data import Split
from automorph.errors import UsageError
from automorph.models import FrozenFeatures, content_of
from automorph.training.augmenter import PolicyAugmenter
from automorph.training.base import on_device
from automorph.training.device import find_machine
from automorph.training.frozen_features import FrozenSource
from automorph.training.loader import Loader
from automorph.training.precision import precision_of
from automorph.training.recipe import Recipe
from automorph.training.recipe_table import recipe_for
from automorph.training.task import Task
from automorph.training.task_record import named

STEPS = 3000
"""Steps of the default training of a head, of 5 to 200 epochs."""
RATE, DECAY = 1e-3, 20.0
"""Tried with group DRO on the validation part of Waterbirds. Features are many: without a strong
decay, the head learns the examples of rare groups by heart."""
_SMALLEST = 1e-6


class FeatureEncoder:
    """Map examples to the features of a task's frozen network, scaled by its training part.

    Features of remembered examples are looked up, those of others are computed.
    """

    def __init__(self, task: Task, *, device: str = "auto") -> None:
        machine = find_machine(device)
        self.task = task
        self.network = cast(FrozenFeatures, on_device(task.build(0), machine))
        # Plain facts, by which the identity of a training tells encoders apart.
        self.name = task.network
        self.content = content_of(self.network.backbone)
        self.prepared = named(task.encoder)
        loader = Loader(task, PolicyAugmenter(None), 0, machine, precision_of(task, machine))
        self._source = FrozenSource(self.network, loader)
        self._rows: dict[bytes, int] = {}
        self._known = np.zeros((0, self.width), np.float32)
        train = self._source.part(task.data.train).features
        self.mean = train.mean(dim=0)
        deviation = train.std(dim=0, correction=0)
        self.scale = torch.where(deviation > _SMALLEST, deviation, torch.inf)
        self.remember(task.data.train)

    @property
    def width(self) -> int:
        """The number of features."""
        return self.network.head.in_features

    def remember(self, part: Split) -> None:
        """Compute the features of a part, or read them from disk, and keep them."""
        names = _names(part.data)
        if all(name in self._rows for name in names):
            return
        found = (self._source.part(part).features - self.mean) / self.scale
        first = len(self._known)
        self._known = np.concatenate([self._known, found.numpy()])
        self._rows |= {name: first + number for number, name in enumerate(names)}

    @torch.no_grad()
    def __call__(self, examples: Any, device: torch.device | None = None) -> Tensor:
        """Return scaled features float32 ``(n, width)``."""
        places = [self._rows.get(name, -1) for name in _names(examples)]
        found = torch.from_numpy(self._known[places]) if len(self._known) else torch.empty(0)
        if missing := [row for row, place in enumerate(places) if place < 0]:
            where = self.mean.device if device is None else device
            inputs = self.task.encoder(examples[np.array(missing)], where)
            made = self.network.features(inputs).cpu()
            found[missing] = (made - self.mean) / self.scale
        return found.to(device)


@dataclass(frozen=True)
class LinearHead:
    """Build an untrained linear head: all classes are equally likely."""

    width: int
    classes: int

    def __call__(self) -> nn.Module:
        """Return the layer."""
        layer = nn.Linear(self.width, self.classes)
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
        return layer


def head_task(task: Task, *, device: str = "auto", **changes: Any) -> Task:
    """Return the task of training the head of a frozen network by steps, on finished features.

    ``changes`` are entries of the recipe of this training. Its ``epochs`` are those of the task
    if they differ from its default number of copies, which a head that is trained does not need.
    Raises `UsageError` for a task whose network is not frozen.
    """
    if task.recipe.optimizer != "lbfgs":
        raise UsageError(
            f"got the network {task.network}; expected one on frozen features, such as "
            "features:timm:NAME"
        )
    encoder = FeatureEncoder(task, device=device)
    n, batch = len(task.data.train), 128
    copies = recipe_for(task.network, n).epochs
    epochs = min(200, max(5, round(STEPS * batch / n)))
    recipe = Recipe(
        epochs=epochs if task.recipe.epochs == copies else task.recipe.epochs,
        batch_size=batch, lr=RATE, weight_decay=DECAY, warmup_epochs=0,
        precision=task.recipe.precision, balance=task.recipe.balance,
    )  # fmt: skip
    model = LinearHead(encoder.width, task.classes)
    changed = replace(task, model=model, encoder=encoder, recipe=recipe, weights=None)
    return changed.with_recipe(**changes)


def whole_network(task: Task, head: nn.Module) -> FrozenFeatures:
    """Return the network of which ``head`` was trained on a `head_task`, with unscaled features."""
    encoder, layer = cast(FeatureEncoder, task.encoder), cast(nn.Linear, head)
    network = cast(FrozenFeatures, encoder.task.build(0))
    with torch.no_grad():
        weight = layer.weight.cpu() / encoder.scale
        network.head.weight.copy_(weight)
        network.head.bias.copy_(layer.bias.cpu() - weight @ encoder.mean)
    return network


def _names(examples: Any) -> list[bytes]:
    """Return a hash of each example."""
    if examples.dtype.kind == "T":
        return [blake2b(str(text).encode(), digest_size=16).digest() for text in examples]
    return [blake2b(np.ascontiguousarray(one).data, digest_size=16).digest() for one in examples]
