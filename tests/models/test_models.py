"""The networks: published sizes, valid shapes, invalid names."""

from __future__ import annotations

import pytest
import torch

from automorph.errors import UsageError
from automorph.models import build_model, build_text_model, list_models
from automorph.training import multiply_adds


def weights(name: str, *, classes: int = 10) -> int:
    model = build_model(name, channels=3, classes=classes, size=32)
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("wrn-16-2", 0.7),
        ("wrn-40-2", 2.2),
        ("wrn-28-10", 36.5),
        ("wrn-40-4", 8.9),
        ("wrn-16-8", 11.0),
        ("resnet18", 11.2),
        ("resnet9", 6.6),
        ("shake-shake-26-2x32d", 2.9),
        ("shake-shake-26-2x64d", 11.7),
        ("shake-shake-26-2x96d", 26.2),
        ("pyramidnet-272-200", 26.0),
        ("pyramidnet-236-220", 26.8),
        ("pyramidnet-200-240", 26.6),
    ],
)
def test_the_number_of_weights_is_the_published_one(name, published):
    assert weights(name) / 1e6 == pytest.approx(published, abs=0.05)


@pytest.mark.parametrize(
    "name", ["cnn", "cnn:4", "resnet9:4", "wrn-10-1", "shake-shake-26-2x2d", "pyramidnet-11-4"]
)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [8, 13, 28, (10, 20)])
def test_every_shape_gives_logits_and_gradients(name, channels, size):
    height, width = (size, size) if isinstance(size, int) else size
    model = build_model(name, channels=channels, classes=7, size=size)

    logits = model(torch.rand(3, channels, height, width))
    logits.sum().backward()

    assert logits.shape == (3, 7)
    assert all(p.grad is not None for p in model.parameters())


def test_the_width_scales_the_network():
    assert weights("resnet9:64") == weights("resnet9")
    assert weights("cnn:32") > 3 * weights("cnn:16") > 9 * weights("cnn:8")


def test_every_listed_name_but_the_pattern_can_be_built():
    names = [name for name in list_models() if not name.endswith(":NAME")]
    texts = [name for name in names if list_models()[name].startswith("texts")]

    assert all(weights(name, classes=2) > 0 for name in names if name not in texts)
    assert len(texts) == 3
    for name in texts:
        assert build_text_model(name, inputs=9, classes=2)(torch.ones(1, 4).long()).shape == (1, 2)


def test_weights_are_drawn_from_torchs_generator():
    def first():
        torch.manual_seed(3)
        return next(build_model("cnn", channels=1, classes=2, size=8).parameters())

    with torch.random.fork_rng():
        assert torch.equal(first(), first())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet", "Did you mean 'resnet9'"),
        ("cnnn", "Did you mean 'cnn'"),
        ("wrn-28", "Did you mean 'wrn-28-10'"),
        ("wrn-27-2", r"6n \+ 4"),
        ("pyramidnet-100-84", r"9n \+ 2"),
        ("shake-shake-26", "Did you mean 'shake-shake-26-2x96d'"),
        ("cnn:0", "unknown model"),
        ("zzz", "Expected one of cnn, resnet9.*automorph list models"),
        ("", "unknown model"),
        ("text-cnn", "is for texts, but the data are images; expected one of cnn"),
    ],
)
def test_unknown_names_are_refused_with_a_hint(name, words):
    with pytest.raises(UsageError, match=words):
        build_model(name, channels=3, classes=10, size=32)


@pytest.mark.parametrize(("channels", "classes", "size"), [(0, 2, 8), (1, 0, 8), (1, 2, (8, 0))])
def test_impossible_shapes_are_refused(channels, classes, size):
    with pytest.raises(UsageError, match="expected positive numbers"):
        build_model("cnn", channels=channels, classes=classes, size=size)


@pytest.mark.parametrize(("name", "side"), [("resnet9:16/2", 64), ("resnet9:16/4", 128)])
def test_a_stem_with_a_stride_costs_at_larger_sides_what_32_pixels_cost(name, side):
    def price(model, side):
        network = build_model(model, channels=3, classes=10, size=(side, side))
        return multiply_adds(network, torch.zeros(1, 3, side, side))

    assert price(name, side) == pytest.approx(price("resnet9:16", 32), rel=0.15)
    assert price("resnet9:16", side) > 3 * price(name, side)


def test_an_unknown_stride_is_refused():
    with pytest.raises(UsageError, match="resnet9"):
        build_model("resnet9:16/3", channels=3, classes=10, size=(64, 64))
