"""Properties of each text operation (Wei and Zou 2019; Xie et al. 2019; Wang et al. 2018)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from automorph.engine import apply
from automorph.errors import MissingExtraError, UsageError
from automorph.operations import Sequences, Stream, named_space
from automorph.text import Corpus
from automorph.text.wordnet import find_wordnet, read_wordnet, wordnet

needs_wordnet = pytest.mark.skipif(
    find_wordnet() is None, reason="WordNet's files are not on this machine (wordnet-base)"
)
ALPHABET = [f"w{number:02}" for number in range(60)]


def edited(name, texts, magnitude, corpus=None, space="texts", seed=0):
    operations = named_space(space)
    if corpus is not None:
        operations = operations.fitted(corpus)
    sequences = Sequences.of([[operations.number(name)]] * len(texts), magnitude)
    batch = np.array(texts, np.dtypes.StringDType())
    stream = Stream(seed=seed, index=np.arange(len(texts)))
    return apply(batch, sequences, operations, stream).tolist()


def zipf_corpus(n=400, length=25):
    """Texts in which words with higher numbers are rarer."""
    u = Stream(index=np.arange(n)).uniform("corpus", length)
    numbers = (len(ALPHABET) * u**3).astype(int)
    return Corpus([" ".join(ALPHABET[i] for i in row) for row in numbers])


@needs_wordnet
def test_synonyms_replace_so_many_different_words_each_time_they_occur():
    text = "the movie was funny and the movie was long , a funny long movie indeed"
    for out in edited("Synonym", [text] * 40, 0.4):
        old, new = text.split(), out.split(" ")
        assert out != text
        # A share of 0.2 of 14 words: two different ones; some synonyms have several words.
        gone = set(old) - set(new)
        assert 1 <= len(gone) <= 2
        assert not gone & {"the", "was", "and", "a"}
        assert all(new.count(word) == 0 for word in gone)


@needs_wordnet
def test_synonyms_are_those_of_wordnet():
    assert "film" in wordnet().of("Movies")
    assert wordnet().of("the") == ()
    assert [wordnet().part_of_speech(w) for w in ("dogs", "ran", "funny", "quickly", "xyzzy")] == [
        "noun", "verb", "adj", "adv", "",
    ]  # fmt: skip


@needs_wordnet
def test_insertion_adds_words_and_keeps_the_others_in_order():
    text = "a clever film with one surprising turn after another"
    for out in edited("Insert", [text] * 40, 0.5):
        words = iter(out.split())
        assert all(word in words for word in text.split())  # a subsequence
        assert len(out.split()) > len(text.split())


def test_without_wordnet_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("automorph.text.wordnet.find_wordnet", lambda: None)
    with pytest.raises(MissingExtraError, match="wordnet-base"):
        wordnet()


def test_wordnet_is_read_from_its_files(tmp_path: Path):
    (tmp_path / "data.noun").write_text(
        "  1 a licence\n00001740 03 n 02 film 0 motion_picture 0 001 @ 00000000 n 0000 | a show  \n"
    )
    (tmp_path / "index.noun").write_text("film n 1 1 @ 1 1 00001740  \n")
    (tmp_path / "noun.exc").write_text("filmae film\n")
    read = read_wordnet(tmp_path)
    assert read.of("Films") == read.of("filmae") == ("film", "motion picture")
    assert read.of("film") == ("motion picture",)
    assert read.part_of_speech("films") == "noun"


def test_noise_touches_the_share_of_words_that_it_says():
    text = " ".join(["something"] * 40)
    for name in ("Keyboard", "OCR"):
        for out in edited(name, [text] * 10, 0.5):
            different = [word for word in out.split() if word != "something"]
            assert len(different) == 10  # a share of 0.25
    for out in edited("Case", [text] * 10, 0.5):
        assert out.lower() == text
        assert sum(word != "something" for word in out.split()) == 20


def test_contractions_go_both_ways():
    assert set(edited("Contraction", ["I do not know ."] * 5, 1.0)) == {"I don't know ."}
    assert set(edited("Contraction", ["Don't go"] * 5, 1.0)) == {"Do not go"}


def test_punctuation_and_sentences_keep_the_words():
    text = "One came first . Two was late ! Three never came ."
    for name in ("Punctuation", "Sentences"):
        outs = edited(name, [text] * 30, 1.0)
        letters = [Counter(word for word in out.split() if word.isalpha()) for out in outs]
        assert all(found == Counter(w for w in text.split() if w.isalpha()) for found in letters)
        assert len(set(outs)) >= 2


def test_tfidf_replaces_as_many_words_as_it_says_and_never_the_most_telling():
    corpus = zipf_corpus()
    texts = corpus.texts[:200]
    share = 0.3
    outs = edited("TfIdf", texts, share / 0.9, corpus)
    replaced = total = 0
    for before, after in zip(texts, outs, strict=True):
        old, new = before.split(), after.split()
        counts = Counter(old)
        q = [counts[word] * corpus.idf[word] for word in old]
        for word, other, score in zip(old, new, q, strict=True):
            total += 1
            replaced += word != other
            if score == max(q):
                assert word == other
    same_word_drawn = 0.05  # a word may replace itself
    assert share - 0.02 - same_word_drawn * share < replaced / total < share + 0.02


def test_uniform_replacement_draws_every_word_of_the_corpus_alike():
    corpus = Corpus(["a b c d e f g h i j"])
    text = " ".join(["a"] * 100)
    outs = edited("Uniform", [text] * 50, 1.0, corpus)
    counts = Counter(word for out in outs for word in out.split())
    assert counts["a"] / 5000 == pytest.approx(0.5 + 0.05, abs=0.02)
    assert max(abs(counts[w] / 5000 - 0.05) for w in "bcdefghij") < 0.01


def test_switchout_draws_how_many_from_a_geometric_law():
    corpus = Corpus(["x y"])
    text = " ".join(["a"] * 20)
    outs = edited("SwitchOut", [text] * 4000, 0.4, corpus)  # a share of 0.2: tau = 4 words
    found = np.bincount([sum(w != "a" for w in out.split()) for out in outs], minlength=21) / 4000
    law = np.exp(-np.arange(21) / 4)
    assert np.abs(found - law / law.sum()).max() < 0.025


def test_the_language_model_draws_what_fits_between_the_neighbours():
    corpus = Corpus(["the cat sat down", "the dog sat down", "the cat ran off", "a fox sat down"])
    outs = edited("Language", ["the cat sat down"] * 60, 0.01, corpus)
    second = Counter(out.split()[1] for out in outs if out.split()[1] != "cat")
    assert second.most_common(1)[0][0] == "dog"


@needs_wordnet
def test_entity_operations_stay_in_their_region():
    text = "Yesterday the old <e1>engine</e1> quickly drove the <e2>wheel</e2> of the train ."
    corpus = Corpus([text, "the car slowly turned the road", "Today the new bus went fast ."])
    out = edited("AdvBetween", [text] * 20, 1.0, corpus, space="entities")
    for new in out:
        before, rest = new.split("<e1>")
        assert before == "Yesterday the old "
        assert rest.endswith("of the train .")
    assert any("quickly" not in new for new in out)


def test_an_operation_without_its_corpus_says_what_to_do():
    with pytest.raises(UsageError, match=r"policy\.fitted\(texts\)"):
        edited("Uniform", ["a b"], 0.5)
