"""Single-label classification: encoding, loss, decision and metric against plain computations."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, one_hot

from automorph.data import Dataset, Split
from automorph.errors import DataError
from automorph.operations import Stream
from automorph.policies.mixing import mixup
from automorph.targets import Classes, target_of
from automorph.training import soft_cross_entropy

K = 5
TARGET = Classes(K)
RNG = np.random.default_rng(0)
LOGITS = torch.from_numpy(RNG.normal(size=(40, K)).astype(np.float32))
LABELS = RNG.integers(0, K, 40)
SOFT = torch.from_numpy(RNG.dirichlet(np.ones(K), 40).astype(np.float32))


def test_labels_become_one_hot_rows_and_come_back():
    encoded = TARGET.encode(LABELS)
    assert encoded.dtype == np.float32
    assert (encoded == one_hot(torch.from_numpy(LABELS), K).numpy()).all()
    assert (TARGET.decode(encoded) == LABELS).all()
    assert TARGET.encode(np.zeros(0, np.int64)).shape == (0, K)


@pytest.mark.parametrize(("labels", "words"), [([0, K], "0 to 5"), ([-1, 2], "-1 to 2")])
def test_labels_out_of_range_are_refused(labels, words):
    with pytest.raises(DataError, match=f"labels range from {words}; expected 0 to 4, .*: check"):
        TARGET.encode(np.array(labels))


def test_the_loss_is_torch_s_cross_entropy_of_soft_labels():
    plain = cross_entropy(LOGITS, SOFT, reduction="none")
    assert torch.allclose(TARGET.loss(LOGITS, SOFT), plain, atol=1e-6)
    smooth = cross_entropy(LOGITS, SOFT, reduction="none", label_smoothing=0.1)
    assert torch.allclose(TARGET.loss(LOGITS, SOFT, smoothing=0.1), smooth, atol=1e-6)
    assert torch.equal(TARGET.loss(LOGITS, SOFT), soft_cross_entropy(LOGITS, SOFT))
    assert TARGET.loss(LOGITS.half(), SOFT).dtype == torch.float32


def test_the_gradient_is_that_of_the_loss():
    logits = LOGITS.double().requires_grad_()
    # `loss` computes in float32; this is the same in float64.
    total = -(SOFT.double() * logits.log_softmax(dim=1)).sum()
    (found,) = torch.autograd.grad(total, logits)
    assert torch.allclose(TARGET.gradient(LOGITS, SOFT).double(), found, atol=1e-6)


def test_no_prediction_has_a_loss_below_the_floor():
    floor = TARGET.floor(SOFT)
    assert (TARGET.loss(LOGITS, SOFT) >= floor - 1e-6).all()
    assert torch.allclose(TARGET.loss(SOFT.log(), SOFT), floor, atol=1e-5)
    assert (TARGET.floor(torch.from_numpy(TARGET.encode(LABELS))) == 0).all()


def test_guessing_has_the_loss_of_equal_probabilities():
    loss = TARGET.loss(torch.zeros(1, K), torch.from_numpy(TARGET.encode(np.array([3]))))
    assert loss.item() == pytest.approx(TARGET.guess)


def test_arrays_and_tensors_are_decided_alike():
    predictions = TARGET.predict(LOGITS.numpy())
    assert predictions.dtype == np.int64
    assert (predictions == TARGET.predict(LOGITS).numpy()).all()
    assert (TARGET.probabilities(LOGITS.numpy()).argmax(axis=1) == predictions).all()
    assert np.allclose(TARGET.probabilities(LOGITS.numpy()), LOGITS.softmax(dim=1), atol=1e-6)
    right = TARGET.correct(torch.from_numpy(predictions), torch.from_numpy(LABELS))
    assert (right.numpy() == TARGET.correct(predictions, LABELS)).all()


@given(st.lists(st.tuples(st.integers(0, K - 1), st.integers(0, K - 1)), min_size=1))
def test_the_metric_is_the_share_of_right_predictions(pairs):
    labels, predictions = (np.array(column) for column in zip(*pairs, strict=True))
    right = [a == b for a, b in pairs]
    assert TARGET.score(predictions, labels) == pytest.approx(sum(right) / len(right))
    by_class = TARGET.scores(predictions, labels)
    for number in range(K):
        own = [hit for (label, _), hit in zip(pairs, right, strict=True) if label == number]
        assert by_class[number] == pytest.approx(np.mean(own) if own else np.nan, nan_ok=True)


def test_of_several_runs_the_scores_by_class_are_the_mean():
    runs = RNG.integers(0, K, (3, len(LABELS)))
    each = [TARGET.scores(run, LABELS) for run in runs]
    assert TARGET.scores(runs, LABELS) == pytest.approx(np.mean(each, axis=0))


def test_targets_are_mixed_as_their_examples():
    mixing = mixup(Stream(seed=0, index=np.arange(len(LABELS))), alpha=1.0)
    hot = TARGET.encode(LABELS)
    weight = mixing.weight[:, None]
    expected = weight * hot + (1 - weight) * hot[mixing.partner]
    assert np.allclose(TARGET.mix(hot, mixing), expected)
    assert np.allclose(TARGET.mix(torch.from_numpy(hot), mixing).numpy(), expected)


def test_the_target_of_data_has_an_output_for_each_class():
    part = Split(np.zeros((2, 8, 8, 1), np.uint8), np.array([0, 1]))
    assert target_of(Dataset("three", ("a", "b", "c"), part)) == Classes(3)


def test_the_room_needs_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from automorph.targets import Classes\n"
        "target = Classes(3)\n"
        "labels = np.array([0, 2])\n"
        "assert target.score(target.predict(target.encode(labels)), labels) == 1\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_balanced_accuracy_is_the_mean_over_classes_that_occur():
    from sklearn.metrics import balanced_accuracy_score

    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 3, (2, 200))
    found = Classes(5).further_scores(predictions, labels)
    assert found["balanced accuracy"] == pytest.approx(balanced_accuracy_score(labels, predictions))
