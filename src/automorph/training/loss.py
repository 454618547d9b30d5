"""The loss: cross-entropy with soft labels."""

from __future__ import annotations

from torch import Tensor


def soft_cross_entropy(logits: Tensor, labels: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """CE(p, q) = -sum_k q_k log softmax(p)_k for each example.

    ``logits`` and soft ``labels`` are ``(n, k)``; the result is float32 ``(n,)``. With smoothing s
    the labels are (1 - s) q + s / k (Szegedy et al. 2016, "Rethinking the Inception architecture",
    section 7).
    """
    if smoothing:
        labels = labels * (1 - smoothing) + smoothing / labels.shape[1]
    return -(labels * logits.float().log_softmax(dim=1)).sum(dim=1)
