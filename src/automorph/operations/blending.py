"""Operations that blend an image with another one of the batch; mixup blends the labels too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Family,
    Images,
    Kernel,
    Size,
    Values,
    Whole,
    spread,
)
from automorph.operations.photometric import blend, blend_on_device
from automorph.operations.random import Stream
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    from torch import Tensor


def sample_pairing(images: Images, values: Values, context: Context) -> Images:
    """Blend in an untransformed image of the batch (Inoue 2018), as ``Image.blend`` does.

    Draw 1 is its row; an image may be its own partner.
    """
    partner = context.below(len(context.batch), draw=1)
    return blend(images, context.batch[partner], values[:, None, None, None])


def _partners(values: Values, context: Context, size: Size) -> Arguments:
    """Return the partner's row and its weight."""
    return context.below(len(context.batch), draw=1), values.astype(np.float32)


def sample_pairing_on_device(
    images: Tensor, device: DeviceContext, /, *arguments: Tensor
) -> Tensor:
    """Blend in untransformed images of the batch."""
    partner, alpha = arguments
    return blend_on_device(images, device.batch.index_select(0, partner), spread(alpha))


_PAIRED = Kernel(sample_pairing, sample_pairing_on_device, _partners, native=17)

FAMILY: Family = {
    Operation(
        "SamplePairing", low=0, high=0.4, identity=0, unit="weight", random=True, partner=True,
        label_risk="another example is blended in, but the label is kept",
        about="Blends in another image of the batch.",
    ): _PAIRED,
}  # fmt: skip

LABELS: Family = {
    Operation(
        "Mixup", low=0, high=1, identity=0, unit="weight", random=True, partner=True,
        about="Blends in another image of the batch, and its label (Zhang et al. 2018).",
    ): _PAIRED,
}  # fmt: skip
"""Operations that mix labels; the value is the share of the other example."""


def partners(operation: Operation, stream: Stream, position: int, n: int) -> Whole:
    """Return the rows ``(m,)``, of ``n``, that an operation blends in at a position."""
    nothing = np.empty((n, 0), np.uint8)
    return Context(operation, stream, position, nothing, nothing[0]).below(n, draw=1)
