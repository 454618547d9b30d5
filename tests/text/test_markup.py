"""Markup, addresses, numbers with units and the marks of other scripts survive every operation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from markup_texts import WHOLE

from automorph import load_policy
from automorph.engine import apply
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace, Sequences, Stream, named_space
from automorph.policies import Mixture, Step, chained, former, policy_from_dict, policy_to_dict
from automorph.text import Corpus, checked_patterns, tokenise
from automorph.text.sentences import sentence_bounds
from automorph.text.wordnet import find_wordnet, wordnet

wordnet_here = pytest.mark.skipif(
    find_wordnet() is None, reason="WordNet's files are not here (wordnet-base)"
)


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation that can run here, fitted to the texts."""
    corpus = Corpus([text for text, _ in WHOLE.values()])
    found = named_space("texts").fitted(corpus)
    return tuple(
        one for one in found if find_wordnet() or one.name not in ("Synonym", "Insert", "Language")
    )


def drawn(texts: list[str], operation: Operation, draws: int, *, seed: int = 0) -> list[str]:
    """One draw of an operation for each of ``draws`` texts, at magnitudes from 0 to 1."""
    batch = np.array([texts[i % len(texts)] for i in range(draws)], np.dtypes.StringDType())
    strength = np.linspace(0.05, 1, draws, dtype=np.float32)[:, None]
    sequences = Sequences.of(np.zeros((draws, 1), int), strength)
    stream = Stream(seed=seed, index=np.arange(draws))
    return apply(batch, sequences, SearchSpace("one", (operation,)), stream).tolist()


def lost(after: str, parts: tuple[str, ...], *, ordered: bool) -> list[str]:
    """The parts that a text does not hold any more."""
    at, gone = 0, []
    for part in parts:
        found = after.find(part, at if ordered else 0)
        if found < 0:
            gone.append(part)
        else:
            at = found + len(part)
    return gone


def check_survival(name: str, draws: int) -> None:
    text, parts = WHOLE[name]
    for operation in operations():
        changed = 0
        for after in drawn([text], operation, draws):
            ordered = operation.name != "Sentences"
            assert lost(after, parts, ordered=ordered) == [], (operation.name, after)
            assert sum(map(str.isalnum, after)), (operation.name, after)
            changed += after != text
        if operation.name in ("Swap", "Delete", "Uniform"):
            assert changed > draws / 4, operation.name  # What is not protected does change.


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_protected_survives_every_operation(name):
    check_survival(name, 200)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_what_is_protected_survives_10_000_draws_of_every_operation(name):
    check_survival(name, 10_000)


@pytest.mark.parametrize("name", WHOLE)
def test_a_text_that_no_operation_touches_is_itself(name):
    text, _ = WHOLE[name]
    assert tokenise([text]).join() == [text]
    assert tokenise([text], protect=[r"(?i)THE", r"(\w)\1"]).join() == [text]


def test_the_content_of_elements_is_augmented_and_their_tags_stay():
    """In version 0.1, a text within <p>..</p> was never augmented, and <br /> was misspelled."""
    plain = [f"how does the parser work in version {i} and why may it fail" for i in range(60)]
    within = [f"<p>{text}</p>" for text in plain]
    policy = load_policy("typos(p=0.5)")
    out = policy.augment(within, seed=0).tolist()
    assert all(a != b for a, b in zip(out, within, strict=True))
    assert all(text.startswith("<p>") and text.endswith("</p>") for text in out)
    broken = policy.augment([f"{text}<br /><br />thanks" for text in plain], seed=0).tolist()
    assert all("<br /><br />" in text for text in broken)


def test_tags_of_ones_own_still_protect_their_content():
    text = "The <drug id='3'>old aspirin</drug> works and <e1>this one</e1> does not work"
    out = load_policy("typos(p=1)").augment([text] * 20, seed=0).tolist()
    assert all("<drug id='3'>old aspirin</drug>" in one for one in out)
    assert all("<e1>this one</e1>" in one for one in out)


def test_sentences_end_neither_in_addresses_nor_in_brackets_or_quotes():
    """In version 0.1, any of . ! ? ended one: in addresses, too."""
    text = 'See https://a.org/b?c. It (see N.Y.C. or so) is "Good! Fine." Dr. Who left... No?! Yes'
    tokens = tokenise([text])
    found = [tokens.take_pieces(*one) for one in sentence_bounds(tokens, 0, len(tokens.pieces))]
    assert found == [
        "See https://a.org/b?c.", ' It (see N.Y.C. or so) is "Good! Fine." Dr. Who left...',
        " No?!", " Yes",
    ]  # fmt: skip
    tokens = tokenise(["第一句。第二句！「好。真的」吗？"])
    found = [tokens.take_pieces(*one) for one in sentence_bounds(tokens, 0, len(tokens.pieces))]
    assert found == ["第一句。", "第二句！", "「好。真的」吗？"]


def test_sentences_move_and_their_marks_with_them():
    text = "One is here. Two (a. b) is there! Is three? He paid 5 kg. <b>Four</b> stays."
    space = SearchSpace("one", (named_space("texts-plain")["Sentences"],))
    shuffle = Mixture(
        label="s", operations=space, subpolicies=((Step("Sentences", magnitude=1.0),),)
    )
    out = set(shuffle.augment([text] * 50, seed=1).tolist())
    assert len(out) > 5
    for one in out:
        assert one.endswith(" <b>Four</b> stays.")
        assert all(part in one for part in ("Two (a. b) is there!", "Is three?", "He paid 5 kg."))


