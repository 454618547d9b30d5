"""Trainings on masks: the same batches for any workers, resumed runs, and what is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from automorph.data import from_arrays, split
from automorph.errors import UsageError
from automorph.experiments import compare
from automorph.training import Augmenter, as_task, evaluate, load_trained, train
from automorph.training.augmenter import PolicyAugmenter
from automorph.training.device import Machine
from automorph.training.loader import Loader

torch.set_num_threads(1)


def discs(n=60, side=16, seed=0):
    """Bright discs on noise, with a darker core: three classes."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    centres = random.uniform(5, side - 5, (n, 2))
    away = np.hypot(y - centres[:, :1, None], x - centres[:, 1:, None])
    masks = (away < 5).astype(np.uint8) + (away < 2.5)
    level = np.array([60, 200, 120])[masks] + random.normal(0, 25, masks.shape)
    images = np.clip(level, 0, 255).astype(np.uint8)
    return images[..., None].repeat(3, 3), masks


@pytest.fixture(scope="module")
def task():
    data = split(from_arrays(*discs(), target="masks"))
    return as_task(data, model="unet:4", recipe={"epochs": 3, "batch_size": 8})


def batches(task, policy, *, workers=0, seed=1):
    machine = Machine(torch.device("cpu"))
    loader = Loader(task, PolicyAugmenter(policy), seed, machine, workers=workers)
    return list(loader.epoch(2, task.build(0)))


def test_batches_are_the_same_for_any_number_of_workers(task):
    one, other = (batches(task, "flip-crop + trivialaugment", workers=w) for w in (0, 3))
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.inputs, b.inputs)
        assert torch.equal(a.labels, b.labels)
        assert a.labels.dtype == torch.uint8


def test_images_in_a_batch_are_those_of_the_policy_and_masks_move_with_them(task):
    from automorph.policies import follow

    policy = "flip-crop + trivialaugment"
    (first, *_) = batches(task, policy)
    part = task.data.train
    alone = follow(
        policy, part.data[first.index], masks=part.annotations[first.index], seed=1, epoch=2,
        index=first.index, ignore=255,
    )  # fmt: skip
    np.testing.assert_array_equal(first.labels.numpy(), alone.masks)
    assert torch.equal(first.inputs, task.encoder(alone.images))


def test_a_network_learns_masks_and_resumes_to_the_bit(task, tmp_path):
    whole = train(task, "flip", seed=0, folder=tmp_path / "a", progress=False)
    train(task, "flip", seed=0, folder=tmp_path / "b", progress=False, stop_epoch=1)
    resumed = train(task, "flip", seed=0, folder=tmp_path / "b", progress=False)
    assert whole.metrics == resumed.metrics
    assert whole.metrics["test"]["mean-iou"] > 0.25
    np.testing.assert_array_equal(whole.predictions["test"], resumed.predictions["test"])
    assert whole.predictions["test"].dtype == np.uint8
    again = train(task, "flip", seed=0, folder=tmp_path / "a", progress=False)
    np.testing.assert_array_equal(again.predictions["test"], whole.predictions["test"])
    assert (tmp_path / "a" / "result.json").stat().st_size < 20_000
    kept = load_trained(tmp_path / "a")
    part = task.data.validation
    seen = evaluate(kept.model, part, encoder=kept.encoder, target=task.target)
    np.testing.assert_array_equal(seen.predictions, whole.predictions["validation"])


def test_an_evaluation_does_not_depend_on_how_many_images_it_sees_at_once(task, monkeypatch):
    network = task.build(0)
    parts = []
    for pixels in (16 * 16, 1 << 20):
        monkeypatch.setattr("automorph.training.evaluation.AT_ONCE_PIXELS", pixels)
        parts.append(evaluate(network, task.data.train, encoder=task.encoder, target=task.target))
    np.testing.assert_allclose(parts[0].losses, parts[1].losses, rtol=1e-4)
    logits, labels = parts[0].sample
    assert logits.shape == (len(labels), 3, *labels.shape[1:])


def test_policies_are_compared_on_masks(task, tmp_path):
    found = compare(task, ["none", "flip"], seeds=1, folder=tmp_path, engine="local")
    assert found.metric.name == "mean IoU"
    assert found["flip"].difference.low <= found["flip"].difference.high
    assert found.predictions["flip"].shape == (1, *task.data.test.annotations.shape)
    again = compare(task, ["none", "flip"], seeds=1, folder=tmp_path, engine="local")
    assert (again.trained, again.rows) == (0, found.rows)


@pytest.mark.parametrize("policy", ["mixup", "cutmix", "augmix", "crop + mixup"])
def test_policies_that_blend_images_are_refused_by_name(policy, task):
    for call in (lambda: train(task, policy), lambda: compare(task, ["none", policy], seeds=1)):
        with pytest.raises(UsageError, match=r"cannot be blended|cannot transform boxes, masks"):
            call()


def test_methods_that_need_classes_are_refused_by_name(task):
    from automorph.augmenters import as_treatment

    with pytest.raises(UsageError, match=r"training method for classes.*, but .* have masks"):
        train(task, as_treatment("adversarial"))

    class Own(Augmenter):
        def __call__(self, raw, model):
            return raw.batch()

    with pytest.raises(UsageError, match="Own is a training method for classes"):
        train(task, Own())
    Own.targets = ("classes", "masks")
    train(task.with_recipe(epochs=1), Own(), progress=False)


def test_networks_for_one_class_are_refused():
    data = split(from_arrays(*discs(), target="masks"))
    with pytest.raises(UsageError, match=r"'cnn' predicts one class for each example.*unet"):
        as_task(data, model="cnn")
    with pytest.raises(UsageError, match="'unet' predicts a class for each pixel"):
        as_task("digits", model="unet")
    with pytest.raises(
        UsageError, match=r"Expected logits \(n, classes, H, W\), here float \(2, 3, 16"
    ):
        as_task(data, model=lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 3)))
    own = as_task(data, model=lambda: nn.Conv2d(3, 3, 1), recipe={"epochs": 1})
    assert train(own, "flip", progress=False).metrics["test"]["mean-iou"] >= 0


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (8, 40)])
@pytest.mark.parametrize("name", ["unet:4", "unet:4/2", "unet:4/4"])
def test_a_u_net_answers_every_pixel_of_images_of_any_size(name, size):
    from automorph.models import build_model

    network = build_model(name, channels=1, classes=5, size=size).eval()
    assert network(torch.zeros(2, 1, *size)).shape == (2, 5, *size)
