"""Generated images of earlier steps, for the discriminators."""

from __future__ import annotations

import torch
from torch import Tensor


class Replay:
    """At most ``size`` generated images of earlier steps; a full buffer overwrites random slots.

    A batch for the discriminator is drawn from the buffer alone, all slots equally likely
    (Shrivastava et al. 2017, section 2.3, replace half a batch; model patching draws all of it).
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self.images: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.images is None else len(self.images)

    def push(self, images: Tensor, draw: torch.Generator) -> None:
        """Store a batch ``(n, C, H, W)``, without its graph."""
        images = images.detach()
        stored = images[:0] if self.images is None else self.images
        room = max(0, self.size - len(stored))
        stored = torch.cat([stored, images[:room]])
        late = images[room:][: self.size]
        if len(late):
            slots = torch.randperm(self.size, generator=draw)[: len(late)]
            stored = stored.clone()
            stored[slots.to(stored.device)] = late
        self.images = stored

    def sample(self, n: int, draw: torch.Generator) -> Tensor:
        """Draw ``n`` images, each slot equally likely."""
        assert self.images is not None
        slots = torch.randint(len(self.images), (n,), generator=draw)
        return self.images[slots.to(self.images.device)]
