"""Encoders of texts as network inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from automorph.models import from_transformers
from automorph.text import tokenise

LONGEST = 256
"""Words (or tokens) of a text that are read."""
READ_BY = 1
"""The definition by which networks read texts: trained ones know words by it."""
_PADDING, _UNKNOWN, _FIRST = 0, 1, 2


@dataclass(frozen=True)
class WordEncoder:
    """Map texts to word numbers int64 ``(n, length)``: 0 is padding, 1 an unknown word.

    >>> encoder = WordEncoder(("cat", "the"))
    >>> encoder(["The cat sat", "cat"]).tolist()
    [[3, 2, 1], [2, 0, 0]]
    """

    words: tuple[str, ...]
    longest: int = LONGEST

    @property
    def inputs(self) -> int:
        """The number of different word numbers."""
        return len(self.words) + _FIRST

    @classmethod
    def of(cls, texts: Any, *, max_words: int = 30_000) -> WordEncoder:
        """Build the encoder of the ``max_words`` commonest words and marks of some texts."""
        tokens = tokenise(list(texts), definition=READ_BY)
        words = tokens.vocabulary.words
        counts = Counter(words[number].lower() for number in tokens.words.tolist())
        del counts[""]
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(tuple(sorted(ranked[:max_words])))

    def __call__(self, texts: Any, device: torch.device | None = None) -> Tensor:
        """Return the word numbers of a batch, padded to its longest text."""
        tokens = tokenise(list(texts), definition=READ_BY)
        numbers = self._numbers(tokens.vocabulary)[tokens.words]
        lengths = np.minimum(tokens.lengths, self.longest)
        out = np.full((len(tokens), max(1, int(lengths.max(initial=1)))), _PADDING, np.int64)
        positions = tokens.positions
        read = positions < self.longest
        out[tokens.rows[read], positions[read]] = numbers[read]
        return torch.from_numpy(out).to(device, non_blocking=True)

    def _numbers(self, vocabulary: Any) -> NDArray[np.int64]:
        known = self._number_of
        facts = vocabulary.facts(
            ("number", self), lambda word: known.get(word.lower(), _UNKNOWN), np.int64
        )
        return np.asarray(facts)

    @cached_property
    def _number_of(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, _FIRST)}

    def facts(self) -> dict[str, Any]:
        """Return the facts from which `encoder_from` rebuilds the encoder."""
        return {"kind": "words", "words": list(self.words), "longest": self.longest}


@dataclass(frozen=True)
class TokenEncoder:
    """Map texts to the token numbers of a transformers model, ``transformers:NAME``."""

    name: str
    longest: int = LONGEST

    @property
    def inputs(self) -> int:
        """The number of different token numbers."""
        return len(from_transformers.tokenizer_of(self.name))

    def __call__(self, texts: Any, device: torch.device | None = None) -> Tensor:
        """Return the token numbers of a batch, padded to its longest text."""
        read = from_transformers.tokenizer_of(self.name)(
            list(texts), padding=True, truncation=True, max_length=self.longest,
            return_tensors="pt",
        )  # fmt: skip
        numbers: Tensor = read["input_ids"]
        return numbers.to(device)

    def facts(self) -> dict[str, Any]:
        """Return the facts from which `encoder_from` rebuilds the encoder."""
        return {"kind": "tokens", "name": self.name, "longest": self.longest}


@dataclass(frozen=True)
class SentenceEncoder:
    """Map texts to the features of a frozen pretrained network, ``sentence:NAME``."""

    name: str
    longest: int = LONGEST

    @property
    def inputs(self) -> int:
        """The number of features."""
        return from_transformers.width_of(self.name)

    def __call__(self, texts: Any, device: torch.device | None = None) -> Tensor:
        """Return features float32 ``(n, width)``."""
        tokens = TokenEncoder(self.name, self.longest)(texts, device)
        return from_transformers.sentence_features(self.name, tokens)

    def facts(self) -> dict[str, Any]:
        """Return the facts from which `encoder_from` rebuilds the encoder."""
        return {"kind": "sentence", "name": self.name, "longest": self.longest}


TextEncoder = WordEncoder | TokenEncoder | SentenceEncoder


def text_encoder(model: str, texts: Any) -> TextEncoder:
    """Build the encoder that a named model needs from the training texts."""
    if model.startswith("transformers:"):
        return TokenEncoder(model)
    if (name := model.removeprefix("features:")).startswith("sentence:"):
        return SentenceEncoder(name)
    return WordEncoder.of(texts)


def encoder_from(facts: dict[str, Any]) -> TextEncoder:
    """Rebuild an encoder from its ``facts()``."""
    if facts["kind"] == "words":
        return WordEncoder(tuple(facts["words"]), facts["longest"])
    kind = TokenEncoder if facts["kind"] == "tokens" else SentenceEncoder
    return kind(facts["name"], facts["longest"])
