"""Terms that make the predictions of all renderings of one example agree.

Goel, Gu, Li, Re, "Model patching" (ICLR 2021), section 3. f(x) are softmax probabilities,
x_1 .. x_k the renderings of x in the k subgroups, m the mean of f(x_1) .. f(x_k).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

from torch import Tensor

from automorph.training import divergence, log_mean

Form = Literal["camel", "self", "translation", "triplet-js", "kl", "reverse-kl"]
FORMS: tuple[Form, ...] = get_args(Form)
Reduction = Literal["sum", "mean"]
"""How terms of examples become one: the sum of the groups' means, or the mean of the batch."""
REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
_FLOOR = math.log(1e-8)


def consistency(log_p: Tensor, form: Form = "camel") -> Tensor:
    """Return a consistency term of every example, float ``(n,)``.

    ``log_p`` ``(n, 1 + k, classes)`` are log-probabilities of the original and of its k
    renderings. Forms:

    - ``self``: L_s = 1/k sum_j KL(f(x_j) | m), the generalised Jensen-Shannon divergence. It lies
      in [0, log k] and is an upper bound of the class-conditional mutual information;
    - ``translation``: L_t = KL(f(x) | m), which ties the original to its renderings;
    - ``camel``: (L_s + L_t) / 2;
    - ``triplet-js``: the divergence of original and renderings together (AugMix);
    - ``kl``, ``reverse-kl``: 1/k sum_j KL(f(x) | f(x_j)), and with the two exchanged.

    >>> import torch
    >>> same = torch.zeros(5, 3, 10).log_softmax(dim=2)
    >>> consistency(same).abs().max().item() < 1e-6
    True
    """
    original, views = log_p[:, 0], log_p[:, 1:]
    if form == "self":
        return divergence(views)
    if form == "translation":
        return _kl(original, log_mean(views))
    if form == "camel":
        return (divergence(views) + _kl(original, log_mean(views))) / 2
    if form == "triplet-js":
        return divergence(log_p)
    if form == "kl":
        return _kl(original[:, None], views).mean(dim=1)
    return _kl(views, original[:, None]).mean(dim=1)


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return KL(p | q) over the last axis; finite where p is 0."""
    log_p = log_p.clamp(min=-1e4)
    return (log_p.exp() * (log_p - log_q.clamp(min=_FLOOR))).sum(dim=-1)
