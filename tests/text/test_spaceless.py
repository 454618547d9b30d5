"""Scripts without spaces between words, and those that are written from right to left."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

from automorph import load_policy
from automorph.engine import apply
from automorph.errors import MissingExtraError, UsageError
from automorph.operations import SearchSpace, Sequences, Stream, named_space
from automorph.policies import former
from automorph.text import Corpus, spaceless, tokenise
from automorph.text.sentences import sentence_bounds
from automorph.training import as_task

WORDS = {
    "这部电影非常好，我喜欢。": ["这", "部", "电影", "非常", "好", "，", "我", "喜欢", "。"],
    "這部電影非常好。": ["這", "部", "電影", "非常", "好", "。"],
    "この映画はiPhoneで見た。": ["この", "映画", "は", "iPhone", "で", "見", "た", "。"],
    "ภาพยนตร์เรื่องนี้ดีมาก ฉันชอบ": ["ภาพยนตร์", "เรื่อง", "นี้", "ดี", "มาก", "ฉัน", "ชอบ"],
    "我用Py写了3个<b>小时</b>": ["我", "用", "Py", "写", "了", "3个", "<b>", "小时", "</b>"],
}  # fmt: skip
KHMER = "ភាសាខ្មែរ"
SWAP, DELETE, MARKS, SENTENCES = (
    SearchSpace("one", (named_space("texts-plain")[name],))
    for name in ("Swap", "Delete", "Punctuation", "Sentences")
)


def drawn(text: str, space: SearchSpace, draws: int = 30) -> list[str]:
    batch = np.array([text] * draws, np.dtypes.StringDType())
    stream = Stream(seed=1, index=np.arange(draws))
    return apply(batch, Sequences.of(np.zeros((draws, 1), int), 0.6), space, stream).tolist()


@pytest.fixture
def no_budoux(monkeypatch):
    monkeypatch.setitem(sys.modules, "budoux", None)
    spaceless._parser.cache_clear()
    yield
    spaceless._parser.cache_clear()


@pytest.mark.parametrize("text", WORDS)
def test_words_are_found(text):
    tokens = tokenise([text], divided=True)
    assert [tokens.vocabulary.words[n] for n in tokens.words.tolist()] == WORDS[text]
    assert tokens.join() == [text]


@pytest.mark.parametrize("text", WORDS)
def test_words_move_and_no_space_appears(text):
    apart = re.compile(r"[^\x00-\x7f] [^\x00-\x7f]")
    for space in (SWAP, DELETE, MARKS):
        out = drawn(text, space)
        assert len(set(out)) > 3
        assert all(len(apart.findall(after)) <= text.count(" ") for after in out)
    assert all(sorted(after) == sorted(text) for after in drawn(text, SWAP))


def test_a_corpus_holds_the_words():
    """In version 0.1, whatever was between two marks was one word."""
    corpus = Corpus(list(WORDS))
    assert {"电影", "映画", "ฉัน", "iphone"} <= set(corpus.words)
    policy = load_policy("uniform-words").fitted(list(WORDS))
    assert policy.augment(list(WORDS) * 20, seed=0).tolist() != list(WORDS) * 20


def test_without_the_library_word_operations_are_refused_by_name(no_budoux):
    text = "这部电影好看。我很喜欢！真的吗？"
    for space in (SWAP, DELETE, MARKS):
        with pytest.raises(MissingExtraError, match=r"Chinese text.*automorph\[languages\]"):
            drawn(text, space)
    with pytest.raises(MissingExtraError, match=r"Japanese text.*automorph\[languages\]"):
        load_policy("typos").fitted(["この映画"])
    assert len(set(drawn(text, SENTENCES))) > 2
    assert drawn("a film of words", SWAP)[0] != ""


def test_another_model_of_the_library_is_refused(monkeypatch):
    monkeypatch.setitem(spaceless._MODELS, "th", ("Thai", "0" * 12))
    spaceless._parser.cache_clear()
    with pytest.raises(UsageError, match=r"not that of budoux 0\.10\.1.*automorph\[languages\]"):
        drawn("ฉันชอบ", SWAP)
    spaceless._parser.cache_clear()


def test_a_script_that_nothing_divides_is_refused_with_what_to_do():
    with pytest.raises(MissingExtraError, match=r"Khmer text.*--protect '\[\\u1780-"):
        drawn(KHMER, SWAP)
    policy = load_policy("typos(p=1)")
    texts = [f"the old film, {KHMER}, was good"] * 5
    with pytest.raises(MissingExtraError, match="Khmer"):
        policy.fitted(texts)
    out = policy.fitted(texts, protect=[r"[\u1780-\u17ff]+"]).augment(texts, seed=0).tolist()
    assert all(KHMER in after and after != texts[0] for after in out)


def test_policies_saved_before_read_such_texts_as_they_did(no_budoux):
    text = "这部电影好看 我很喜欢"
    assert set(former(load_policy("typos")).augment([text] * 3, seed=0).tolist()) == {text}


def test_networks_that_cannot_tell_the_words_are_noted():
    texts = [f"{text}{i}" for i in range(8) for text in WORDS]
    note = "training texts have no spaces between words"
    labels = ["a", "b"] * (len(texts) // 2)
    assert any(note in one for one in as_task((texts, labels), model="bag-of-words").data.notes)
    english = [f"a film, number {i}" for i in range(40)]
    task = as_task((english, labels), model="bag-of-words")
    assert not any(note in one for one in task.data.notes)


ISOLATED = "הוא אמר \u2067שלום. מה שלומך?\u2069 והלך! ומה הלאה? لا أعرف، حقا."


def test_texts_from_right_to_left_keep_their_order():
    """The marks of direction stay where they are, and words are exchanged for words."""
    marks = [one for one in ISOLATED if not (one.isalpha() or one.isspace())]
    for space in (SWAP, DELETE):
        for after in drawn(ISOLATED, space):
            assert [one for one in after if not (one.isalpha() or one.isspace())] == marks
    assert all(sorted(after.split()) != [] for after in drawn(ISOLATED, SWAP))


def test_no_sentence_ends_within_an_isolate():
    tokens = tokenise([ISOLATED])
    found = [tokens.take_pieces(*one) for one in sentence_bounds(tokens, 0, len(tokens.pieces))]
    assert found[0].endswith("\u2069 והלך!")
    for after in drawn(ISOLATED, SENTENCES):
        assert "\u2067שלום. מה שלומך?\u2069" in after
