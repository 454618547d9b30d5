"""Deep feature reweighting: the last layer is refitted to groups of equal size.

Kirichenko, Izmailov, Wilson, "Last layer re-training is sufficient for robustness to spurious
correlations" (ICLR 2023).
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

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
    """Return the network with a last layer fitted to balanced groups of the validation part.

    Kirichenko et al., section 6: features are standardised by the training part; the L1 strength
    with the best robust accuracy on one half, fitted to the other, is selected; coefficients are
    then averaged over fits to balanced draws of the whole. Returns the network, its file, and the
    robust accuracy on the held-out half. Raises `UsageError` for a group with fewer than two
    examples.
    """
    assert run.model is not None
    validation = task.data.validation
    assert validation is not None
    train_features = features(run.model, task.data.train, encoder=task.encoder)
    mean, scale = train_features.mean(axis=0), train_features.std(axis=0) + 1e-6
    x = (features(run.model, validation, encoder=task.encoder) - mean) / scale
    y, groups = validation.labels, grouper.of(validation)
    key = Stream(seed=seed, index=np.arange(len(y))).bits("halves", 1)[:, 0]
    half = np.zeros(len(y), bool)
    for group in np.unique(groups):  # Split every group in halves.
        rows = np.flatnonzero(groups == group)
        half[rows[np.argsort(key[rows])[: -(-len(rows) // 2)]]] = True
    if np.setdiff1d(groups, groups[~half]).size:
        raise UsageError(
            "dfr fits the last layer on one half of the validation part and selects on the "
            f"other; its groups have {np.bincount(groups, minlength=len(grouper)).tolist()} "
            "examples; expected at least 2 in every group that occurs: use a larger validation "
            "part"
        )
    draw = balanced_draw(groups, half, seed=seed, number=0)
    scores = {}
    for c in STRENGTHS:
        w, b = fit_logistic(x[draw], y[draw], len(grouper.classes), c=c)
        right = grouper.target.correct(grouper.target.predict(x[~half] @ w + b), y[~half])
        scores[c] = min(float(right[groups[~half] == g].mean()) for g in np.unique(groups))
    best = max(STRENGTHS, key=lambda c: scores[c])
    everything = np.ones(len(y), bool)
    fits = []
    for number in range(method.refits):
        rows = balanced_draw(groups, everything, seed=seed, number=1 + number)
        fits.append(fit_logistic(x[rows], y[rows], len(grouper.classes), c=best))
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
