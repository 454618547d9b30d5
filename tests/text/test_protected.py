"""Protected spans never change, for any operation and any text."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automorph.engine import apply
from automorph.operations import SearchSpace, Sequences, Stream, named_space
from automorph.text import Corpus, tokenise
from automorph.text.wordnet import find_wordnet

PATTERN = r"\b[A-Z]{2,}\b|\$\w+"
"""Spans that the user protects in addition to entities: words in capitals, and placeholders."""

UNREADABLE = re.compile("[\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f]")

words = st.one_of(
    st.sampled_from([
        "good", "isn't", "do", "not", "it", "is", "3.14", "e.g.", "😀", "👩‍👩‍👧", "🇩🇪", "مرحبا",
        "بالعالم", "שלום", "हिन्दी", "中文", "naïve", "e\u0301", ",", ".", "?!", "\u200f", "\u00a0",
        "\n\t", "The", "<", "</",
    ]),
    # Letters of scripts whose words nothing finds are refused: see test_spaceless.py.
    st.text(max_size=12).filter(lambda text: not UNREADABLE.search(text)),
)  # fmt: skip
plain = st.lists(words, max_size=25).map(" ".join)
inside = st.lists(words.filter(lambda word: "<" not in word and ">" not in word), max_size=4)
spans = st.one_of(
    st.tuples(st.sampled_from(["e1", "e2", "x"]), inside).map(
        lambda pair: f"<{pair[0]}>{' '.join(pair[1])}</{pair[0]}>"
    ),
    st.sampled_from(["NASA", "EU", "$name", "ISO"]),
)
texts = st.lists(st.one_of(plain, spans), max_size=6).map(" ".join)


@cache
def spaces() -> dict[str, SearchSpace]:
    """Every operation that can run here, fitted to a few texts."""
    corpus = Corpus(
        [
            "the cat sat on the mat",
            "NASA ran to <e1>the mat</e1> .",
            "it is good , cats do not run",
        ],
        (PATTERN,),
    )
    found = {name: named_space(name).fitted(corpus) for name in ("texts", "entities")}
    if find_wordnet() is None:
        del found["entities"]
        rest = tuple(o for o in found["texts"] if o.name not in ("Synonym", "Insert"))
        found["texts"] = SearchSpace("texts", rest)
    return found


def protected(batch: list[str]) -> list[list[str]]:
    """The protected spans of every text, character by character, in order."""
    tokens = tokenise(batch, protect=(PATTERN,))
    pieces = [tokens.vocabulary.pieces[number] for number in tokens.pieces]
    out: list[list[str]] = []
    for start, stop in pairwise(tokens.offsets.tolist()):
        spans, before = [], False
        for piece, here in zip(pieces[start:stop], tokens.fixed[start:stop], strict=True):
            if here and before:
                # White space within a span belongs to it, white space before it does not.
                spans[-1] += piece
            elif here:
                spans.append(piece.lstrip())
            before = here
        out.append(spans)
    return out


def check(batch: list[str], seed: int) -> None:
    before = protected(batch)
    for space in spaces().values():
        draws = np.random.default_rng(seed)
        op = draws.integers(0, len(space), (len(batch), 3))
        sequences = Sequences.of(op, draws.uniform(0, 1, op.shape).astype(np.float32))
        stream = Stream(seed=seed, index=np.arange(len(batch)))
        out = apply(np.array(batch, np.dtypes.StringDType()), sequences, space, stream).tolist()
        for text, spans_of, after in zip(batch, before, out, strict=True):
            at = 0
            for span in spans_of:
                at = after.find(span, at)
                assert at >= 0, (space.name, text, after, span)
                at += len(span)


@given(st.lists(texts, min_size=1, max_size=8), st.integers(0, 2**20))
@settings(max_examples=40, deadline=None)
def test_protected_spans_stay(batch, seed):
    check(batch, seed)


@pytest.mark.slow
@given(st.lists(texts, min_size=25, max_size=25), st.integers(0, 2**20))
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_protected_spans_stay_in_10_000_texts(batch, seed):
    check(batch, seed)


ODD = ["", " ", "word", "NASA", "<e1></e1>", "$name", "😀", "<e1>only this</e1>"]


def test_empty_texts_and_single_words_keep_what_is_protected():
    for seed in range(5):
        check(ODD, seed)


@pytest.mark.slow
def test_a_text_of_100_000_words_keeps_what_is_protected():
    long = " ".join(f"w{i}" if i % 1000 else f"<e1>Mark {i}</e1>" for i in range(100_000))
    check([long, *ODD], 3)
