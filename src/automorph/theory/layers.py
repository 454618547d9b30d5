"""Deep models approximated at a layer: copies are averaged there, and the rest sees one example.

Dao et al. (2019), section 5: cut a network into ``body`` and ``head``; ``psi = mean_z body(z)``.
The first-order objective is the loss of ``head(psi)``; the second-order one adds the variance of
``J (body(z) - psi)``, J being the Jacobian of the head at psi. If the body has batch
normalisation, its features depend on the batch: use evaluation mode for measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from automorph.errors import UsageError
from automorph.theory.objectives import Objectives, Order


@dataclass(frozen=True)
class SplitNetwork:
    """A network cut in two: ``head(body(x))``; ``linear`` is True if the head is a linear map."""

    body: Callable[[Tensor], Tensor]
    head: Callable[[Tensor], Tensor]
    linear: bool = False


def split_at(model: nn.Sequential, layer: int) -> SplitNetwork:
    """Cut a sequential network after its first ``layer`` modules (0: before all, at the input).

    Weights are shared with the network. Cut other networks by hand: ``SplitNetwork(body, head)``.
    """
    if not 0 <= layer < len(model):
        raise UsageError(
            f"got layer {layer} of a network with {len(model)} layers; expected 0 to "
            f"{len(model) - 1}"
        )
    head = model[layer:]
    linear = isinstance(head[-1], nn.Linear) and all(
        isinstance(part, nn.Flatten | nn.Identity) for part in head[:-1]
    )
    return SplitNetwork(model[:layer], head, linear)


def layer_scores(split: SplitNetwork, copies: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores at averaged features ``(n, C)`` and the copies' moves ``(n, T, C)``.

    ``copies`` are inputs ``(n, T, ...)``. Moves are ``J (body(z) - psi)``: one backward pass
    through the head for each class, at one point for each example. A linear head needs none.
    """
    features = _features(split, copies)
    psi = features.mean(dim=1)
    if split.linear:
        centre = split.head(psi)
        return centre, _by_copy(split.head(features.flatten(0, 1)), copies) - centre[:, None]
    training, moved = torch.is_grad_enabled(), (features - psi[:, None]).flatten(2)
    with torch.enable_grad():
        psi = psi if psi.requires_grad else psi.detach().requires_grad_()
        centre = split.head(psi)
        moves = []
        for scores in centre.unbind(dim=1):
            (slope,) = torch.autograd.grad(
                scores.sum(), psi, create_graph=training, retain_graph=True
            )
            moves.append((moved @ slope.flatten(1)[:, :, None])[..., 0])
    return centre, torch.stack(moves, dim=-1)


def spread_term(centre: Tensor, moves: Tensor) -> Tensor:
    """Return the softmax variance regulariser ``1/2 mean Var_{c ~ p}(moves_c)``."""
    p = centre.softmax(dim=-1)[:, None]
    mean = (p * moves).sum(dim=-1)
    return 0.5 * ((p * moves.square()).sum(dim=-1) - mean.square()).mean()


def layer_loss(
    split: SplitNetwork, copies: Tensor, labels: Tensor, *, order: Order = "first"
) -> Tensor:
    """Return an objective (cross-entropy) of copies ``(n, T, ...)``, approximated at the cut."""
    if order == "exact":
        scores = split.head(_features(split, copies).flatten(0, 1))
        return nn.functional.cross_entropy(scores, _repeated(labels, copies.shape[1]))
    if order == "first":
        return nn.functional.cross_entropy(split.head(_features(split, copies).mean(dim=1)), labels)
    if order not in ("second", "variance"):
        raise UsageError(f"got order={order!r}; expected exact, first, second or variance")
    centre, moves = layer_scores(split, copies)
    seen = centre if order == "second" else split.head(split.body(copies[:, 0]))
    return nn.functional.cross_entropy(seen, labels) + spread_term(centre, moves)


def layer_objectives(split: SplitNetwork, copies: Tensor, labels: Tensor) -> Objectives:
    """Measure all objectives of a network at a cut, without gradients; copy 0 is the original."""
    with torch.no_grad():
        centre, moves = layer_scores(split, copies)
        first = nn.functional.cross_entropy(centre, labels)
        exact = layer_loss(split, copies, labels, order="exact")
        original = nn.functional.cross_entropy(split.head(split.body(copies[:, 0])), labels)
        second = first + spread_term(centre, moves)
    return Objectives(*(float(value) for value in (original, exact, first, second)))


class AveragedAt(nn.Module):
    """A network that averages copies at a layer: ``(n, T, ...)`` in, scores ``(n, C)`` out.

    Training it minimises the first-order objective: the layers after the cut run once per example
    instead of once per copy. Inputs without copies go through ``model`` itself.
    """

    def __init__(self, model: nn.Sequential, layer: int) -> None:
        super().__init__()
        self.model = model
        self.layer = layer
        split_at(model, layer)

    def forward(self, copies: Tensor) -> Tensor:
        """Return scores of averaged features."""
        split = split_at(self.model, self.layer)
        return split.head(_features(split, copies).mean(dim=1))


def averaging_cost(times: Sequence[float], *, layer: int, copies: int) -> float:
    """Return the work of averaging at a layer as a share of the work on all copies.

    ``(T sum_{l <= k} t_l + sum_{l > k} t_l) / (T sum t)`` with the layers' ``times``.

    >>> [round(averaging_cost([123, 94, 41, 40, 30], layer=k, copies=16), 3) for k in range(3)]
    [0.062, 0.414, 0.683]
    """
    before, after = sum(times[:layer]), sum(times[layer:])
    return (copies * before + after) / (copies * (before + after))


def _features(split: SplitNetwork, copies: Tensor) -> Tensor:
    return _by_copy(split.body(copies.flatten(0, 1)), copies)


def _by_copy(flat: Tensor, copies: Tensor) -> Tensor:
    return flat.reshape(copies.shape[0], copies.shape[1], *flat.shape[1:])


def _repeated(labels: Tensor, copies: int) -> Tensor:
    return labels.repeat_interleave(copies, dim=0)
