"""Hidden-state mixup: texts are mixed as embeddings, inside the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from automorph.errors import UsageError
from automorph.models import build_text_model
from automorph.policies import load_policy
from automorph.training import PolicyAugmenter, RawBatch, as_task, train
from automorph.training.text import WordEncoder

MANY = [f"{told} number {i}" for i in range(40) for told in ("a fine film", "dull")]
TEXTS = ["a fine film", "dull", "", "such a lovely and bright evening", "poor show", "great"]


@pytest.fixture
def raw():
    examples = np.array(TEXTS, np.dtypes.StringDType())
    labels = np.eye(2, dtype=np.float32)[[1, 0, 0, 1, 0, 1]]
    encoder = WordEncoder.of(TEXTS)
    return RawBatch(examples, labels, np.arange(6), 3, 0, 0, encoder)


@pytest.mark.parametrize("name", ["bag-of-words", "text-cnn", "text-transformer"])
def test_a_share_of_one_or_zero_is_one_of_the_two_texts(name, raw):
    torch.manual_seed(0)
    words = raw.encode()
    model = build_text_model(name, inputs=raw.encoder.inputs, classes=2).eval()
    other = words[[3, 4, 0, 1, 5, 2]]
    own, partner = model(words), model(other)
    assert torch.allclose(model(words, other, torch.ones(6)), own, atol=1e-5)
    assert torch.allclose(model(words, other, torch.zeros(6)), partner, atol=1e-5)
    half = model(words, other, torch.full((6,), 0.5))
    assert torch.allclose(half, model(other, words, torch.full((6,), 0.5)), atol=1e-5)
    assert half.isfinite().all()


def test_labels_are_mixed_as_the_embeddings_are(raw):
    policy = load_policy("mixup(alpha=1)")
    batch = PolicyAugmenter(policy)(raw)
    assert batch.partner is not None
    own, share = torch.from_numpy(raw.labels), batch.share[:, None]
    rows = [(batch.inputs == row).all(1).nonzero()[0, 0].item() for row in batch.partner]
    assert torch.allclose(batch.labels, share * own + (1 - share) * own[rows])
    part = batch.part(slice(2, 5))
    assert len(part.partner) == len(part.share) == len(part) == 3


def test_texts_are_trained_on_under_mixup():
    task = as_task((MANY, [1, 0] * 40), model="text-cnn", recipe={"epochs": 2})
    assert train(task, "mixup", progress=False).finished
    assert train(task, "typos + mixup", progress=False).finished


def test_a_network_that_cannot_mix_says_so():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.EmbeddingBag(100, 2)

        def forward(self, words):
            return self.layer(words)

    encoder = WordEncoder.of(TEXTS)
    from automorph.training import make_task

    data = as_task((MANY, [1, 0] * 40)).data
    task = make_task(data, model=Own, encoder=encoder)
    with pytest.raises(UsageError, match="Own does not support"):
        train(task.with_recipe(epochs=1), "mixup", progress=False)
    with pytest.raises(UsageError, match="embeddings"):
        load_policy("mixup").preview(np.array(TEXTS, np.dtypes.StringDType()))


def test_policies_for_other_examples_are_refused():
    texts, images = as_task((MANY, [1, 0] * 40)), as_task("digits", limit=100)
    with pytest.raises(UsageError, match=r"is for images.*eda"):
        train(texts, "flip-crop")
    with pytest.raises(UsageError, match="is for images"):
        train(texts, "cutmix")
    with pytest.raises(UsageError, match=r"is for texts.*randaugment"):
        train(images, "eda")
