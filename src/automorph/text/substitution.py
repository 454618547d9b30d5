"""Operations that replace words by other words of the corpus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from automorph.errors import UsageError
from automorph.text.corpus import Corpus
from automorph.text.sampling import Draws, Floats, choose, each_text, each_word, share_of
from automorph.text.tokens import Flags, Positions, Tokens
from automorph.text.wordnet import find_wordnet, wordnet

Scored = Sequence[tuple[str, float]]


def corpus_of(draws: Draws) -> Corpus:
    """Return the corpus of a fitted operation. Raises UsageError if it was not fitted."""
    corpus = draws.operation.corpus
    if corpus is None:
        raise UsageError(
            f"the operation {draws.operation.name!r} needs a corpus but has none; "
            "fit the policy to your training texts: policy.fitted(texts)"
        )
    return corpus  # type: ignore[no-any-return]


def replace_uniformly(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Replace every word, with the probability ``share``, by a uniformly drawn corpus word."""
    corpus = corpus_of(draws)
    u, v = (each_word(draws, tokens, use=use) for use in (0, 1))
    chosen = tokens.free & (u < shares[tokens.rows])
    return _replaced(tokens, chosen, v, corpus.any_word)


def replace_uninformative(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """UDA (Xie et al. 2019): replace uninformative words by other uninformative words.

    P(replace i) = share * n * (max_j q_j - q_i) / sum_j (max_j q_j - q_i), with
    q_i = count(w_i) / n * idf(w_i) in the text of n words; capped at 1.
    """
    corpus = corpus_of(draws)
    u, v = (each_word(draws, tokens, use=use) for use in (0, 1))
    free = np.flatnonzero(tokens.free)
    rows, words = tokens.rows[free], tokens.words[free]
    counts = tokens.count(tokens.free)[rows]
    idf = _idf(tokens, corpus)[words]
    # count(w_i): how often the word is in its text.
    kind = rows * len(tokens.vocabulary) + words
    _, inverse, repeats = np.unique(kind, return_inverse=True, return_counts=True)
    q = repeats[inverse] / counts * idf
    largest = np.zeros(len(tokens))
    np.maximum.at(largest, rows, q)
    spare = largest[rows] - q
    total = np.bincount(rows, spare, minlength=len(tokens))[rows]
    # If all words are equally informative, all are equally likely.
    even = total <= 1e-12
    chance = np.where(even, 1.0 / counts, spare / np.where(even, 1.0, total))
    chosen = np.zeros(len(tokens.words), np.bool_)
    chosen[free] = u[free] < np.minimum(1.0, shares[rows] * counts * chance)
    return _replaced(tokens, chosen, v, corpus.common_word)


def switch_out(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """SwitchOut (Wang et al. 2018): replace n words by any others, P(n) ~ exp(-n / tau), n >= 0.

    The temperature tau is ``share`` times the words of the text: about as many are replaced.
    """
    corpus = corpus_of(draws)
    counts = tokens.count(tokens.free)
    tau = np.maximum(shares * counts, 1e-9)
    # The quantiles of a geometric law, truncated at the length of the text.
    whole = 1.0 - np.exp(-(counts + 1) / tau)
    wanted = np.floor(-tau * np.log1p(-each_text(draws, use=2) * whole)).astype(np.int64)
    keys, v = (each_word(draws, tokens, use=use) for use in (0, 1))
    chosen = choose(tokens, tokens.free, np.minimum(wanted, counts), keys)
    return _replaced(tokens, chosen, v, corpus.any_word)


def replace_by_language(part: str = "", region: str = "") -> Callable[..., Tokens]:
    """Build the operation that draws words from a language model (TANDA's text operations).

    max(1, share * n) words, of a part of speech if given, in a region (``before``, ``between`` or
    ``after`` the two protected entities) if given, are drawn from P(w | word before)
    P(word after | w) of the corpus, among words of the same part of speech.
    """

    def apply(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
        corpus = corpus_of(draws)
        keys, v = (each_word(draws, tokens, use=use) for use in (0, 1))
        among = tokens.free & _in_region(tokens, region)
        if part:
            wordnet()  # Raises an error if WordNet is missing; otherwise no word would match.
            known = tokens.vocabulary.facts(("is a", part), lambda w: _part(w) == part, np.bool_)
            among &= known[tokens.words]
        wanted = share_of(shares, tokens.count(tokens.free))
        chosen = choose(tokens, among, np.minimum(wanted, tokens.count(among)), keys)
        at, vocabulary = np.flatnonzero(chosen), tokens.vocabulary
        words = [
            vocabulary.word(_likely(tokens, position, u, corpus))
            for position, u in zip(at.tolist(), v[at].tolist(), strict=True)
        ]
        return tokens.with_words(chosen, words)

    return apply


def _likely(tokens: Tokens, position: int, u: float, corpus: Corpus) -> str:
    """Return a word that fits between the neighbours of a position, other than the present one."""
    word: str = tokens.vocabulary.words[tokens.words[position]]
    left, right = (_neighbour(tokens, position, side) for side in (-1, 1))
    kind = _part(word)
    language = corpus.language
    fitting, common = language.between(left, right), language.common
    # If none was seen between such neighbours, take any common word of its part of speech.
    options = _of_kind(fitting, kind, word) or _of_kind(common, kind, word)
    if not options:
        return word
    edges = np.cumsum([p for _, p in options])
    return options[min(int(np.searchsorted(edges, u * edges[-1], "right")), len(options) - 1)][0]


def _of_kind(words: Scored, kind: str, word: str) -> Scored:
    """Return the words of a part of speech, without the present one."""
    return [(other, p) for other, p in words if other != word.lower() and _part(other) == kind]


def _neighbour(tokens: Tokens, position: int, side: int) -> str:
    """Return the next word on a side, in lower case; empty at an end of the text."""
    at, row = position + side, tokens.rows[position]
    while 0 <= at < len(tokens.words) and tokens.rows[at] == row:
        if tokens.spoken[at]:
            return str(tokens.vocabulary.words[tokens.words[at]].lower())
        at += side
    return ""


@lru_cache(maxsize=1 << 16)
def _part(word: str) -> str:
    """Return the part of speech by WordNet; without WordNet, all words have the same."""
    return wordnet().part_of_speech(word) if find_wordnet() else ""


def _in_region(tokens: Tokens, region: str) -> Flags:
    """Flag the pieces before, between or after the protected parts of their text."""
    if not region:
        return np.ones(len(tokens.words), np.bool_)
    positions, spans = tokens.positions, np.flatnonzero(tokens.fixed)
    first = np.full(len(tokens), np.iinfo(np.int64).max)
    last = np.full(len(tokens), -1)
    np.minimum.at(first, tokens.rows[spans], positions[spans])
    np.maximum.at(last, tokens.rows[spans], positions[spans])
    before, after = positions < first[tokens.rows], positions > last[tokens.rows]
    marked = last[tokens.rows] >= 0
    found = {"before": before, "after": after, "between": ~before & ~after}[region]
    return np.asarray(found & marked)


def _idf(tokens: Tokens, corpus: Corpus) -> Floats:
    """Return the idf of every word of the vocabulary; the maximum for words not in the corpus."""
    rare = max(corpus.idf.values(), default=0.0)
    return np.asarray(
        tokens.vocabulary.facts(
            ("idf", corpus), lambda word: corpus.idf.get(word.lower(), rare), np.float64
        )
    )


def _replaced(tokens: Tokens, chosen: Flags, u: Floats, draw: Callable[[float], str]) -> Tokens:
    at: Positions = np.flatnonzero(chosen)
    words = [tokens.vocabulary.word(draw(v)) for v in u[at].tolist()]
    return tokens.with_words(chosen, words)
