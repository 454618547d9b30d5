"""Candidates scored by the model's own loss, in full or with cheaper approximations."""

from __future__ import annotations

import math
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from automorph.augmenters.probe import Probe
from automorph.errors import UsageError
from automorph.models import evaluating
from automorph.policies import check_range
from automorph.targets import Target
from automorph.training import DTYPES, Batch


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How candidates are scored; the defaults score each one in full.

    - ``every``: candidates are scored in every such step; between them the choice is blind;
    - ``size``: inputs are shrunk to this share of their side, for scoring only;
    - ``precision``: ``bf16``, ``fp16`` or ``fp32`` instead of the training's;
    - ``frozen``: a copy of the model scores, renewed every so many steps (0: the model itself);
    - ``probe``: a linear classifier after this many layers scores (0: the whole model).
    """

    every: int = 1
    size: float = 1.0
    precision: str = ""
    frozen: int = 0
    probe: int = 0

    def __post_init__(self) -> None:
        check_range("uncertainty", "every", self.every, int, 1, 1_000_000)
        check_range("uncertainty", "size", self.size, float, 0.05, 1)
        check_range("uncertainty", "frozen", self.frozen, int, 0, 1_000_000)
        check_range("uncertainty", "probe", self.probe, int, 0, 1000)
        if self.precision not in ("", *DTYPES):
            raise UsageError(
                f"uncertainty got precision={self.precision!r}; expected bf16, fp16 or fp32"
            )

    @property
    def options(self) -> list[str]:
        """The options that differ from their defaults, as a user types them."""
        return [
            f"{field.name}={getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        ]


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of c candidates for each of n examples, arrays ``(n, c)``.

    ``losses`` are CE(q, p) for soft labels q; ``excess`` is KL(q | p) = CE(q, p) - H(q), which is 0
    for a perfect model (for hard labels, equal to the loss). ``right``: the predicted class is that
    of the label.
    """

    losses: NDArray[np.float64]
    excess: NDArray[np.float64]
    right: NDArray[np.bool_]


class Scorer:
    """Scores batches of candidates; ``share`` is the cost of one in forward passes of the model."""

    def __init__(self, scoring: Scoring) -> None:
        self.scoring = scoring
        self.share = scoring.size**2
        self.copy: nn.Module | None = None
        self.probe = Probe(scoring.probe) if scoring.probe else None

    def due(self, step: int) -> bool:
        """Return True if candidates are scored in this step of the epoch."""
        return step % self.scoring.every == 0

    @torch.no_grad()
    def __call__(self, model: nn.Module, batch: Batch, *, step: int) -> Scores:
        """Return the scores of a batch of candidates, ``batch.views`` per example."""
        count = batch.views
        scoring_model = self._scoring_model(model, step)
        # At most as many pixels at once as a training step has: faster, and within memory.
        pieces = math.ceil(count * self.scoring.size**2)
        parts = zip(batch.inputs.chunk(pieces), batch.labels.chunk(pieces), strict=True)
        logits = torch.cat(
            [self._logits(scoring_model, *part, batch.target) for part in parts]
        ).float()
        target = batch.target
        # The loss by which candidates are scored. `excess` is its distance from its minimum;
        # another loss needs its own minimum here, and its own upper limit in `log_loss`
        # (`adaptive.py`).
        ce = target.loss(logits, batch.labels)
        hits = target.correct(target.predict(logits), target.decode(batch.labels))
        stacked = torch.stack([ce, ce - target.floor(batch.labels), hits.to(ce.dtype)])
        # One transfer, so that an accelerator waits once.
        losses, excess, right = stacked.cpu().double().numpy().reshape(3, -1, count)
        return Scores(losses, np.maximum(excess, 0.0), right > 0)

    def _scoring_model(self, model: nn.Module, step: int) -> nn.Module:
        if not self.scoring.frozen:
            return model
        # Renewed at the first step of an epoch too, so that a resumed run has the same copy.
        if self.copy is None or step % self.scoring.frozen == 0:
            self.copy = deepcopy(model).requires_grad_(False)
        return self.copy

    def _logits(self, model: nn.Module, inputs: Tensor, labels: Tensor, target: Target) -> Tensor:
        if self.scoring.size < 1:
            if inputs.ndim != 4:
                raise UsageError(
                    f"got size={self.scoring.size} for inputs that are not images; expected "
                    "images: make scoring cheaper in another way (every, precision or frozen)"
                )
            inputs = functional.interpolate(inputs, scale_factor=self.scoring.size, mode="area")
        with self._precision(inputs), evaluating(model):
            if self.probe is None:
                return cast(Tensor, model(inputs))
            logits, share = self.probe(model, inputs, labels, target)
        self.share = share * self.scoring.size**2
        return logits

    def _precision(self, inputs: Tensor) -> torch.autocast | nullcontext[None]:
        # Without its own precision, scoring uses that of the training loop.
        wanted = self.scoring.precision
        if not wanted:
            return nullcontext()
        return torch.autocast(inputs.device.type, DTYPES[wanted], enabled=wanted != "fp32")

    def state_dict(self) -> dict[str, Tensor]:
        """Return the probe's weights."""
        return {} if self.probe is None else self.probe.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore the result of ``state_dict``."""
        if self.probe is not None:
            self.probe.load_state_dict(state)
