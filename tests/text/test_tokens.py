"""Texts as tokens: nothing is lost, protected spans are unchanged, empty texts stay empty."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automorph import load_policy
from automorph.engine import apply
from automorph.operations import Sequences, Stream, named_space, operation
from automorph.operations.spaces import SearchSpace
from automorph.text import KERNELS, Corpus, tokenise
from automorph.text.wordnet import find_wordnet

texts = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                [
                    "good",
                    "isn't",
                    "3.14",
                    "e.g.",
                    "😀",
                    "👩‍👩‍👧",
                    "مرحبا",
                    "हिन्दी",
                    ",",
                    " ",
                    "\n\t",
                    "<e1>",
                ]
            ),
            max_size=30,
        ).map(" ".join),
    ),
    min_size=1,
    max_size=5,
)


def strings(values: list[str]) -> np.ndarray:
    return np.array(values, np.dtypes.StringDType())


@cache
def fitted_space() -> SearchSpace:
    """Every operation that can run here, fitted to a few texts."""
    corpus = Corpus(["the cat sat on the mat", "a dog ran to the mat .", "cats do not run"])
    space = named_space("texts").fitted(corpus)
    if find_wordnet() is None:
        space = SearchSpace("texts", tuple(o for o in space if o.name not in ("Synonym", "Insert")))
    return space


@given(texts)
def test_joined_tokens_are_the_text(batch):
    assert tokenise(batch).join() == batch


@given(texts, st.integers(0, 2**20))
@settings(max_examples=50, deadline=None)
def test_operations_keep_the_number_of_texts_and_never_empty_one(batch, seed):
    space = fitted_space()
    stream = Stream(seed=seed, index=np.arange(len(batch)))
    for number in range(len(space)):
        sequences = Sequences.of(np.full((len(batch), 1), number), 1.0)
        out = apply(strings(batch), sequences, space, stream)
        assert len(out) == len(batch)
        for before, after in zip(batch, out.tolist(), strict=True):
            assert bool(after.strip()) >= bool(before.strip())


def test_magnitude_zero_is_the_identity():
    batch = strings(["a  b\tc d ", ""])
    space = fitted_space()
    for number in range(len(space)):
        sequences = Sequences.of(np.full((2, 1), number), 0.0)
        assert (apply(batch, sequences, space, Stream(index=[0, 1])) == batch).all()


def test_the_kernels_are_those_of_the_catalogue():
    used = {operation.kernel for name in ("texts", "entities") for operation in named_space(name)}
    assert set(KERNELS) == used


def test_a_text_alone_is_edited_as_in_its_batch():
    batch = [f"the quick brown fox number {i} jumps over the lazy dog" for i in range(20)]
    policy = load_policy("composition(n=2,space=texts-plain)")
    whole = policy.augment(batch, seed=3)
    alone = [policy.augment([text], seed=3, index=[i])[0] for i, text in enumerate(batch)]
    assert whole.tolist() == alone
    assert whole.tolist() != batch


def test_swap_keeps_the_words_and_delete_their_order():
    batch = strings(["one two three four five six seven eight nine ten"] * 50)
    space, stream = named_space("eda"), Stream(index=np.arange(50))
    swapped = apply(batch, Sequences.of([[space.number("Swap")]] * 50, 0.4), space, stream)
    assert all(sorted(text.split()) == sorted(batch[0].split()) for text in swapped)
    original = np.array(batch[0].split())
    moved = [int((np.array(text.split()) != original).sum()) for text in swapped.tolist()]
    assert set(moved) == {4}  # a share of 0.2 of ten words: two pairs
    left = apply(batch, Sequences.of([[space.number("Delete")]] * 50, 1.0), space, stream)
    places = [[batch[0].split().index(word) for word in text.split()] for text in left.tolist()]
    assert all(place == sorted(place) for place in places)
    assert 4 < np.mean([len(place) for place in places]) < 6


def test_a_long_text_is_edited_too():
    words = [f"w{i}" for i in range(100_000)]
    space = named_space("eda")
    out = apply(
        strings([" ".join(words), "short text here"]),
        Sequences.of([[space.number("Delete")]] * 2, 1.0), space, Stream(index=[0, 1]),
    )  # fmt: skip
    assert 49_000 < len(out[0].split()) < 51_000


def test_what_is_marked_stays():
    text = "The <e1>big old cat</e1> sat on <e2>the mat</e2> and slept there ."
    policy = load_policy("composition(n=2,p=1,low=1,space=texts-plain)")
    edited = policy.augment([text] * 50, seed=1).tolist()
    assert all("<e1>big old cat</e1>" in out and "<e2>the mat</e2>" in out for out in edited)
    assert len(set(edited)) > 25


def test_a_function_of_the_user_edits_texts():
    @operation(range=(0, 1), identity=0, domain="text")
    def shout(text, value, rng):
        return text.upper() if rng.random() < value else None

    space = SearchSpace("own", (shout,))
    out = apply(strings(["a b", "c"]), Sequences.of([[0], [0]], 1.0), space, Stream(index=[0, 1]))
    assert out.tolist() == ["A B", "C"]

    @operation(domain="text", range=(0, 1), identity=0)
    def wrong(text, value):
        return 3

    with pytest.raises(Exception, match="returned int; expected a text"):
        apply(strings(["a"]), Sequences.of([[0]], 1.0), SearchSpace("own", (wrong,)), Stream())
