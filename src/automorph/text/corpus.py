"""What text operations know about the training texts: their words, and how informative each is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from automorph.text.protection import checked_patterns
from automorph.text.reading import check_words, tokenise
from automorph.text.vocabulary import LATEST

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Corpus:
    """The training texts, and patterns (regular expressions) of what must not be changed.

    Words are compared in lower case. Everything is computed on first use. ``definition`` is the
    number of the definition by which the texts are read.
    """

    texts: Sequence[str]
    protect: tuple[str, ...] = ()
    definition: int = LATEST

    def __post_init__(self) -> None:
        object.__setattr__(self, "protect", checked_patterns(self.protect))

    def read_by(self, definition: int) -> Corpus:
        """Return the corpus of the same texts read by another definition; it is made once."""
        if definition == self.definition:
            return self
        if definition not in self._others:
            other = Corpus(self.texts, self.protect, definition)
            other._others[self.definition] = self
            self._others[definition] = other
        return self._others[definition]

    @cached_property
    def _others(self) -> dict[int, Corpus]:
        return {}

    def check_words(self) -> None:
        """Raise `UsageError` for the first text in a script whose words cannot be found."""
        for text in self.texts:
            check_words(text, protect=self.protect)

    @cached_property
    def documents(self) -> list[list[str]]:
        """The words of every text, in lower case, without punctuation."""
        tokens = tokenise(
            list(self.texts), protect=self.protect, definition=self.definition, divided=True
        )
        words, free = tokens.vocabulary.words, tokens.spoken
        out: list[list[str]] = [[] for _ in range(len(tokens))]
        for row, number in zip(
            tokens.rows[free].tolist(), tokens.words[free].tolist(), strict=True
        ):
            out[row].append(words[number].lower())
        return out

    @cached_property
    def words(self) -> list[str]:
        """All different words, in alphabetical order."""
        return sorted({word for document in self.documents for word in document})

    @cached_property
    def idf(self) -> dict[str, float]:
        """The ln(documents / documents with the word) of every word (UDA, Xie et al. 2019)."""
        counts = Counter(word for document in self.documents for word in set(document))
        total = len(self.documents)
        return {word: math.log(total / count) for word, count in counts.items()}

    @cached_property
    def uninformative(self) -> Floats:
        """Cumulative P(w) ~ max S - S(w), S(w) = sum over texts of tf(w) / length * idf(w)."""
        scores: dict[str, float] = defaultdict(float)
        for document in self.documents:
            for word, count in Counter(document).items():
                scores[word] += count / len(document) * self.idf[word]
        score = np.array([scores[word] for word in self.words])
        weights = score.max(initial=0.0) - score
        if not weights.sum() > 0:
            weights = np.ones(len(score))
        return np.asarray(np.cumsum(weights) / max(weights.sum(), 1e-300))

    @cached_property
    def language(self) -> Language:
        """A language model of adjacent words."""
        return Language(self.documents)

    def common_word(self, u: float) -> str:
        """Return an uninformative word, drawn by a number in [0, 1)."""
        return self.words[min(int(np.searchsorted(self.uninformative, u, "right")), self._last)]

    def any_word(self, u: float) -> str:
        """Return any word, drawn uniformly by a number in [0, 1)."""
        return self.words[min(int(u * len(self.words)), self._last)]

    @property
    def _last(self) -> int:
        return len(self.words) - 1


class Language:
    """Word pairs of a corpus: P(w | before) and P(after | w), with a share for unseen pairs.

    >>> language = Language([["a", "b", "c"], ["a", "d", "c"]])
    >>> [(word, round(p, 2)) for word, p in language.between("a", "c", max_words=2)]
    [('b', 0.5), ('d', 0.5)]
    """

    UNSEEN = 0.1

    def __init__(self, documents: Iterable[list[str]]) -> None:
        self.after: dict[str, Counter[str]] = defaultdict(Counter)
        self.before: dict[str, Counter[str]] = defaultdict(Counter)
        self.count: Counter[str] = Counter()
        for document in documents:
            row = ["", *document, ""]
            self.count.update(row)
            for left, right in pairwise(row):
                self.after[left][right] += 1
                self.before[right][left] += 1
        self._known: dict[tuple[str, str, int], list[tuple[str, float]]] = {}

    @cached_property
    def common(self) -> list[tuple[str, float]]:
        """The thousand commonest words, with their counts."""
        ranked = sorted(self.count.items(), key=lambda pair: (-pair[1], pair[0]))
        return [(word, float(count)) for word, count in ranked[:1000] if word]

    def between(self, left: str, right: str, *, max_words: int = 50) -> list[tuple[str, float]]:
        """Return the likeliest words between two others: P(w | left) P(right | w), as shares."""
        key = (left, right, max_words)
        if key not in self._known:
            candidates = {
                word
                for pairs in (self.after.get(left), self.before.get(right))
                if pairs
                for word, _ in pairs.most_common(4 * max_words)
                if word
            }
            scored = [(word, self._likelihood(left, word, right)) for word in candidates]
            # Ties in alphabetical order: sets have no order.
            scored.sort(key=lambda pair: (-pair[1], pair[0]))
            total = sum(p for _, p in scored[:max_words])
            self._known[key] = [(word, p / total) for word, p in scored[:max_words]]
        return self._known[key]

    def _likelihood(self, left: str, word: str, right: str) -> float:
        k, n = self.UNSEEN, len(self.count)
        first = (self.after[left][word] + k) / (self.count[left] + k * n)
        return first * (self.after[word][right] + k) / (self.count[word] + k * n)
