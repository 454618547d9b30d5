"""Deep feature reweighting: the last layer is refitted to groups of equal size.

Kirichenko, Izmailov, Wilson, "Last layer re-training is sufficient for robustness to spurious
correlations" (ICLR 2023).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Split
from automorph.errors import UsageError
from automorph.models import evaluating
from automorph.operations import Stream
from automorph.robustness.builtin import DFR
from automorph.robustness.groups import Grouper
from automorph.targets import Classes
from automorph.training import Encoder, RunResult, Task, trained_facts, write_checkpoint

STRENGTHS = (1.0, 0.7, 0.3, 0.1, 0.07, 0.03, 0.01)
"""Values of C in the reference: the larger, the weaker the L1 penalty."""


def last_linear(model: nn.Module) -> nn.Linear:
    """Return the layer that maps features to logits; raise `UsageError` if there is none."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise UsageError(
            f"{type(model).__name__} has no linear layer; expected a last layer that is linear "
            "and takes the features of an example: use another network or another objective"
        )
    return layers[-1]


def features(
    model: nn.Module, part: Split, *, encoder: Encoder, batch_size: int = 500
) -> NDArray[np.float32]:
    """Return the inputs of the last linear layer for every example: float32 ``(n, d)``."""
    parts: list[torch.Tensor] = []
    layer = last_linear(model)
    hook = layer.register_forward_pre_hook(lambda _, inputs: parts.append(inputs[0].float()))
    device = next(model.parameters()).device
    try:
        with evaluating(model), torch.inference_mode():
            for start in range(0, len(part), batch_size):
                model(encoder(part.data[start : start + batch_size], device))
    finally:
        hook.remove()
    return torch.cat(parts).flatten(1).cpu().numpy()


def refit(
    task: Task,
    run: RunResult,
    method: DFR,
    grouper: Grouper,
    *,
    seed: int,
    folder: Path | None,
) -> tuple[nn.Module, Path | None, float]:
    """Return the network with a last layer fitted to balanced groups of a part.

    Kirichenko et al., section 6: features are standardised by the training part; the L1 strength
    with the best robust accuracy is selected; coefficients are then averaged over fits to balanced
    draws of the whole part. For the validation part, strengths are fitted to one half and judged on
    the other; for the training part, they are judged on the validation part. Returns the network,
    its file, and the robust accuracy of the strength. Raises `UsageError` for a group with fewer
    than two examples.
    """
    assert run.model is not None
    validation = task.data.parts["validation"]
    train_features = features(run.model, task.data.train, encoder=task.encoder)
    mean, scale = train_features.mean(axis=0), train_features.std(axis=0) + 1e-6
    inputs = (features(run.model, validation, encoder=task.encoder) - mean) / scale
    judged = Rows(inputs, validation.labels, grouper.of(validation))
    if method.part == "validation":
        fitted, half = judged, _half(judged.groups, grouper, seed)
        judged = judged.take(~half)
    else:
        train = task.data.train
        fitted = Rows((train_features - mean) / scale, train.labels, grouper.of(train))
        half = np.ones(len(train), bool)
    draw = fitted.take(balanced_draw(fitted.groups, half, seed=seed, number=0))
    scores = {}
    for c in STRENGTHS:
        w, b = fit_logistic(draw.x, draw.y, len(grouper.classes), c=c)
        right = grouper.target.correct(grouper.target.predict(judged.x @ w + b), judged.y)
        scores[c] = min(float(right[judged.groups == g].mean()) for g in np.unique(judged.groups))
    best = max(STRENGTHS, key=lambda c: scores[c])
    everything = np.ones(len(fitted.y), bool)
    fits = []
    for number in range(method.refits):
        rows = fitted.take(balanced_draw(fitted.groups, everything, seed=seed, number=1 + number))
        fits.append(fit_logistic(rows.x, rows.y, len(grouper.classes), c=best))
    w = np.mean([w for w, _ in fits], axis=0)
    b = np.mean([b for _, b in fits], axis=0)
    model = deepcopy(run.model)
    layer = last_linear(model)
    with torch.no_grad():
        # Fold the standardisation into the layer.
        layer.weight.copy_(torch.from_numpy((w / scale[:, None]).T))
        layer.bias.copy_(torch.from_numpy(b - (mean / scale) @ w))
    file = None if folder is None else folder / "refitted" / "model.safetensors"
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_checkpoint(file, model.state_dict(), trained_facts(task))
    return model, file, scores[best]


@dataclass(frozen=True, eq=False)
class Rows:
    """Standardised features ``(n, d)``, labels and groups ``(n,)``."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    groups: NDArray[np.int64]

    def take(self, rows: NDArray[Any]) -> Rows:
        """Return some of the rows: their numbers, or a mask."""
        return Rows(self.x[rows], self.y[rows], self.groups[rows])


def _half(groups: NDArray[np.int64], grouper: Grouper, seed: int) -> NDArray[np.bool_]:
    """Return a mask of one half of every group."""
    key = Stream(seed=seed, index=np.arange(len(groups))).bits("halves", 1)[:, 0]
    half = np.zeros(len(groups), bool)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        half[rows[np.argsort(key[rows])[: -(-len(rows) // 2)]]] = True
    if np.setdiff1d(groups, groups[~half]).size:
        raise UsageError(
            "dfr fits the last layer on one half of the validation part and selects on the "
            f"other; its groups have {np.bincount(groups, minlength=len(grouper)).tolist()} "
            "examples; expected at least 2 in every group that occurs: use a larger validation "
            "part, or the training part (dfr(part=train))"
        )
    return half


def balanced_draw(
    groups: NDArray[np.int64], allowed: NDArray[np.bool_], *, seed: int, number: int
) -> NDArray[np.int64]:
    """Draw as many allowed rows of every group as the smallest has, without replacement."""
    key = Stream(seed=seed, epoch=number, index=np.arange(len(groups))).bits("draw", 1)[:, 0]
    members = [np.flatnonzero(allowed & (groups == g)) for g in np.unique(groups[allowed])]
    size = min(map(len, members))
    return np.sort(np.concatenate([rows[np.argsort(key[rows])[:size]] for rows in members]))


def fit_logistic(
    x: NDArray[np.float32], y: NDArray[np.int64], classes: int, *, c: float, steps: int = 500
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a logistic regression with an L1 penalty; returns weights and biases.

    ``x`` ``(n, d)``; weights ``(d, classes)``, biases ``(classes,)``. Minimises mean CE +
    |W|_1 / (c n) by accelerated proximal gradients (FISTA; Beck and Teboulle 2009); biases are not
    penalised.
    """
    n = len(x)
    inputs = np.hstack([x, np.ones((n, 1), np.float32)])
    target = Classes(classes).encode(y)
    # The curvature of softmax is at most 1/2.
    rate = 2 * n / float(np.linalg.norm(inputs, 2)) ** 2
    shrink = rate / (c * n)
    w = np.zeros((inputs.shape[1], classes), np.float32)
    ahead, t = w, 1.0
    for _ in range(steps):
        z = inputs @ ahead
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        new = ahead - rate / n * (inputs.T @ (p - target))
        new[:-1] = np.sign(new[:-1]) * np.maximum(np.abs(new[:-1]) - shrink, 0)
        after = (1 + np.sqrt(1 + 4 * t * t)) / 2
        ahead = new + (t - 1) / after * (new - w)
        w, t = new, float(after)
    return w[:-1], w[-1]
