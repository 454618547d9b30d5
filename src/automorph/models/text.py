"""Small networks for texts: word numbers int64 ``(n, length)``, padded with 0, to logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

PADDING = 0


def embedded(
    layer: nn.Embedding, words: Tensor, partner: Tensor | None, share: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return embeddings ``(n, length, width)`` and the word weight per position, ``(n, length)``.

    With a ``partner`` (words of the same shape) this is hidden-state mixup, ``s e(w) + (1 - s)
    e(w')`` position by position, s being the ``share`` ``(n,)`` of the example itself (wordMixup,
    Guo et al. 2019); padding counts as zero.
    """
    there = (words != PADDING).to(layer.weight.dtype)
    if partner is None or share is None:
        return layer(words) * there.unsqueeze(2), there
    own = share[:, None].to(there.dtype)
    weights = own * there, (1 - own) * (partner != PADDING)
    both = layer(words) * weights[0].unsqueeze(2) + layer(partner) * weights[1].unsqueeze(2)
    return both, weights[0] + weights[1]


class BagOfWords(nn.Module):
    """The mean of the words' embeddings, and a linear layer (fastText, Joulin et al. 2016)."""

    def __init__(self, words: int, classes: int, width: int = 100) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PADDING)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(width, classes)

    def forward(
        self, words: Tensor, partner: Tensor | None = None, share: Tensor | None = None
    ) -> Tensor:
        """Return logits ``(n, classes)``; with a partner, of mixed embeddings."""
        hidden, there = embedded(self.embedding, words, partner, share)
        mean = hidden.sum(dim=1) / there.sum(dim=1, keepdim=True).clamp(min=1e-6)
        logits: Tensor = self.head(self.dropout(mean))
        return logits


class TextCNN(nn.Module):
    """Convolutions over 3, 4 and 5 words, the largest response of each (Kim 2014)."""

    SIZES = (3, 4, 5)

    def __init__(self, words: int, classes: int, width: int = 100, filters: int = 100) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PADDING)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, filters, size) for size in self.SIZES)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(filters * len(self.SIZES), classes)

    def forward(
        self, words: Tensor, partner: Tensor | None = None, share: Tensor | None = None
    ) -> Tensor:
        """Return logits ``(n, classes)``; with a partner, of mixed embeddings."""
        hidden, there = embedded(self.embedding, words, partner, share)
        # Short texts are padded to the longest filter.
        missing = max(self.SIZES) - words.shape[1]
        padded = functional.pad(hidden.transpose(1, 2), (0, max(missing, 0)))
        lengths = (there > 0).sum(dim=1, keepdim=True)
        largest = []
        for size, layer in zip(self.SIZES, self.convolutions, strict=True):
            responses = layer(padded).relu()
            # Windows beyond the text must not count, so that logits do not depend on the batch.
            starts = torch.arange(responses.shape[2], device=words.device)
            inside = starts < (lengths - size + 1).clamp(min=1)
            largest.append((responses * inside.unsqueeze(1)).amax(dim=2))
        logits: Tensor = self.head(self.dropout(torch.cat(largest, dim=1)))
        return logits


class Transformer(nn.Module):
    """A small encoder with learned positions; the mean over the words (Vaswani et al. 2017)."""

    LONGEST = 512

    def __init__(
        self, words: int, classes: int, width: int = 128, layers: int = 2, heads: int = 4
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PADDING)
        self.places = nn.Embedding(self.LONGEST, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.1, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(
        self, words: Tensor, partner: Tensor | None = None, share: Tensor | None = None
    ) -> Tensor:
        """Return logits ``(n, classes)``; with a partner, of mixed embeddings."""
        words = words[:, : self.LONGEST]
        if partner is not None:
            partner = partner[:, : self.LONGEST]
        hidden, there = embedded(self.embedding, words, partner, share)
        there[:, 0].clamp_(min=1e-6)  # An empty text attends to one position.
        hidden = hidden + self.places(torch.arange(words.shape[1], device=words.device))
        hidden = self.norm(self.encoder(hidden, src_key_padding_mask=there == 0))
        weights = there.unsqueeze(2)
        logits: Tensor = self.head((hidden * weights).sum(dim=1) / weights.sum(dim=1))
        return logits


def linear_head(inputs: int, classes: int) -> nn.Module:
    """Build the linear head on features of a pretrained encoder, ``sentence:NAME``."""
    return nn.Linear(inputs, classes)


def sequence_classifier(inputs: int, classes: int, *, name: str) -> nn.Module:
    """Build the network of ``transformers:NAME``, which has its own vocabulary."""
    from automorph.models.from_transformers import build

    return build(name, classes)