def test_marks_of_other_scripts_stay_where_they_are():
    """In version 0.1 they were part of the word before them."""
    [swap] = [one for one in operations() if one.name == "Swap"]
    texts = {"यह फिल्म बहुत अच्छी है।": "।", "هذا الفيلم رائع جدا؟": "؟", "这 部 电影 很 好！": "！"}
    for text, mark in texts.items():
        assert all(after.endswith(mark) for after in drawn([text], swap, 20))


def test_deletion_leaves_a_word():
    """In version 0.1, a mark counted as what remains."""
    [delete] = [one for one in operations() if one.name == "Delete"]
    full = SearchSpace("one", (delete.between(0, 1),))
    batch = np.array(["Good!", "(fine)", "<p>Never again.</p>", "so, so..."] * 50,
                     np.dtypes.StringDType())  # fmt: skip
    stream = Stream(seed=1, index=np.arange(len(batch)))
    out = apply(batch, Sequences.of(np.zeros((len(batch), 1), int), 1.0), full, stream).tolist()
    tokens = tokenise(out)
    assert (tokens.count(tokens.spoken) == 1).all()


def test_lines_stay_lines():
    [delete] = [one for one in operations() if one.name == "Delete"]
    text = "Good films\nare rare\n\nand long ones\n\tare more so"
    lines = [line.split() for line in text.splitlines()]
    for after in drawn([text], delete, 100):
        rest = iter(lines)
        for line in filter(str.strip, after.splitlines()):
            assert any(set(line.split()) <= set(whole) for whole in rest), after


def test_an_inserted_word_stands_apart():
    [marks] = [one for one in operations() if one.name == "Punctuation"]
    for after in drawn(["**good** (film) <b>here</b>"], marks, 60):
        assert all(f"{mark}{word}" not in after for mark in ".;?:!," for word in ("good", "film"))


PATTERNS = {
    r"(?i)nasa": "nasa", r"(\w)\1": "book", r"(?P<x>ca)t(?P=x)": "catca", r"a|b": "a",
    r"(?x) good  # a comment": "good",
}  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_compiled_one_by_one(pattern):
    """In version 0.1 they were joined, so that flags failed and \\1 meant another group."""
    word = PATTERNS[pattern]
    tokens = tokenise([f"the {word} zzz it"], protect=[r"zz(z)", pattern])
    fixed = [tokens.vocabulary.words[n] for n in tokens.words[tokens.fixed]]
    assert word in fixed
    assert "zzz" in fixed


@pytest.mark.parametrize("pattern", ["(", r"(a)\2", "a(?i)", "[z-a]", None])
def test_a_wrong_pattern_is_refused_with_what_to_do(pattern):
    with pytest.raises(UsageError, match=r"which is wrong: .*expected a regular expression"):
        checked_patterns([pattern])
    with pytest.raises(UsageError, match="expected a regular expression"):
        load_policy("typos").fitted(["a b"], protect=[pattern])


def test_one_pattern_without_a_list_is_refused():
    with pytest.raises(UsageError, match=r"expected a list of regular expressions"):
        load_policy("typos").fitted(["a b"], protect=r"\d+")


@wordnet_here
def test_synonyms_are_not_vulgar():
    net = wordnet()
    assert {"fuck", "shag"} <= set(net.of("screw"))
    for word in (
        "screw",
        "donkey",
        "sleep",
        "nonsense",
        "cat",
        "fag",
        "cigarette",
        "bottom",
        "boy",
    ):
        found = {synonym.lower() for synonym in net.of(word, proper=True)}
        assert not found & net.vulgar, word
        assert not found & {"darky", "nigra", "spade"}, word
    assert "tool" in net.of("instrument", proper=True)
    assert "son" in net.of("boy", proper=True)


@wordnet_here
def test_policies_draw_no_vulgar_synonym_and_saved_ones_are_as_they_were():
    policy = load_policy("synonyms(p=1)")
    text = ["they screw around and bitch all day with an ass"] * 300
    drawn_now = " ".join(policy.augment(text, seed=0).tolist()).lower().split()
    drawn_then = " ".join(former(policy).augment(text, seed=0).tolist()).lower().split()
    # The words of the text itself are no synonyms.
    assert set(drawn_now) & wordnet().vulgar <= {"bitch", "ass"}
    assert set(drawn_then) & wordnet().vulgar - {"bitch", "ass"}


def test_a_policy_saved_before_reads_texts_as_it_did():
    policy = load_policy("typos(p=1)")
    before = former(policy)
    assert before != policy
    text = ["<p>a film of many words</p>", "good<br />bad"]
    assert before.augment(text, seed=1).tolist()[0] == text[0]
    assert policy.augment(text, seed=1).tolist()[0] != text[0]
    content = policy_to_dict(before)
    [entry] = content["policy"]["operations"]["operations"]
    assert entry["definition"] == 1
    assert policy_from_dict(content) == before
    [entry] = policy_to_dict(policy)["policy"]["operations"]["operations"]
    assert entry["definition"] == 2


def test_a_chain_of_both_definitions_edits_by_each():
    before, now = former(load_policy("typos(p=1)")), load_policy("typos(p=1)")
    text = ["<p>a film of many words</p>"] * 4
    assert chained(before, before).augment(text, seed=1).tolist() == text
    both = chained(before, now).augment(text, seed=1).tolist()
    assert all(one.startswith("<p>") and one != text[0] for one in both)
    corpus = chained(former(load_policy("uniform-words")), load_policy("uniform-words")).fitted(
        ["<p>a b</p> c"]
    )
    words = [operation.corpus.words for operation in corpus.space]
    assert words == [["a", "b", "c"], ["a", "b", "c"]]
