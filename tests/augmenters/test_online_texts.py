"""Training methods on texts: fitted to the corpus, scored in one call, no draw repeated."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.augmenters import as_treatment, compare, train
from automorph.errors import UsageError
from automorph.training import as_task, fitted

U = "uncertainty(c=4,s=1,rule=top,policy=composition(n=2,space=texts-plain))"


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(30)]
    rows, labels = [], []
    for i in range(150):
        told = rng.choice(("good", "fine") if i % 2 else ("bad", "poor"))
        rows.append(" ".join([*rng.choice(words, rng.integers(1, 9)), told]))
        labels.append(i % 2)
    return as_task((rows, labels), model="bag-of-words", recipe={"epochs": 3}, protect=["good"])


@pytest.mark.parametrize(
    "name",
    [
        U,
        "uncertainty(rule=adaptive,space=texts-plain)",
        "typos + uncertainty(c=2,policy=tf-idf) + aeda",
        "adversarial(m=2,space=texts-plain,count=2)",
        "views(m=2,policy=uniform-words)",
        "augmix-jsd(policy=random(space=texts-corpus))",
    ],
)
def test_they_train_on_texts(task, name):
    result = train(task, name, progress=False)
    assert result.finished
    assert np.isfinite(result.loss["test"])


def test_every_part_of_a_method_knows_the_corpus(task):
    for name in (U, "adversarial(space=texts-plain)", "typos + views(policy=tf-idf) + aeda"):
        known = fitted(as_treatment(name), task)
        assert known == as_treatment(name)
        assert all(operation.corpus.protect == ("good",) for operation in known.policy.space)


def test_what_is_scored_is_what_is_trained_on(task):
    """Views of different lengths are encoded in one call, so that rows can be reused."""
    from automorph.training import RawBatch

    calls = []

    def encoder(texts, device):
        calls.append(len(texts))
        return task.encoder(texts, device)

    part, augmenter = task.data.train, fitted(as_treatment(U), task).build()
    labels = np.eye(2, dtype=np.float32)[part.labels[:10]]
    raw = RawBatch(part.data[:10], labels, np.arange(10), 0, 0, 0, encoder)
    batch = augmenter(raw, task.build(0))
    assert calls == [40]
    assert len(batch) == 10
    assert batch.index.tolist() == list(range(10))


def test_policies_of_images_are_refused_before_anything_is_trained(task):
    for name in ("uncertainty(c=2)", "adversarial", "views"):
        with pytest.raises(UsageError, match="is for images"):
            compare(task, ["none", name], seeds=1)
    with pytest.raises(UsageError, match="not images"):
        train(task, "uncertainty(size=0.5,space=texts-plain)", progress=False)
