"""Counterfactual word swap: words that mark a subgroup, exchanged for their counterparts.

Words by weighted log-odds (Monroe, Colaresi and Quinn 2008), counterparts by their contexts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.data import Split
from automorph.errors import DataError
from automorph.robustness.translators.base import KnownTranslator, known_of
from automorph.text import Corpus, tokenise

READ_BY = 1
"""The definition by which texts are read: that of the networks that are repaired."""
MARKED = 3.0
"""Standard errors by which a word must differ between two subgroups to mark one."""
FEWEST = 5
"""Minimum number of texts that contain a word."""
MOST = 200
"""Largest number of candidate words per subgroup."""
ALIKE = 0.1
"""Minimum cosine between the contexts of two counterparts."""


@dataclass(frozen=True, eq=False)
class WordSwap:
    """Exchanges words of one subgroup for those of another, in both directions.

    ``swaps[a, b]`` maps words (lower case) to their counterparts, both ways, so that translating
    there and back recovers the text. Words that ``protect`` matches stay.
    """

    swaps: Mapping[tuple[int, int], Mapping[str, str]]
    protect: tuple[str, ...] = ()
    name: str = "word swap"

    @property
    def directions(self) -> frozenset[tuple[int, int]]:
        """Every pair of subgroups with words to exchange."""
        return frozenset(pair for a, b in self.swaps for pair in ((a, b), (b, a)))

    def translate(self, images: Any, direction: int, known: KnownTranslator) -> Any:
        """Return the texts as they would be in subgroup ``direction``; texts already there stay."""
        result = np.array(images)
        for a in np.unique(known.subgroups).tolist():
            table = self.swaps.get((min(a, direction), max(a, direction)))
            rows = np.flatnonzero(known.subgroups == a)
            if a != direction and table:
                swapped = self._swapped(images[rows].tolist(), table)
                result[rows] = np.array(swapped, result.dtype)
        return result

    def _swapped(self, texts: list[str], table: Mapping[str, str]) -> list[str]:
        tokens = tokenise(texts, protect=self.protect, definition=READ_BY)
        vocabulary = tokens.vocabulary
        there = {
            number: vocabulary.word(_cased(table[word.lower()], word))
            for number in np.unique(tokens.words[tokens.free]).tolist()
            if (word := vocabulary.words[number]).lower() in table
        }
        flags = tokens.free & np.isin(tokens.words, list(there))
        return tokens.with_words(
            flags, [there[number] for number in tokens.words[flags].tolist()]
        ).join()


def fit_word_swap(part: Split, *, protect: tuple[str, ...] = ()) -> WordSwap:
    """Learn the swap from texts with subgroups.

    A word marks a subgroup if its log-odds within the classes differ by three standard errors:
    weighted log-odds with a Dirichlet prior (Monroe, Colaresi and Quinn 2008), on texts that
    contain the word, combined over the classes that have both subgroups, so that words of a class
    do not count as words of a subgroup. Counterparts are words in the same contexts: one-to-one, by
    the largest sum of cosines between their left and right neighbours.

    Raises `DataError` if no words mark any two subgroups.
    """
    known = known_of(part)
    documents = Corpus(part.data.tolist(), protect, READ_BY).documents
    swaps = {}
    for a, b in combinations(np.unique(known.subgroups).tolist(), 2):
        z = log_odds(documents, known, (a, b))
        ranked = sorted(z, key=lambda word: (-abs(z[word]), word))
        sides = [[word for word in ranked if sign * z[word] > MARKED][:MOST] for sign in (1, -1)]
        if table := _counterparts(documents, sides[0], sides[1]):
            swaps[(a, b)] = table
    if not swaps:
        raise DataError(
            "found no words with counterparts that separate the subgroups within the classes; "
            "expected some to swap: supply an edit (--translator module:function), or do without "
            "one (--translator none)"
        )
    return WordSwap(swaps, protect)


def log_odds(
    documents: Sequence[Sequence[str]], known: KnownTranslator, subgroups: tuple[int, int]
) -> dict[str, float]:
    """Return how clearly each word marks the first of two subgroups (negative: the second).

    In standard errors: z = sum over k classes of z_y / sqrt(k), with z_y = (log o_a - log o_b) /
    sqrt(1 / n_a + 1 / n_b), o the odds that a text contains the word and n the number of its texts,
    both with the word's share of all texts added (the prior).
    """
    sets = [set(document) for document in documents]
    total = Counter(word for words in sets for word in words)
    usual = {
        word: (count + 0.5) / (len(sets) + 1) for word, count in total.items() if count >= FEWEST
    }
    sums: Counter[str] = Counter()
    classes = 0
    for y in np.unique(known.labels).tolist():
        groups = [np.flatnonzero((known.labels == y) & (known.subgroups == z)) for z in subgroups]
        if min(map(len, groups)) < FEWEST:
            continue
        classes += 1
        counts = [Counter(word for row in rows.tolist() for word in sets[row]) for rows in groups]
        for word, prior in usual.items():
            has = [count[word] + prior for count in counts]
            lacks = [len(rows) + 1 - n for rows, n in zip(groups, has, strict=True)]
            gap = np.log(has[0] / lacks[0]) - np.log(has[1] / lacks[1])
            sums[word] += gap / np.sqrt(1 / has[0] + 1 / has[1])
    return {word: float(z) / max(1, classes) ** 0.5 for word, z in sums.items()}


def _counterparts(
    documents: Sequence[Sequence[str]], first: list[str], second: list[str]
) -> dict[str, str]:
    """Return the words of both sides that occur in the same contexts, both ways."""
    from scipy.optimize import linear_sum_assignment

    if not first or not second:
        return {}
    alike = _contexts(documents, [*first, *second])
    cosines = alike[: len(first)] @ alike[len(first) :].T
    table: dict[str, str] = {}
    for i, j in zip(*linear_sum_assignment(-cosines), strict=True):
        if cosines[i, j] >= ALIKE:
            table |= {first[i]: second[j], second[j]: first[i]}
    return table


def _contexts(documents: Sequence[Sequence[str]], words: list[str]) -> NDArray[np.float64]:
    """Return roots of the counts of left and right neighbours, rows of length 1."""
    rows = {word: number for number, word in enumerate(words)}
    columns: dict[tuple[int, str], int] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for document in documents:
        for left, right in pairwise(["", *document, ""]):
            for side, word, other in ((0, right, left), (1, left, right)):
                if word in rows:
                    # Neighbours that mark a subgroup themselves would separate counterparts.
                    key = (side, "*" if other in rows else other)
                    counts[rows[word], columns.setdefault(key, len(columns))] += 1
    roots = np.zeros((len(words), max(1, len(columns))))
    for (row, column), count in counts.items():
        roots[row, column] = np.sqrt(count)
    return np.asarray(roots / np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-12))


def _cased(word: str, like: str) -> str:
    """Return a word in the case of another: ``HE`` gives ``SHE``, ``He`` gives ``She``."""
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
