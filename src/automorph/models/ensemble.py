"""Networks whose answers are averaged."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class Ensemble(nn.Module):
    """Networks with the same inputs, whose answers are averaged (Hansen and Salamon 1990).

    Outputs are logits: those of the mean probability of classes, also of every pixel (``target``
    classes or masks), or of each label (labels); values are averaged themselves.
    """

    def __init__(self, members: Sequence[nn.Module], target: str = "classes") -> None:
        super().__init__()
        self.members, self.target = nn.ModuleList(members), target

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits, or values, ``(n, ..)`` of inputs."""
        answers = torch.stack([member(inputs).float() for member in self.members])
        if self.target == "values":
            return answers.mean(0)
        count = math.log(len(self.members))
        if self.target == "labels":
            yes, no = (functional.logsigmoid(sign * answers).logsumexp(0) for sign in (1, -1))
            return yes - no
        return answers.log_softmax(2).logsumexp(0) - count
