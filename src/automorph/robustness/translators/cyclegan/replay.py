"""Images made in earlier steps, so that the discriminator does not forget them."""

from __future__ import annotations

import torch
from torch import Tensor


class Replay:
    """At most ``size`` images; a full buffer overwrites slots chosen at random.

    A batch for the discriminator is drawn from the buffer alone, all slots being equally likely
    (Shrivastava et al. 2017, section 2.3, replace half a batch; model patching draws all of it).
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self.images: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.images is None else len(self.images)

    def push(self, images: Tensor, draw: torch.Generator) -> None:
        """Take in a batch ``(n, C, H, W)``; the buffer holds no graph."""
        images = images.detach()
        held = images[:0] if self.images is None else self.images
        room = max(0, self.size - len(held))
        held = torch.cat([held, images[:room]])
        late = images[room:][: self.size]
        if len(late):
            slots = torch.randperm(self.size, generator=draw)[: len(late)]
            held = held.clone()
            held[slots.to(held.device)] = late
        self.images = held

    def sample(self, n: int, draw: torch.Generator) -> Tensor:
        """``n`` images, each slot equally likely."""
        assert self.images is not None
        slots = torch.randint(len(self.images), (n,), generator=draw)
        return self.images[slots.to(self.images.device)]
