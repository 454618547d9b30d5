"""A network on a part of the data: accuracy, loss and what it says of every example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.errors import DataError
from automorph.training.batch import Encoder
from automorph.training.device import Machine
from automorph.training.loss import soft_cross_entropy
from automorph.training.precision import Chosen, casting


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """``logits`` float32 ``(n, classes)``, and ``losses`` float32 ``(n,)`` given ``labels``."""

    logits: NDArray[np.float32]
    losses: NDArray[np.float32]
    labels: NDArray[np.int64]

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The predicted class of every example, int64 ``(n,)``."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each prediction is right, ``(n,)``."""
        return np.asarray(self.predictions == self.labels)

    @property
    def accuracy(self) -> float:
        """The share of right predictions."""
        return float(self.correct.mean())

    @property
    def loss(self) -> float:
        """The mean cross-entropy, without label smoothing."""
        return float(self.losses.mean(dtype=np.float64))


def evaluate(
    model: nn.Module,
    part: Split,
    *,
    encoder: Encoder,
    batch_size: int = 500,
    precision: Chosen = "fp32",
    machine: Machine | None = None,
) -> Evaluation:
    """What the model, in evaluation mode, makes of a part; several processes share the work.

    The model is put back in the mode it was in.
    """
    if len(part) == 0:
        raise DataError("got a part without examples to evaluate on; expected one or more")
    here = machine or Machine(next(model.parameters()).device)
    labels = torch.from_numpy(np.array(part.labels))
    share = here.share(len(part))
    found: list[torch.Tensor] = []
    was_training = model.training
    model.eval()
    with torch.inference_mode(), casting(precision, here.device):
        for start in range(share.start, share.stop, batch_size):
            rows = slice(start, min(start + batch_size, share.stop))
            found.append(model(encoder(part.data[rows], here.device)).float())
    model.train(was_training)
    own = torch.cat(found) if found else torch.zeros(0, 1, device=here.device)
    if here.processes > 1:
        # Each process fills in its rows of zeros; the sum is the whole.
        width = here.sum(torch.tensor([own.shape[1] if here.is_main else 0], device=here.device))
        whole = torch.zeros(len(part), int(width), device=here.device)
        whole[share] = own
        own = here.sum(whole)
    logits = own.cpu()
    one_hot = nn.functional.one_hot(labels, logits.shape[1])
    losses = soft_cross_entropy(logits, one_hot.float())
    return Evaluation(logits.numpy(), losses.numpy(), part.labels)
