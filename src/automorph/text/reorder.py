"""Operations that swap or delete words."""

from __future__ import annotations

import numpy as np

from automorph.text.sampling import Draws, Floats, choose, each_word, order_by, share_of, steps_of
from automorph.text.tokens import Tokens


def swap(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Random swap (EDA, Wei and Zou 2019): exchange the positions of words, pair by pair.

    Of n words max(1, share * n) pairs are chosen, no word twice, so that a text keeps its words
    in another order.
    """
    counts = tokens.count(tokens.free)
    pairs = np.minimum(share_of(shares, counts), counts // 2)
    keys = each_word(draws, tokens, use=0)
    chosen = choose(tokens, tokens.free, 2 * pairs, keys)
    at = np.flatnonzero(chosen)
    # Sorted by their keys, adjacent words are partners.
    at = at[order_by(tokens.rows[at], steps_of(keys[at]))]
    partners = at.reshape(-1, 2)[:, ::-1].ravel()
    words = tokens.words.copy()
    words[at] = tokens.words[partners]
    return tokens.with_words(chosen, words[chosen])


def delete(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Random deletion (EDA): delete every word with the probability ``share``, except one.

    The word with the largest number always stays, so that no text is left without words (by the
    first definition: empty).
    """
    u = each_word(draws, tokens, use=0)
    goes = tokens.free & (u < shares[tokens.rows])
    # White space at the end of a text is a piece too, but does not count as a remaining word.
    seen = tokens.count(tokens.words != 0 if tokens.definition == 1 else tokens.spoken)
    alone = tokens.count(goes) == seen
    last = choose(tokens, tokens.free, np.where(alone, 1, 0), 1 - 2.0**-24 - u)
    return tokens.keep(~goes | last)
