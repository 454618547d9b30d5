"""Notes on training texts that operations cannot change, or whose words a network cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automorph.data import Dataset
from automorph.text import spaceless_share, tokenise
from automorph.training.batch import Encoder
from automorph.training.text import WordEncoder

LOOKED_AT = 2000
"""Texts of the training part that are looked at, from its beginning."""


def noting_texts(data: Dataset, protect: Sequence[str], encoder: Encoder) -> Dataset:
    """Copy a data set with notes on texts of protected words, and on those without spaces."""
    if data.domain != "text":
        return data
    texts = list(map(str, data.train.data[:LOOKED_AT]))
    part = f"first {LOOKED_AT}" if len(data.train) > LOOKED_AT else str(len(texts))
    data = _noting_protected(data, texts, part, protect)
    if not isinstance(encoder, WordEncoder):
        return data
    found = [text for text in texts if spaceless_share(text) > 0.5]
    if not found:
        return data
    return data.noting(
        f"{len(found)} of the {part} training texts have no spaces between words, such as "
        f"{found[0]!r:.60}; the network reads whatever is between two marks as one word: use "
        "--model transformers:NAME or sentence:NAME, with a tokenizer for the language"
    )


def _noting_protected(
    data: Dataset, texts: list[str], part: str, protect: Sequence[str]
) -> Dataset:
    tokens = tokenise(texts, protect=protect)
    words = tokens.count(tokens.spoken)
    whole = np.flatnonzero((words > 0) & (tokens.count(tokens.free) == 0))
    if not len(whole):
        return data
    why = "--protect or tags" if protect else "tags that are none of HTML"
    return data.noting(
        f"{len(whole)} of the {part} training texts are never augmented, "
        f"because all of their words are protected by {why}, such as {texts[whole[0]]!r:.60}"
    )
