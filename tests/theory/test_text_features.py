"""Features of texts without a network: what they capture, and known operations they detect."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.diagnostics import default_space, explain, instant_policy
from automorph.diagnostics.text_features import hashed_words
from automorph.errors import UsageError
from automorph.operations import SearchSpace, operation
from automorph.training import as_task

WORDS = [f"w{i}" for i in range(40)]


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    texts = [" ".join([*rng.choice(WORDS, 5), ("good", "bad")[i % 2], f"n{i}"]) for i in range(200)]
    return as_task((texts, np.arange(200) % 2))


def test_words_pairs_and_nothing_else_are_seen(task):
    features = hashed_words(task.data.train.data)
    one, case, order, other = features(["w1 w2 w3", "W1 w2  W3", "w3 w2 w1", "w7 w8 w9"])
    assert np.allclose(one, case, atol=1e-6)
    assert not np.allclose(one, order, atol=1e-3)
    assert abs(one @ other) < 0.5 * (one @ one)
    assert not features([""]).any()


def test_the_axes_keep_inner_products(task):
    """With as many axes as texts, nothing is lost on the training texts: rows have length 1."""
    texts = task.data.train.data
    rows = hashed_words(texts, axes=len(texts))(texts)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(texts)), abs=0.1)


def test_explain_tells_harm_from_good(task):
    @operation(name="Flip", domain="text")
    def flip(text, value):
        change = {"good": "bad", "bad": "good"}
        return " ".join(change.get(word, word) for word in text.split())

    space = SearchSpace("mine", (flip, default_space("text")["Case"]))
    found = explain(task, space)
    assert found["Flip"].verdict in ("drop", "label risk")
    assert found["Case"].best.diagnosis.label_risk == pytest.approx(0, abs=1e-6)
    assert "Flip" not in instant_policy(found).space.names


def test_what_does_not_fit_is_refused(task):
    with pytest.raises(UsageError, match="operations on images"):
        explain(task, "randaugment")
    with pytest.raises(UsageError, match="no pixels"):
        explain(task, "texts-plain", features="pixels")
