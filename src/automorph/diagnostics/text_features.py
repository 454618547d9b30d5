"""Features of texts without a network: words and pairs of words, projected to a few axes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.text import tokenise

BUCKETS = 1 << 14
"""Number of columns that words and pairs are hashed into."""
AXES = 256
MOST = 5000
"""Largest number of texts that the axes are fitted to."""


@dataclass(frozen=True, eq=False)
class HashedWords:
    """Words and pairs of neighbours, weighted by rarity, on the leading axes of the training texts.

    A column is ``tf(w) ln(n / df(w))`` of the words (lower case, including marks) and pairs that
    are hashed into it; rows have length 1 and are multiplied by the right singular vectors of the
    training texts (latent semantic analysis, Deerwester et al. 1990). `hashed_words` fits it.
    """

    idf: NDArray[np.float32]
    axes: NDArray[np.float32]

    def __call__(self, texts: Any) -> NDArray[np.float32]:
        """Return features float32 ``(n, axes)`` of texts."""
        return np.asarray(_weighed(_counts(texts), self.idf) @ self.axes, np.float32)


def hashed_words(texts: Any, *, axes: int = AXES, seed: int = 0) -> HashedWords:
    """Fit the axes to texts.

    >>> features = hashed_words(["a good film", "a bad film", "the good play", "rain"])
    >>> features(["a good film"]).shape
    (1, 3)
    """
    from sklearn.decomposition import TruncatedSVD

    counts = _counts(texts[:MOST])
    n = counts.shape[0]
    idf = np.log((1 + n) / (1 + np.asarray((counts > 0).sum(axis=0)).ravel())) + 1
    weighed = _weighed(counts, idf.astype(np.float32))
    components = max(1, min(axes, n - 1))
    svd = TruncatedSVD(components, random_state=seed).fit(weighed)
    return HashedWords(idf.astype(np.float32), np.asarray(svd.components_.T, np.float32))


def _counts(texts: Any) -> Any:
    """Count the words and pairs of each column in each text: sparse ``(n, BUCKETS)``."""
    from scipy.sparse import csr_matrix

    tokens = tokenise(list(texts), definition=1)  # As in earlier explanations.
    real = tokens.words != tokens.vocabulary.word("")  # White space alone is a token too.
    hashes = tokens.vocabulary.facts("hash", _hash, np.int64)[tokens.words[real]]
    rows = tokens.rows[real]
    together = rows[1:] == rows[:-1]
    pairs = (31 * hashes[:-1] + hashes[1:])[together] + 17
    columns = np.concatenate([hashes, pairs]) % BUCKETS
    rows = np.concatenate([rows, rows[:-1][together]])
    ones = np.ones(len(rows), np.float32)
    return csr_matrix((ones, (rows, columns)), shape=(len(tokens), BUCKETS))


def _weighed(counts: Any, idf: NDArray[np.float32]) -> Any:
    """Return counts times rarity, with rows of length 1 (0 for an empty text)."""
    weighed = counts.multiply(idf).tocsr()
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    return weighed.multiply((1 / np.maximum(length, 1e-9))[:, None]).tocsr()


def _hash(word: str) -> int:
    return zlib.crc32(word.lower().encode("utf-8", "surrogatepass"))
