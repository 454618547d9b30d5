"""Mixing the examples of a batch and their labels: mixup and CutMix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.engine import is_tensor
from automorph.errors import UsageError
from automorph.operations import Stream
from automorph.policies.tensors import as_images, beside, chosen, rounded


@dataclass(frozen=True, eq=False)
class Mixing:
    """The partner of each example, and the weights of both.

    ``partner`` int64 ``(n,)`` numbers rows of the batch; ``weight`` float32 ``(n,)`` is the share
    of the example itself; ``box`` int64 ``(n, 4)`` (top, left, bottom, right), if given, is the
    region where the partner is pasted, and the weight is one minus its share of the area.
    ``earlier`` are mixings by operations, which have blended the examples already. ``anywhere``:
    the partner may be any example of the data, where those are known (see `partners`).
    """

    partner: NDArray[np.int64]
    weight: NDArray[np.float32]
    box: NDArray[np.int64] | None = None
    earlier: tuple[Mixing, ...] = ()
    anywhere: bool = False

    def examples(self, examples: Any, partners: Any = None) -> Any:
        """Mix examples: images uint8 (rounded) or float, vectors, as arrays or tensors.

        ``partners`` are those of each row (None: other rows of the examples).
        """
        if getattr(examples, "dtype", np.dtype(np.uint8)) == np.dtypes.StringDType():
            raise UsageError(
                "texts cannot be blended, only their embeddings can: use mixup on texts in "
                "automorph.train and compare, as the last stage of a policy (not inside "
                "in-training methods, and not in augment and preview)"
            )
        if self.box is None and (self.weight == 1).all():
            return examples
        if partners is None:
            partners = examples[beside(self.partner, examples)]
        if self.box is not None:
            return chosen(self._mask(as_images(examples.shape, examples)), partners, examples)
        weight = beside(self.weight.reshape(-1, *[1] * (examples.ndim - 1)), examples)
        return rounded(weight * examples + (1 - weight) * partners, examples)

    def labels(self, labels: Any, partners: Any = None) -> Any:
        """Mix soft labels ``(n, classes)``, an array or a tensor, to float32 with these weights."""
        mixed = labels
        for one in self.earlier:
            # Operations blend in examples as they were before any of them.
            mixed = one._blended(mixed, labels[beside(one.partner, labels)])
        if partners is None:
            partners = mixed[beside(self.partner, mixed)]
        mixed = self._blended(mixed, partners)
        return mixed if is_tensor(labels) else np.asarray(mixed, np.float32)

    def _blended(self, labels: Any, partners: Any) -> Any:
        weight = beside(self.weight[:, None], labels)
        return weight * labels + (1 - weight) * partners

    def _mask(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        assert self.box is not None
        top, left, bottom, right = (side[:, None] for side in self.box.T)
        y, x = np.arange(shape[1])[None], np.arange(shape[2])[None]
        rows, columns = (y >= top) & (y < bottom), (x >= left) & (x < right)
        return np.asarray((rows[:, :, None] & columns[:, None, :])[..., None])


def unmixed(n: int) -> Mixing:
    """Return the mixing of ``n`` examples that leaves all as they are."""
    return Mixing(np.arange(n), np.ones(n, np.float32))


def shuffled(stream: Stream) -> NDArray[np.int64]:
    """Draw the partners: a random cycle through the rows, so that no row is its own (for n > 1).

    The cycle depends on which examples the batch holds, not on their order.
    """
    words = stream.bits("mixing", 1)[:, 0]
    order = np.argsort(words, kind="stable")
    partner = np.empty(len(order), np.int64)
    partner[order] = np.roll(order, 1)
    return partner


def beta(uniform: NDArray[np.float32], alpha: float) -> NDArray[np.float32]:
    """Convert uniform numbers to Beta(alpha, alpha), by the inverse distribution function."""
    if alpha == 1:
        return uniform
    from scipy.special import betaincinv  # Slow to import, and rarely needed.

    return np.asarray(betaincinv(alpha, alpha, uniform.astype(np.float64)), np.float32)


def gamma(uniform: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Convert uniform numbers in (0, 1) to Gamma(alpha), by the inverse distribution function."""
    if alpha == 1:
        return -np.log1p(-uniform)
    from scipy.special import gammaincinv

    return np.asarray(gammaincinv(alpha, uniform), np.float64)


def mixup(stream: Stream, alpha: float, probability: float = 1.0) -> Mixing:
    """mixup (Zhang et al. 2018): x = w x_i + (1 - w) x_j, labels alike, w ~ Beta(alpha, alpha).

    The reference code draws one w per batch; here every example has its own.
    """
    u = stream.uniform("mixing", 4, start=4)
    weight = beta(u[:, 0], alpha)
    weight = np.where(u[:, 3] < probability, weight, np.float32(1.0))
    return Mixing(shuffled(stream), weight)


def cutmix(stream: Stream, alpha: float, probability: float, height: int, width: int) -> Mixing:
    """CutMix (Yun et al. 2019): a box with area share 1 - w is pasted from the partner.

    The box is clipped at the borders, and w becomes one minus the share that was pasted. The
    reference code draws one box per batch; here every example has its own.
    """
    u = stream.uniform("mixing", 4, start=4)
    side = np.sqrt(1.0 - beta(u[:, 0], alpha))
    y, x = (u[:, 1] * height).astype(np.int64), (u[:, 2] * width).astype(np.int64)
    h, w = (side * height).astype(np.int64), (side * width).astype(np.int64)
    box = np.stack(
        [
            np.clip(y - h // 2, 0, height),
            np.clip(x - w // 2, 0, width),
            np.clip(y - h // 2 + h, 0, height),
            np.clip(x - w // 2 + w, 0, width),
        ],
        axis=1,
    )
    box[u[:, 3] >= probability] = 0
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    return Mixing(shuffled(stream), (1.0 - area / (height * width)).astype(np.float32), box)
