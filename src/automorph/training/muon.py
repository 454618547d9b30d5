"""Muon: which weights of a network are matrices that it moves, and one step of them.

Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024,
https://kellerjordan.github.io/posts/muon). `torch.optim.Muon` is not used: it takes 2-D weights
only, its import costs seconds (see `optimiser`), and it iterates on the matrix itself, which takes
two to three times as long for convolutions as iterating on the Gram matrix (measured on one
thread; the results agree to 1e-6, for random square matrices to 3e-5).
"""

from __future__ import annotations

import math
from collections import defaultdict
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

COEFFICIENTS = 3.4445, -4.7750, 2.0315
"""Of the polynomial a x + b x^3 + c x^5, chosen by Jordan et al. for its slope at 0."""
STEPS = 5


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return the nearest semi-orthogonal matrices, roughly: float32 ``(k, m, n)``.

    Singular values end between 0.7 and 1.2; those below 1e-3 of the norm stay smaller, zeros stay
    0. X <- a X + b (X X^T) X + c (X X^T)^2 X, five times (Newton-Schulz). Every step multiplies X
    from the left by a polynomial P of A = X X^T, and all commute: so only A <- P A P is iterated,
    and the product of all P is applied to X once.

    >>> x = torch.diag(torch.tensor([3.0, 1.0, 0.5]))[None]
    >>> values = torch.linalg.svdvals(orthogonalised(x))
    >>> bool((values > 0.6).all() and (values < 1.3).all())
    True
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalised(matrices.mT).mT
    a, b, c = COEFFICIENTS
    x = matrices / _norms(matrices).clamp(min=1e-30)
    gram = torch.bmm(x, x.mT)
    factors: list[Tensor] = []
    for _ in range(STEPS):
        if factors:
            gram = torch.bmm(torch.bmm(factors[-1], gram), factors[-1])
        p = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        p.diagonal(dim1=1, dim2=2).add_(a)
        factors.append(p)
    return torch.bmm(reduce(torch.bmm, factors), x)


def hidden_matrices(model: nn.Module) -> dict[int, int]:
    """Return the number of matrices in each weight that Muon moves, by ``id`` of the weight.

    These are the weights of convolutions (flattened to outputs x rest; one matrix per group),
    linear layers and the three input projections of `nn.MultiheadAttention`. Left out, as in Jordan
    et al.: the output layer (the last of these layers) and embeddings, also if tied. A weight that
    starts at zero has no direction to turn, and is left out too.
    """
    found: dict[int, tuple[Tensor, int]] = {}
    output = None
    for layer in model.modules():
        if isinstance(layer, nn.MultiheadAttention) and layer.in_proj_weight is not None:
            found[id(layer.in_proj_weight)] = layer.in_proj_weight, 3
        elif isinstance(layer, nn.Linear):
            output = layer.weight
            found[id(output)] = output, 1
        elif isinstance(layer, _ConvNd) and not isinstance(layer, _ConvTransposeNd):
            output = layer.weight
            found[id(output)] = output, layer.groups
    embeddings = (nn.Embedding, nn.EmbeddingBag)
    left = {id(layer.weight) for layer in model.modules() if isinstance(layer, embeddings)}
    return {
        key: count
        for key, (weight, count) in found.items()
        if weight is not output and key not in left and _all_nonzero(weight, count)
    }


def _all_nonzero(weight: Tensor, count: int) -> bool:
    return bool(weight.detach().reshape(count, -1).any(dim=1).all())


def turn(
    weights: list[Tensor],
    gradients: list[Tensor],
    momentum: list[Tensor],
    length_momentum: list[Tensor],
    *,
    rate: float,
    m: float,
    length_rate: float,
    length_m: float,
) -> None:
    """Take one step, in place: the direction of each matrix by Muon, its length by SGD.

    ``length_momentum`` has one number per matrix of a weight. b <- m b + g; W turns by ``rate``
    times the orthogonalised g + m b, in proportion to its own length, and keeps its length |W|_F.
    Where a normalisation follows, the length has no effect, and holding it replaces weight decay.
    Where none follows, the length matters: its logarithm has the gradient <g, W> (weight
    normalisation, Salimans and Kingma 2016, eq. 3) and is trained like the scales of normalisation
    layers, by SGD without weight decay, by at most ``rate`` per step. That gradient is 0 for
    a weight that a normalisation follows (Euler's theorem), so one rule fits every network,
    whatever its structure. Pretrained weights keep the scale they come with.
    """
    shapes = defaultdict(list)
    for i, (weight, own) in enumerate(zip(weights, length_momentum, strict=True)):
        rows = len(weight) // own.numel()
        shapes[rows, weight[0].numel(), weight.device].append(i)
    torch._foreach_mul_(momentum, m)
    torch._foreach_add_(momentum, gradients)
    ahead = torch._foreach_add(gradients, momentum, alpha=m)
    for (rows, columns, _), some in shapes.items():
        # Matrices of one shape are multiplied at once: up to ten times as fast for small ones.
        w, g, u = (
            torch.cat([tensors[i].reshape(-1, rows, columns) for i in some]).float()
            for tensors in (weights, gradients, ahead)
        )
        slope, memory = (w * g).sum((1, 2)), torch.cat([length_momentum[i] for i in some])
        memory = length_m * memory + slope
        growth = (-length_rate * (slope + length_m * memory)).clamp(-rate, rate)
        length = _norms(w)
        w = w - rate * length / math.sqrt(min(rows, columns)) * orthogonalised(u)
        w = w * (length * growth.exp()[:, None, None] / _norms(w).clamp(min=1e-30))
        counts = [length_momentum[i].numel() for i in some]
        pieces = zip(some, torch.split(w, counts), torch.split(memory, counts), strict=True)
        for i, one, own in pieces:
            weights[i].copy_(one.reshape(weights[i].shape))
            length_momentum[i].copy_(own)


def _norms(matrices: Tensor) -> Tensor:
    """Return Frobenius norms ``(k, 1, 1)``."""
    norms: Tensor = torch.linalg.vector_norm(matrices, dim=(1, 2), keepdim=True)
    return norms
