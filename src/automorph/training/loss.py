"""The losses: cross-entropy with soft labels, and the divergence between predictions."""

from __future__ import annotations

from torch import Tensor

from automorph.targets import Classes


def soft_cross_entropy(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Return CE(p, q) = -sum_k q_k log softmax(p)_k for each example.

    ``logits`` and soft ``labels`` are ``(n, k)``; the result is float32 ``(n,)``. With smoothing s
    the labels are (1 - s) q + s / k (Szegedy et al. 2016, "Rethinking the Inception architecture",
    section 7).
    """
    return Classes(labels.shape[1]).loss(logits, labels, smoothing=smoothing)


def divergence(log_p: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of the views of every example, float ``(n,)``.

    ``log_p`` ``(n, views, k)`` are log-probabilities; the mean of KL(p_v | m) over the views, m
    their mean prediction, lies in [0, log views].

    >>> import torch
    >>> apart = torch.tensor([[[100.0, 0.0], [0.0, 100.0]]]).log_softmax(dim=2)
    >>> divergence(apart)
    tensor([0.6931])
    """
    log_p = log_p.clamp(min=-1e4)  # Zero times minus infinity would be NaN.
    return (log_p.exp() * (log_p - log_mean(log_p)[:, None])).sum(dim=2).mean(dim=1)


def log_mean(log_p: Tensor) -> Tensor:
    """Return the log mean prediction of views ``(n, views, k)``, clamped to 1e-7: ``(n, k)``."""
    return log_p.exp().mean(dim=1).clamp(1e-7, 1).log()
