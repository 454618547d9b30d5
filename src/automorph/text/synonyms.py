"""Operations that use synonyms: EDA's replacement and insertion (Wei and Zou 2019)."""

from __future__ import annotations

import numpy as np

from automorph.text.sampling import Draws, Floats, choose, each_word, order_by, share_of
from automorph.text.stop_words import is_stop_word
from automorph.text.tokens import Flags, Positions, Tokens
from automorph.text.vocabulary import Vocabulary
from automorph.text.wordnet import WordNet, wordnet


def replace_synonyms(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Synonym replacement: replace max(1, share * n) different words wherever they occur."""
    keys, u = (each_word(draws, tokens, use=use) for use in (0, 1))
    first = _first_of_its_kind(tokens)
    among = tokens.free & _has_synonyms(tokens) & (first == np.arange(len(first)))
    wanted = share_of(shares, tokens.count(tokens.free))
    chosen = choose(tokens, among, np.minimum(wanted, tokens.count(among)), keys)
    touched = chosen[first] & tokens.free
    at = np.flatnonzero(touched)
    return tokens.with_words(touched, _drawn(tokens, at, u[first[at]]))


def insert_synonyms(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Random insertion: insert max(1, share * n) times a synonym of one of the words anywhere."""
    keys, u, w = (each_word(draws, tokens, use=use) for use in (0, 1, 2))
    among = tokens.free & _has_synonyms(tokens)
    wanted = share_of(shares, tokens.count(tokens.free))
    chosen = choose(tokens, among, np.minimum(wanted, tokens.count(among)), keys)
    at = np.flatnonzero(chosen)
    rows = tokens.rows[at]
    # Only before words that may be changed, so that protected parts stay intact.
    free = np.flatnonzero(tokens.free)
    starts = np.searchsorted(tokens.rows[free], rows)
    counts = tokens.count(tokens.free)[rows]
    before = free[starts + (w[at] * counts).astype(np.int64)]
    return tokens.insert(before, _drawn(tokens, at, u[at]))


def _synonyms(word: str, net: WordNet, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the synonyms of a word; none for function words.

    By the first definition, they include vulgar ones.
    """
    return () if is_stop_word(word) else net.of(word, proper=vocabulary.definition > 1)


def _has_synonyms(tokens: Tokens) -> Flags:
    net = wordnet()
    known = tokens.vocabulary.facts(
        ("has synonyms", net),
        lambda word: bool(_synonyms(word, net, tokens.vocabulary)),
        np.bool_,
    )
    return np.asarray(known[tokens.words])


def _first_of_its_kind(tokens: Tokens) -> Positions:
    """Return for every piece the first one of its text with the same word, ``(t,)``."""
    kind = tokens.rows * len(tokens.vocabulary) + tokens.words
    order = order_by(kind)
    ranked = kind[order]
    begins = np.ones(len(kind), np.bool_)
    begins[1:] = ranked[1:] != ranked[:-1]
    first = np.empty(len(kind), np.int64)
    first[order] = order[begins][np.cumsum(begins) - 1]
    return first


class _Synonyms(dict[int, tuple[int, ...]]):
    """The synonyms of words, all by number, looked up on first use."""

    def __init__(self, vocabulary: Vocabulary, net: WordNet) -> None:
        self.vocabulary, self.net = vocabulary, net

    def __missing__(self, number: int) -> tuple[int, ...]:
        vocabulary, word = self.vocabulary, self.vocabulary.words[number]
        found = (cased(synonym, word) for synonym in _synonyms(word, self.net, vocabulary))
        self[number] = tuple(map(vocabulary.word, found))
        return self[number]


def _drawn(tokens: Tokens, at: Positions, u: Floats) -> list[int]:
    """Return a synonym (its number) for each of some pieces, in the same case."""
    vocabulary, net = tokens.vocabulary, wordnet()
    known = vocabulary.memory.setdefault(("stand-ins", net), _Synonyms(vocabulary, net))
    options = map(known.__getitem__, tokens.words[at].tolist())
    return [some[int(v * len(some))] for some, v in zip(options, u.tolist(), strict=True)]


def cased(word: str, like: str) -> str:
    """Return a word in the case of another one.

    >>> cased("film", "Movie"), cased("film", "MOVIE"), cased("film", "movie")
    ('Film', 'FILM', 'film')
    """
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
