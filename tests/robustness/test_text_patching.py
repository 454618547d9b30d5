"""Patching on texts: the word swap learned from the corpus, its checks, CAMEL, the whole verb."""

from __future__ import annotations

import numpy as np
import pytest

from automorph import testing
from automorph.data import Dataset, Split
from automorph.errors import UsageError
from automorph.robustness import UserEdit, all_pairs, patch
from automorph.robustness.predictions import thumbnails
from automorph.robustness.translated import translate_part
from automorph.robustness.translators.base import Identity, known_of
from automorph.robustness.translators.checks import check_translator
from automorph.robustness.translators.classifiers import Panel
from automorph.robustness.translators.selection import choose_translator
from automorph.robustness.translators.word_swap import fit_word_swap, log_odds
from automorph.training import as_task

HE, SHE = ("he", "his", "himself"), ("she", "her", "herself")
TOLD = (("dull", "awful", "poor"), ("fine", "lovely", "great"))


def reviews(counts, seed):
    rng = np.random.default_rng(seed)
    texts, labels, subgroups = [], [], []
    for (label, subgroup), n in counts.items():
        who = (HE, SHE)[subgroup]
        for _ in range(n):
            a, b, c = (f"thing{rng.integers(40)}" for _ in range(3))
            # The description is not always accurate.
            said = TOLD[label if rng.random() < 0.85 else 1 - label][rng.integers(3)]
            texts.append(f"{who[0].title()} saw {a}, took {who[1]} {b} {who[2]}: a {said} {c}!")
            labels.append(label)
            subgroups.append(subgroup)
    data = np.array(texts, np.dtypes.StringDType())
    return Split(data, np.array(labels, np.int64), subgroups=np.array(subgroups, np.int64))


SKEWED = {(0, 0): 150, (0, 1): 40, (1, 0): 40, (1, 1): 150}
EVEN = {(0, 0): 50, (0, 1): 50, (1, 0): 50, (1, 1): 50}


@pytest.fixture(scope="module")
def data():
    parts = reviews(SKEWED, 1), reviews(EVEN, 2), reviews(EVEN, 3)
    return Dataset("reviews", ("bad", "good"), *parts, ("he", "she"))


def test_the_swap_pairs_words_of_the_same_place_and_leaves_those_of_the_class(data):
    swap = fit_word_swap(data.train)
    assert dict(swap.swaps[0, 1]) == {
        **dict(zip(HE, SHE, strict=True)), **dict(zip(SHE, HE, strict=True)),
    }  # fmt: skip
    text = np.array(['He said: "HIS  film\nis poor" himself.'], np.dtypes.StringDType())
    known = known_of(data.train).rows([0])
    [there] = swap.translate(text, 1, known)
    assert there == 'She said: "HER  film\nis poor" herself.'
    kept = fit_word_swap(data.train, protect=("himself",)).translate(text, 1, known)
    assert kept[0] == 'She said: "HER  film\nis poor" himself.'


def test_words_of_a_class_mark_no_subgroup_although_both_go_together(data):
    documents = [text.lower().rstrip("!").split() for text in data.train.data.tolist()]
    z = log_odds(documents, known_of(data.train), (0, 1))
    assert z["he"] > 3 > -3 > z["she"]
    assert all(abs(z[word]) < 3 for words in TOLD for word in words)
    assert log_odds(documents, known_of(data.train), (1, 0))["he"] == pytest.approx(-z["he"])


def test_the_swap_meets_the_contract_of_translators(data):
    testing.check_translator(fit_word_swap(data.train), part=data.train)


def test_there_and_back_is_the_text_itself(data):
    swap, part = fit_word_swap(data.train), data.validation
    made = translate_part(swap, part)
    assert made.images.shape == (2, len(part))
    for z in (0, 1):
        own = part.subgroups == z
        assert (made.images[z, own] == part.data[own]).all()
        assert (made.images[1 - z, own] != part.data[own]).all()
    assert made.changed.all()


def test_checks_pass_the_swap_and_fail_what_changes_nothing(data):
    panel = Panel(data.train)
    found = check_translator(fit_word_swap(data.train), data.validation, panel)
    assert found.passed, [check.words(data.subgroup_names) for check in found.failures]
    questions = {check.question for check in found.checks}
    assert questions == {"subgroup", "class", "cycle", "identity", "diversity", "residue"}
    nothing = check_translator(Identity(2), data.validation, panel)
    assert "subgroup" in {check.question for check in nothing.failures}


def test_translators_of_images_are_not_used_on_texts(data):
    choice = choose_translator("cyclegan", data)
    assert choice.kind == "word-swap"
    assert "translates images" in choice.notes[0]


def test_an_edit_of_ones_own_takes_and_gives_lists(data):
    edit = UserEdit(lambda texts, z: [f"{z} {text}" for text in texts], all_pairs(2))
    made = edit.translate(data.test.data[:60], 1, known_of(data.test).rows(slice(60)))
    assert made[0] == f"1 {data.test.data[0]}"
    assert made[55] == data.test.data[55]
    with pytest.raises(UsageError, match="one string for each"):
        UserEdit(lambda texts, z: texts[1:], all_pairs(2)).translate(
            data.test.data[:9], 1, known_of(data.test).rows(slice(9))
        )


def test_texts_without_a_network_have_features(data):
    assert thumbnails(data.test).shape[0] == len(data.test)


def test_a_model_of_texts_is_patched(data, tmp_path):
    task = as_task(data, model="bag-of-words", recipe={"epochs": 6, "lr": 0.02})
    found = patch(task, objective="camel", baselines=("erm", "balanced"), seeds=1, folder=tmp_path)
    assert found.choice.kind == "word-swap"
    assert {row.objective.partition("(")[0] for row in found.treatments} == {
        "erm",
        "balanced",
        "camel",
    }
    assert found.flips["after"] <= found.flips["before"] + 0.02
    assert found.looks["sheet"]["images"].dtype.kind == "T"
    assert (tmp_path / "MODEL_CARD.md").exists()
