"""A network evaluated on a part: accuracy, loss and the prediction for every example."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.errors import DataError
from automorph.metrics import Scorer
from automorph.models import evaluating
from automorph.targets import Classes, Masks, Target
from automorph.training.batch import Encoder
from automorph.training.device import Machine
from automorph.training.precision import Chosen, casting

AT_ONCE = 500
"""Examples that are evaluated together."""
AT_ONCE_PIXELS = 1 << 18
"""Pixels that are evaluated together where each has a class."""
GRID = 1 << 22
"""Logits that are kept of masks: 16 MiB."""


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """``logits`` float32 ``(n, classes)``, and ``losses`` float32 ``(n,)`` given ``labels``.

    ``target`` is what the labels mean, ``scorer`` the metric that chooses (None: accuracy).
    """

    logits: NDArray[np.float32]
    losses: NDArray[np.float32]
    labels: NDArray[Any]
    target: Target
    scorer: Scorer | None = None

    @property
    def predictions(self) -> NDArray[Any]:
        """The prediction for every example, of classes int64 ``(n,)``."""
        return self.target.predict(self.logits)

    @property
    def probabilities(self) -> NDArray[Any]:
        """The probability of each class, ``(n, k)``."""
        return self.target.probabilities(self.logits)

    @property
    def score(self) -> float:
        """What chooses: the value of the metric, negated if lower is better."""
        if self.scorer is None:
            return self.accuracy
        return self.scorer.sign * self.scorer.value(self.labels, self.probabilities)

    @property
    def sample(self) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Logits and their labels by which the loss is calibrated: all."""
        return self.logits, self.labels

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each prediction is right, ``(n,)``."""
        return self.target.correct(self.predictions, self.labels)

    @property
    def accuracy(self) -> float:
        """The target's score: of classes the share of right predictions."""
        return self.target.score(self.predictions, self.labels)

    @property
    def loss(self) -> float:
        """The mean loss, without label smoothing."""
        return float(self.losses.mean(dtype=np.float64))


@dataclass(frozen=True, eq=False, repr=False)
class MaskEvaluation(Evaluation):
    """``masks`` uint8 ``(n, H, W)`` are the predictions.

    Logits of all pixels would fill the memory: ``logits`` float32 ``(n, k, h, w)`` are those of a
    grid of pixels, of which every ``step``-th is taken in both directions.
    """

    masks: NDArray[np.uint8] = field(kw_only=True)
    step: int = field(kw_only=True)

    @property
    def predictions(self) -> NDArray[np.uint8]:
        """The predicted class of every pixel, uint8 ``(n, H, W)``."""
        return self.masks

    @property
    def probabilities(self) -> NDArray[np.uint8]:
        """The predicted masks, from which the metrics of masks are computed."""
        return self.masks

    @property
    def sample(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """The logits of the grid, and its labels."""
        return self.logits, self.labels[:, :: self.step, :: self.step]


def evaluate(
    model: nn.Module,
    part: Split,
    *,
    encoder: Encoder,
    batch_size: int = AT_ONCE,
    precision: Chosen = "fp32",
    machine: Machine | None = None,
    target: Target | None = None,
    scorer: Scorer | None = None,
) -> Evaluation:
    """Evaluate a model on a part, in evaluation mode; several processes share the work.

    Every layer returns to its previous mode. ``target`` is the meaning of the labels (None: as
    many classes as the model has outputs), ``scorer`` the metric that chooses.
    Raises `DataError` for an empty part.
    """
    if len(part) == 0:
        raise DataError("got an empty part; expected at least one example to evaluate on")
    here = machine or Machine(next(model.parameters()).device)
    share = here.share(len(part))
    if isinstance(target, Masks):
        return _of_masks(model, part, encoder, precision, here, target, scorer)
    found: list[torch.Tensor] = []
    with evaluating(model), torch.inference_mode(), casting(precision, here.device):
        for start in range(share.start, share.stop, batch_size):
            rows = slice(start, min(start + batch_size, share.stop))
            found.append(model(encoder(part.data[rows], here.device)).float())
    own = torch.cat(found) if found else torch.zeros(0, 1, device=here.device)
    if here.processes > 1:
        # Each process fills its rows of a zero array; the sum over processes is complete.
        width = here.sum(torch.tensor([own.shape[1] if here.is_main else 0], device=here.device))
        whole = torch.zeros(len(part), int(width), device=here.device)
        whole[share] = own
        own = here.sum(whole)
    return evaluation_of(own.cpu(), part.expected, target or Classes(own.shape[1]), scorer)


def _of_masks(
    model: nn.Module,
    part: Split,
    encoder: Encoder,
    precision: Chosen,
    machine: Machine,
    target: Masks,
    scorer: Scorer | None,
) -> MaskEvaluation:
    """Evaluate a model that predicts masks, a few images at a time."""
    labels, share = part.expected, machine.share(len(part))
    pixels = labels[0].size
    step = math.ceil(math.sqrt(pixels * len(part) * target.outputs / GRID))
    grid = labels[:1, ::step, ::step].shape[1:]
    masks = torch.zeros(labels.shape, dtype=torch.uint8)
    losses = torch.zeros(len(part))
    logits = torch.zeros(len(part), target.outputs, *grid)
    at_once = max(1, AT_ONCE_PIXELS // pixels)
    with evaluating(model), torch.inference_mode(), casting(precision, machine.device):
        for start in range(share.start, share.stop, at_once):
            rows = slice(start, min(start + at_once, share.stop))
            found = model(encoder(part.data[rows], machine.device)).float()
            truth = torch.from_numpy(target.encode(labels[rows])).to(machine.device)
            masks[rows] = target.predict(found).cpu()
            losses[rows] = target.loss(found, truth).cpu()
            logits[rows] = found[:, :, ::step, ::step].cpu()
    if machine.processes > 1:
        # Rows of other processes are zeros here.
        whole = [
            machine.sum(one.float().to(machine.device)).cpu() for one in (masks, losses, logits)
        ]
        masks, losses, logits = whole[0].byte(), whole[1], whole[2]
    return MaskEvaluation(
        logits.numpy(), losses.numpy(), labels, target, scorer, masks=masks.numpy(), step=step
    )


def evaluation_of(
    logits: torch.Tensor,
    labels: NDArray[np.int64],
    target: Target,
    scorer: Scorer | None = None,
) -> Evaluation:
    """Return the evaluation of logits float32 ``(n, k)``, given labels int64 ``(n,)``."""
    losses = target.loss(logits, torch.from_numpy(target.encode(labels)))
    return Evaluation(logits.numpy(), losses.numpy(), labels, target, scorer)
