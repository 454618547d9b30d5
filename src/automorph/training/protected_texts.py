"""A note on texts that no operation can change, because all of their words are protected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automorph.data import Dataset
from automorph.text import tokenise

LOOKED_AT = 2000
"""Texts of the training part that are looked at, from its beginning."""


def noting_protected(data: Dataset, protect: Sequence[str]) -> Dataset:
    """Copy a data set with a note if some of its texts consist of protected words."""
    if data.domain != "text":
        return data
    texts = list(map(str, data.train.data[:LOOKED_AT]))
    tokens = tokenise(texts, protect=protect)
    words = tokens.count(tokens.spoken)
    whole = np.flatnonzero((words > 0) & (tokens.count(tokens.free) == 0))
    if not len(whole):
        return data
    part = f"first {LOOKED_AT}" if len(data.train) > LOOKED_AT else str(len(texts))
    why = "--protect or tags" if protect else "tags that are none of HTML"
    return data.noting(
        f"{len(whole)} of the {part} training texts are never augmented, "
        f"because all of their words are protected by {why}, such as {texts[whole[0]]!r:.60}"
    )
