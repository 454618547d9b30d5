"""A policy as a layer of a model."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from loader_data import pixels
from torch import nn

from automorph.errors import DataError, UsageError
from automorph.integrations import OnDevice
from automorph.operations import Stream
from automorph.policies import load_policy

POLICY = "flip-crop + randaugment(n=2,m=9) + cutout(4)"
IMAGES = torch.from_numpy(pixels(12)).permute(0, 3, 1, 2).contiguous()
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.mark.filterwarnings("ignore:an example was augmented")
@pytest.mark.parametrize("device", DEVICES)
def test_a_batch_is_what_the_policy_makes_of_it(device: str) -> None:
    layer = OnDevice(POLICY, seed=3)
    layer.set_epoch(2)
    index = np.arange(12)[::-1]
    expected = load_policy(POLICY).augment(pixels(12), seed=3, epoch=2, index=index)
    for given in (index, torch.from_numpy(index.copy()), index.tolist()):
        out = layer(IMAGES.to(device), index=given)
        assert out.device.type == device
        np.testing.assert_array_equal(out.cpu().permute(0, 2, 3, 1), expected)
    floats = layer(IMAGES.to(device).float() / 255, index=index)
    assert floats.dtype == torch.float32
    np.testing.assert_array_equal((floats * 255).round().cpu().permute(0, 2, 3, 1), expected)


@pytest.mark.parametrize("policy", [POLICY, "augmix", "randaugment + mixup", "cutmix"])
def test_nothing_waits_for_the_device(policy: str) -> None:
    """Tensors without storage: reading a value from them fails."""
    labels = torch.empty(12, dtype=torch.int64, device="meta")
    images, soft = OnDevice(policy, classes=3)(IMAGES.to("meta"), labels)
    assert images.shape == IMAGES.shape
    assert soft.shape[0] == 12


@pytest.mark.parametrize("device", DEVICES)
def test_normalised_images_are_refused(device: str) -> None:
    floats = IMAGES.to(device) / 255
    layer = OnDevice("randaugment")
    with pytest.raises(DataError, match=r"got floats from .* augment before Normalize"):
        layer((floats - 0.5) / 0.25)
    layer(floats)
    if device == "cpu":
        with pytest.raises(DataError, match="got floats with NaN"):
            layer(floats * torch.nan)


def test_an_accelerator_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from automorph.integrations import layer

    looked: list[str] = []
    monkeypatch.setattr(layer, "check_floats", lambda images: looked.append("once"))
    monkeypatch.setattr(layer, "_SEEN_ELSEWHERE", ())
    layer = OnDevice("randaugment")
    layer(IMAGES), layer(IMAGES), layer.eval()(IMAGES)
    OnDevice("mixup", classes=3)(IMAGES, torch.zeros(12, dtype=torch.int64))
    assert looked == ["once"]


def test_evaluation_changes_nothing() -> None:
    labels = torch.arange(12)
    layer = OnDevice("randaugment + mixup", classes=12).eval()
    assert layer(IMAGES) is IMAGES
    images, same = layer(IMAGES, labels)
    assert images is IMAGES
    assert same is labels


def test_examples_are_counted_as_they_come() -> None:
    layer = OnDevice(POLICY, seed=1)
    first, second = layer(IMAGES), layer(IMAGES)
    assert not torch.equal(first, second)
    assert torch.equal(second, layer(IMAGES, index=np.arange(12, 24)))
    layer.set_epoch(0)
    assert torch.equal(layer(IMAGES), first)
    layer.set_epoch(1)
    assert not torch.equal(layer(IMAGES), first)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("policy", ["randaugment + mixup(alpha=0.4)", "cutmix"])
def test_labels_are_mixed_alike(policy: str, device: str) -> None:
    layer = OnDevice(policy, seed=4, classes=5)
    numbers = np.arange(12)
    hard = torch.from_numpy(numbers % 5).to(device)
    images, soft = layer(IMAGES.to(device), hard, index=numbers)
    expected, labels = load_policy(policy).augment(
        pixels(12), labels=np.eye(5)[numbers % 5], seed=4
    )
    np.testing.assert_array_equal(images.cpu().permute(0, 2, 3, 1), expected)
    np.testing.assert_array_equal(soft.cpu(), labels)
    again = layer(IMAGES.to(device), torch.eye(5).to(device)[hard], index=numbers)
    assert torch.equal(again[1], soft)
    with pytest.raises(UsageError, match="call the layer with images and labels"):
        layer(IMAGES)
    with pytest.raises(UsageError, match="classes=None"):
        OnDevice(policy)(IMAGES, hard.cpu())


def test_labels_that_are_not_mixed_stay_as_they_are() -> None:
    labels = torch.arange(12)
    images, same = OnDevice("randaugment")(IMAGES, labels)
    assert same is labels
    assert images.shape == IMAGES.shape


def test_it_is_a_layer_like_others() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.augment = OnDevice("randaugment", seed=2)
            self.body = nn.Conv2d(3, 2, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.body(self.augment(images).float() / 255).mean((2, 3))

    net = Net()
    assert set(net.state_dict()) == {"body.weight", "body.bias"}
    assert "'randaugment(n=2,m=9)', seed=2" in repr(net)
    twin = copy.deepcopy(net)
    net(IMAGES).sum().backward()
    assert net.body.weight.grad is not None
    assert torch.equal(net.eval()(IMAGES), twin.eval()(IMAGES))


def test_processes_of_one_training_count_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from automorph.integrations import layer

    shown = []
    for rank in (0, 1):
        monkeypatch.setattr(layer.distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(layer.distributed, "get_world_size", lambda: 2)
        monkeypatch.setattr(layer.distributed, "get_rank", lambda rank=rank: rank)
        module = OnDevice("randaugment")
        shown += [*module._numbers(3), *module._numbers(4)]
    assert sorted(shown) == list(range(14))


def test_the_same_numbers_as_a_stream() -> None:
    policy = load_policy("randaugment")
    stream = Stream(seed=7, epoch=3, index=np.arange(12))
    layer = OnDevice(policy, seed=7)
    layer.set_epoch(3)
    assert torch.equal(layer(IMAGES), policy.transform(IMAGES, stream))


class _Floats(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).float() / 255


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_it_may_stand_in_a_compiled_model(backend: str) -> None:
    """Drawing stays outside the graph; the rest is compiled once."""
    torch._dynamo.reset()
    layer = OnDevice(POLICY, seed=1)
    model = nn.Sequential(layer, _Floats(), nn.Linear(IMAGES[0].numel(), 3))
    compiled = torch.compile(model, backend=backend)
    for epoch in range(3):
        results = []
        for run in (model, compiled):
            layer.set_epoch(epoch)
            first, second = run(IMAGES), run(IMAGES)
            assert not torch.allclose(first, second)
            results.append(torch.cat([first, second]))
        torch.testing.assert_close(*results)
    compiled.eval()
    torch.testing.assert_close(compiled(IMAGES), model[2](_Floats()(IMAGES)))
    compiled.train()
    with pytest.raises(DataError, match="got floats from"):
        compiled(IMAGES.float())
    compiled(IMAGES).sum().backward()
    assert model[2].weight.grad is not None
