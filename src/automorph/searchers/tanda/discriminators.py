"""The discriminators: is this an example of the data, or did a sequence destroy it?

Each turns examples into network inputs (``encode``), and these into a logit, high for realistic
examples, and features, in which distances are measured.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from automorph.errors import UsageError

Judged = tuple[Tensor, Tensor]
"""Logits ``(n,)`` and features ``(n, d)``."""


class Discriminator(nn.Module):
    """Base class of discriminators; one without parameters is not trained."""

    def encode(self, examples: Any) -> Tensor:
        """Return network inputs of examples in the form of the engine."""
        raise NotImplementedError

    def forward(self, inputs: Tensor) -> Judged:
        """Return logits ``(n,)`` and features ``(n, d)`` of inputs."""
        raise NotImplementedError


class ImageDiscriminator(Discriminator):
    """Four convolutions of 5x5 with stride 2, as in DCGAN (Radford et al. 2016).

    The released code has a width of 64; a width of 16 needs a sixteenth of the work. Features are
    the third map before its activation.
    """

    def __init__(self, channels: int, size: tuple[int, int], *, width: int = 16) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 8 * width]
        blocks = []
        for number in range(4):
            norm = nn.BatchNorm2d(widths[number + 1]) if number else nn.Identity()
            conv = nn.Conv2d(widths[number], widths[number + 1], 5, stride=2, padding=2)
            blocks.append(nn.Sequential(conv, norm))
        self.blocks = nn.ModuleList(blocks)
        for _ in range(4):
            size = (-(-size[0] // 2), -(-size[1] // 2))
        self.last = nn.Linear(8 * width * size[0] * size[1], 1)

    def encode(self, examples: Any) -> Tensor:
        """Convert uint8 ``(n, H, W, C)`` to float ``(n, C, H, W)`` in [-1, 1]."""
        pixels = torch.from_numpy(np.ascontiguousarray(examples)).permute(0, 3, 1, 2)
        return pixels.to(torch.float32) / 127.5 - 1.0

    def forward(self, inputs: Tensor) -> Judged:
        """Return logits and features of ``(n, C, H, W)``."""
        x, maps = inputs, []
        for block in self.blocks:
            maps.append(block(x))
            x = nn.functional.leaky_relu(maps[-1], 0.2)
        return self.last(x.flatten(1))[:, 0], maps[2].flatten(1)


class VectorDiscriminator(Discriminator):
    """One hidden layer on standardised vectors; the released code has 4 sigmoid units."""

    mean: Tensor
    std: Tensor

    def __init__(self, examples: Any, *, width: int = 16) -> None:
        super().__init__()
        data = torch.as_tensor(np.asarray(examples), dtype=torch.float32)
        self.register_buffer("mean", data.mean(dim=0))
        self.register_buffer("std", data.std(dim=0).clamp(min=1e-6))
        self.first = nn.Linear(data.shape[1], width)
        self.last = nn.Linear(width, 1)

    def encode(self, examples: Any) -> Tensor:
        """Convert floats ``(n, d)`` to float32."""
        return torch.as_tensor(np.asarray(examples), dtype=torch.float32)

    def forward(self, inputs: Tensor) -> Judged:
        """Return logits, and the standardised vectors themselves as features."""
        x = (inputs - self.mean) / self.std
        return self.last(torch.sigmoid(self.first(x)))[:, 0], x


class TextDiscriminator(Discriminator):
    """Token embeddings, a convolution over three tokens, and the maximum over the text.

    Examples are token ids, int ``(n, T)`` with 0 for padding, or texts, whose words are hashed into
    ``vocabulary`` ids. Features are the maxima before the last layer.
    """

    def __init__(self, *, vocabulary: int = 4096, width: int = 64) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.window = nn.Conv1d(width, width, 3, padding=1)
        self.last = nn.Linear(width, 1)

    def encode(self, examples: Any) -> Tensor:
        """Return token ids int64 ``(n, T)`` of ids or texts."""
        array = np.asarray(examples)
        if array.ndim == 2 and array.dtype.kind in "iu":
            return torch.from_numpy(array.astype(np.int64))
        return torch.from_numpy(hashed_words(array.tolist(), self.vocabulary))

    def forward(self, inputs: Tensor) -> Judged:
        """Return logits and features of ids ``(n, T)``."""
        x = self.window(self.embedding(inputs).transpose(1, 2))
        features = nn.functional.leaky_relu(x, 0.2).amax(dim=2)
        return self.last(features)[:, 0], features


def hashed_words(texts: list[str], vocabulary: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return hashed word ids of texts, int64 ``(n, T)``: 1 to ``vocabulary - 1``, 0 for padding.

    >>> hashed_words(["a cat", "a"], 100).tolist()
    [[46, 92], [46, 0]]
    """
    rows = [[1 + zlib.crc32(w.encode()) % (vocabulary - 1) for w in t.split()] for t in texts]
    ids = np.zeros((len(rows), max(1, *map(len, rows))), np.int64)
    for row, words in zip(ids, rows, strict=True):
        row[: len(words)] = words
    return ids


def build_discriminator(examples: Any, domain: str, *, width: int | None = None) -> Discriminator:
    """Build the discriminator for a domain: image, vector or text."""
    given = {} if width is None else {"width": width}
    if domain == "image":
        return ImageDiscriminator(examples.shape[3], tuple(examples.shape[1:3]), **given)
    if domain == "vector":
        return VectorDiscriminator(examples, **given)
    if domain == "text":
        return TextDiscriminator(**given)
    raise UsageError(f"got the domain {domain!r}; expected image, vector or text")
