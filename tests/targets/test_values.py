"""Values: standardised by the training part, learned by squared or Huber loss, mixed, resumed."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from automorph.data import from_arrays
from automorph.errors import DataError, UsageError
from automorph.policies import load_policy
from automorph.targets import Values
from automorph.training import as_task, train

torch.set_num_threads(1)
RANDOM = np.random.default_rng(0)
TARGET = Values.of(RANDOM.normal([5.0, -2.0], [2.0, 0.1], (500, 2)))


def brightness(n=120, seed=0):
    """Images whose value is their mean brightness."""
    random = np.random.default_rng(seed)
    scale = random.uniform(0.2, 1.0, (n, 1, 1, 1))
    images = (random.integers(100, 256, (n, 8, 8, 1)) * scale).astype(np.uint8)
    return images, images.mean(axis=(1, 2, 3)) * 3 + 10


def task_of(recipe=None, **options):
    return as_task(
        from_arrays(*brightness(), target="values"), model="cnn:4",
        recipe={"epochs": 3, **(recipe or {})}, **options,
    )  # fmt: skip


def test_targets_are_standardised_and_predictions_have_the_users_units():
    values = RANDOM.normal([5.0, -2.0], [2.0, 0.1], (50, 2))
    encoded = TARGET.encode(values)
    assert encoded.dtype == np.float32
    assert np.allclose(TARGET.decode(encoded), values, atol=1e-5)
    assert np.allclose(TARGET.predict(torch.from_numpy(encoded)).numpy(), values, atol=1e-5)
    train_part = Values.of(values).encode(values)
    assert np.allclose(train_part.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(train_part.std(axis=0), 1, atol=1e-5)
    with pytest.raises(DataError, match=r"expected finite ones of shape \(n, 2\)"):
        TARGET.encode(np.full((3, 2), np.nan))


@pytest.mark.parametrize("huber", [False, True])
def test_losses_equal_torch_and_gradients_equal_autograd(huber):
    target = Values(TARGET.mean, TARGET.std, huber)
    targets = torch.randn(30, 2)
    logits = (targets + 2 * torch.randn(30, 2)).requires_grad_()
    losses = target.loss(logits, targets)
    one = functional.huber_loss if huber else functional.mse_loss
    assert torch.equal(losses, one(logits, targets, reduction="none").mean(dim=1))
    losses.sum().backward()
    assert torch.allclose(target.gradient(logits.detach(), targets), logits.grad, atol=1e-6)
    assert target.loss(targets, targets).tolist() == target.floor(targets).tolist() == [0.0] * 30
    with pytest.raises(UsageError, match="label_smoothing"):
        target.loss(logits, targets, smoothing=0.1)


def test_the_loss_of_a_guess_is_that_of_the_mean():
    values = RANDOM.normal(0, 3, (4000, 1))
    target = Values.of(values)
    encoded = torch.from_numpy(target.encode(values))
    assert float(target.loss(torch.zeros(4000, 1), encoded).mean()) == pytest.approx(target.guess)
    huber = Values(target.mean, target.std, huber=True)
    assert float(huber.loss(torch.zeros(4000, 1), encoded).mean()) < huber.guess


def test_the_score_is_r2_of_the_training_variance():
    from sklearn.metrics import r2_score

    values = RANDOM.normal(0, 3, (200, 2))
    target, predicted = Values.of(values), values + RANDOM.normal(0, 1, (200, 2))
    assert target.score(predicted, values) == pytest.approx(r2_score(values, predicted))
    by_value = r2_score(values, predicted, multioutput="raw_values")
    assert np.allclose(target.scores(predicted, values), by_value)
    tensors = target.correct(torch.from_numpy(predicted), torch.from_numpy(values))
    assert np.allclose(tensors, target.correct(predicted, values))


def test_values_are_mixed_as_the_examples():
    images, values = brightness(16)
    target = Values.of(values[:, None])
    mixing = load_policy("mixup").mixing(*_stream_and_shape(images))
    mixed = target.decode(target.mix(target.encode(values[:, None]), mixing))
    w = mixing.weight[:, None].astype(np.float64)
    assert np.allclose(mixed, w * values[:, None] + (1 - w) * values[mixing.partner, None])


def _stream_and_shape(images):
    from automorph.operations import Stream

    return Stream(seed=0, epoch=0, index=np.arange(len(images))), images.shape


@pytest.mark.parametrize("policy", ["none", "mixup", "cutmix", "flip + mixup"])
def test_trainings_are_the_same_for_any_workers_and_resume(policy, tmp_path):
    task = task_of()
    whole = train(task, policy, progress=False)
    other = train(task, policy, progress=False, workers=2)
    train(task, policy, folder=tmp_path, stop_epoch=1, progress=False)
    resumed = train(task, policy, folder=tmp_path, progress=False)
    for found in (other, resumed):
        assert np.array_equal(found.predictions["test"], whole.predictions["test"])
        assert found.metrics == whole.metrics
    assert whole.predictions["test"].shape[1:] == (1,)
    again = train(task, policy, folder=tmp_path, progress=False)
    assert np.array_equal(again.predictions["test"], whole.predictions["test"])


def test_a_network_learns_brightness_and_reports_its_error_in_units():
    task = task_of({"epochs": 20, "select": "best"}, also=["rmse", "r2"])
    found = train(task, "none", progress=False)
    mae = found.metrics["test"]["mae"]
    labels = task.data.without_test().train.expected
    assert mae < 0.5 * np.abs(labels - np.median(labels)).mean()
    assert found.metrics["test"]["r2"] > 0.5
    scores = [epoch.validation_score for epoch in found.curves]
    assert found.chosen == 1 + int(np.argmax(scores))
    assert found.metrics["validation"]["mae"] == pytest.approx(-max(scores))


def test_huber_is_part_of_the_run_and_only_for_values():
    from automorph.training import task_identity

    plain, huber = task_of(), task_of({"loss": "huber"})
    assert "loss" not in task_identity(plain)["recipe"]
    assert task_identity(huber)["recipe"]["loss"] == "huber"
    assert huber.target.huber
    assert train(huber, "none", progress=False).loss != train(plain, "none", progress=False).loss
    with pytest.raises(UsageError, match=r"loss='huber'.*'classes'"):
        as_task("digits", model="cnn:4", limit=100, recipe={"loss": "huber"})
    with pytest.raises(UsageError, match=r"balance='sampler'.*'values'"):
        task_of({"balance": "sampler"})


def test_a_head_on_frozen_features_is_fitted_by_the_squared_loss():
    from automorph.training.linear_head import Features, fit_head

    features = torch.randn(200, 5)
    labels = features @ torch.tensor([[1.0], [0.5], [0.0], [-1.0], [2.0]])
    labels = (labels - labels.mean()) / labels.std(correction=0)
    rows = Features(features, labels, torch.ones(200))
    head = fit_head(rows, Values((0.0,), (1.0,)), rows)
    assert float((head(features) - labels).square().mean()) < 1e-3
