"""A network evaluated on a part: accuracy, loss and the prediction for every example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.errors import DataError
from automorph.metrics import Scorer
from automorph.models import evaluating
from automorph.targets import Classes, Target
from automorph.training.batch import Encoder
from automorph.training.device import Machine
from automorph.training.precision import Chosen, casting

AT_ONCE = 500
"""Examples that are evaluated together."""


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """``logits`` float32 ``(n, classes)``, and ``losses`` float32 ``(n,)`` given ``labels``.

    ``target`` is what the labels mean, ``scorer`` the metric that chooses (None: accuracy).
    """

    logits: NDArray[np.float32]
    losses: NDArray[np.float32]
    labels: NDArray[np.int64]
    target: Target
    scorer: Scorer | None = None

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The prediction for every example, of classes int64 ``(n,)``."""
        return self.target.predict(self.logits)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each class, ``(n, k)``."""
        return self.target.probabilities(self.logits)

    @property
    def score(self) -> float:
        """What chooses: the value of the metric, negated if lower is better."""
        if self.scorer is None:
            return self.accuracy
        return self.scorer.sign * self.scorer.value(self.labels, self.probabilities)

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


def evaluation_of(
    logits: torch.Tensor,
    labels: NDArray[np.int64],
    target: Target,
    scorer: Scorer | None = None,
) -> Evaluation:
    """Return the evaluation of logits float32 ``(n, k)``, given labels int64 ``(n,)``."""
    losses = target.loss(logits, torch.from_numpy(target.encode(labels)))
    return Evaluation(logits.numpy(), losses.numpy(), labels, target, scorer)
