"""Small networks for texts: word numbers int64 ``(n, length)``, 0 behind the end, to logits."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from automorph.errors import UsageError

PADDING = 0


class BagOfWords(nn.Module):
    """The mean of the words' embeddings, and a linear layer (fastText, Joulin et al. 2016)."""

    def __init__(self, words: int, classes: int, width: int = 100) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=PADDING)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(width, classes)

    def forward(self, words: Tensor) -> Tensor:
        """Logits ``(n, classes)``."""
        there = (words != PADDING).unsqueeze(2)
        total = (self.embedding(words) * there).sum(dim=1)
        logits: Tensor = self.head(self.dropout(total / there.sum(dim=1).clamp(min=1)))
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

    def forward(self, words: Tensor) -> Tensor:
        """Logits ``(n, classes)``."""
        # Short texts are made as long as the longest filter.
        missing = max(self.SIZES) - words.shape[1]
        padded = functional.pad(words, (0, max(missing, 0)), value=PADDING)
        embedded = self.embedding(padded).transpose(1, 2)
        responses = [layer(embedded).relu().amax(dim=2) for layer in self.convolutions]
        logits: Tensor = self.head(self.dropout(torch.cat(responses, dim=1)))
        return logits


class Transformer(nn.Module):
    """A small encoder with learned places; the mean over the words (Vaswani et al. 2017)."""

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

    def forward(self, words: Tensor) -> Tensor:
        """Logits ``(n, classes)``."""
        words = words[:, : self.LONGEST]
        there = words != PADDING
        there[:, 0] = True  # An empty text has one place to look at.
        places = torch.arange(words.shape[1], device=words.device)
        hidden = self.embedding(words) + self.places(places)
        hidden = self.norm(self.encoder(hidden, src_key_padding_mask=~there))
        weights = there.unsqueeze(2)
        logits: Tensor = self.head((hidden * weights).sum(dim=1) / weights.sum(dim=1))
        return logits


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {
    "bag-of-words": BagOfWords,
    "text-cnn": TextCNN,
    "text-transformer": Transformer,
}


def build_text_model(name: str, *, inputs: int, classes: int) -> nn.Module:
    """The network of that name for texts.

    ``inputs`` is the number of different words, or of features for ``sentence:NAME``. Raises
    `UsageError` for an unknown name.

    >>> model = build_text_model("text-cnn", inputs=50, classes=2)
    >>> model(torch.tensor([[4, 7, 9, 0, 0, 0]])).shape
    torch.Size([1, 2])
    """
    if name in NETWORKS:
        return NETWORKS[name](inputs, classes)
    if name.startswith("sentence:"):
        return nn.Linear(inputs, classes)
    if name.startswith("transformers:"):
        from automorph.models.from_transformers import build

        return build(name, classes)
    raise UsageError(
        f"the model {name!r} is not for texts; expected one of {', '.join(NETWORKS)}, "
        "sentence:NAME or transformers:NAME"
    )
