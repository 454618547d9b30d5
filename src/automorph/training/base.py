"""What every training has between epochs, however its network is fitted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from automorph.data import open_part
from automorph.models import begin_training
from automorph.targets import Target
from automorph.training.augmenter import Augmenter
from automorph.training.batch import Units
from automorph.training.device import Machine
from automorph.training.evaluation import Evaluation, evaluate
from automorph.training.loader import Loader
from automorph.training.precision import Chosen
from automorph.training.progress import Shown
from automorph.training.result import Epoch
from automorph.training.sampler import steps_per_epoch
from automorph.training.task import Task


class BaseTraining(ABC):
    """The task, the network, the augmented batches, and the curves so far."""

    stable_epochs: int | None = None

    def __init__(
        self,
        task: Task,
        augmenter: Augmenter,
        *,
        seed: int,
        machine: Machine,
        precision: Chosen,
        workers: int = 0,
        counted: bool = True,
    ) -> None:
        self.task = task
        self.recipe = task.recipe
        self.augmenter = augmenter
        self.seed = seed
        self.machine = machine
        self.precision = precision
        self.model = on_device(task.build(seed), machine)
        begin_training(self.model)
        self.loader = Loader(task, augmenter, seed, machine, precision, workers, counted)
        self.steps = steps_per_epoch(len(task.data.train), self.recipe.batch_size)
        self.curves: list[Epoch] = []
        self.units = Units()

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return len(self.curves)

    @property
    def last_epoch(self) -> int:
        """The number of epochs of the whole training, as far as is known now."""
        return self.recipe.epochs

    @property
    def converged(self) -> bool | None:
        """Whether the constant phase had converged; None if that is not known."""
        return None

    @property
    def kept(self) -> nn.Module:
        """The network that is evaluated."""
        return self.model

    def cool_down(self) -> None:
        """Let the rate fall from here on; the training then ends at `last_epoch`."""
        raise NotImplementedError

    @abstractmethod
    def run_epoch(self, shown: Shown, *, validate: bool) -> None:
        """Train one epoch, evaluate the validation part if asked to, and record both."""

    @abstractmethod
    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything the next epoch needs: tensors, and facts for JSON."""

    @abstractmethod
    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Restore what `state` returned."""

    def evaluate(
        self, part: str, model: nn.Module | None = None, *, target: Target | None = None
    ) -> Evaluation:
        """Evaluate a network (None: the one that is kept) on a part of the data.

        ``target`` is the meaning of the labels (None: the task's).
        """
        return evaluate(
            self.kept if model is None else model,
            open_part(self.task.data, part),
            encoder=self.task.encoder,
            precision=self.precision,
            machine=self.machine,
            target=target or self.task.target,
            scorer=self.task.judged_by,
        )

    def choose(self) -> int:
        """Load the weights of the chosen epoch into `kept`; return its number, from 1."""
        return self.epoch


def on_device(model: nn.Module, machine: Machine) -> nn.Module:
    """Move the network to the device; convolutions are fastest with channels last."""
    moved: nn.Module = model.to(machine.device).to(memory_format=torch.channels_last)
    return moved
