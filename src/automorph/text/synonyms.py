"""Operations that put synonyms in: EDA's replacement and insertion (Wei and Zou 2019)."""

from __future__ import annotations

import numpy as np

from automorph.text.sampling import Draws, Floats, choose, each_word, order_by, share_of
from automorph.text.stop_words import is_stop_word
from automorph.text.tokens import Flags, Positions, Tokens
from automorph.text.vocabulary import Vocabulary
from automorph.text.wordnet import WordNet, wordnet


def replace_synonyms(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Synonym replacement: max(1, share * n) different words, every time that they occur."""
    keys, u = (each_word(draws, tokens, use=use) for use in (0, 1))
    first = _first_of_its_kind(tokens)
    among = tokens.free & _has_synonyms(tokens) & (first == np.arange(len(first)))
    wanted = share_of(shares, tokens.count(tokens.free))
    chosen = choose(tokens, among, np.minimum(wanted, tokens.count(among)), keys)
    touched = chosen[first] & tokens.free
    at = np.flatnonzero(touched)
    return tokens.with_words(touched, _drawn(tokens, at, u[first[at]]))


def insert_synonyms(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Random insertion: max(1, share * n) times a synonym of one of the words, anywhere."""
    keys, u, w = (each_word(draws, tokens, use=use) for use in (0, 1, 2))
    among = tokens.free & _has_synonyms(tokens)
    wanted = share_of(shares, tokens.count(tokens.free))
    chosen = choose(tokens, among, np.minimum(wanted, tokens.count(among)), keys)
    at = np.flatnonzero(chosen)
    rows = tokens.rows[at]
    # Before any word that may be touched: so nothing is put into what is protected.
    free = np.flatnonzero(tokens.free)
    starts = np.searchsorted(tokens.rows[free], rows)
    counts = tokens.count(tokens.free)[rows]
    before = free[starts + (w[at] * counts).astype(np.int64)]
    return tokens.insert(before, _drawn(tokens, at, u[at]))


def _synonyms(word: str, net: WordNet) -> tuple[str, ...]:
    """What may stand in for a word; nothing for words of grammar."""
    return () if is_stop_word(word) else net.of(word)


def _has_synonyms(tokens: Tokens) -> Flags:
    net = wordnet()
    known = tokens.vocabulary.facts(
        ("has synonyms", net), lambda word: bool(_synonyms(word, net)), np.bool_
    )
    return np.asarray(known[tokens.words])


def _first_of_its_kind(tokens: Tokens) -> Positions:
    """For every piece the first one of its text with the same word, ``(t,)``."""
    kind = tokens.rows * len(tokens.vocabulary) + tokens.words
    order = order_by(kind)
    ranked = kind[order]
    begins = np.ones(len(kind), np.bool_)
    begins[1:] = ranked[1:] != ranked[:-1]
    first = np.empty(len(kind), np.int64)
    first[order] = order[begins][np.cumsum(begins) - 1]
    return first


class _StandIns(dict[int, tuple[int, ...]]):
    """The synonyms of words, all by number, looked up when they are first needed."""

    def __init__(self, vocabulary: Vocabulary, net: WordNet) -> None:
        self.vocabulary, self.net = vocabulary, net

    def __missing__(self, number: int) -> tuple[int, ...]:
        vocabulary, word = self.vocabulary, self.vocabulary.words[number]
        found = (cased(synonym, word) for synonym in _synonyms(word, self.net))
        self[number] = tuple(map(vocabulary.word, found))
        return self[number]


def _drawn(tokens: Tokens, at: Positions, u: Floats) -> list[int]:
    """A synonym (number) for each of some pieces; capital letters are kept."""
    vocabulary, net = tokens.vocabulary, wordnet()
    known = vocabulary.memory.setdefault(("stand-ins", net), _StandIns(vocabulary, net))
    options = map(known.__getitem__, tokens.words[at].tolist())
    return [some[int(v * len(some))] for some, v in zip(options, u.tolist(), strict=True)]


def cased(word: str, like: str) -> str:
    """A word with the capital letters of another one.

    >>> cased("film", "Movie"), cased("film", "MOVIE"), cased("film", "movie")
    ('Film', 'FILM', 'film')
    """
    if len(like) > 1 and like.isupper():
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
