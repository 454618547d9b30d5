"""Pipelines of many kinds: read exactly, with a note, or refused with advice, and drawn alike."""

from __future__ import annotations

import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import torch
from gathered_pipelines import GATHERED
from peer_draws import FEATURES, draws_of, features_of
from peer_images import photos
from peer_pipelines import MEAN, PIPELINES, SIDE, STD
from PIL import Image
from torchvision import transforms as v1
from torchvision.transforms import v2

from automorph.errors import PolicyError
from automorph.interop import (
    PEERS,
    DifferenceWarning,
    convert_policy,
    export_policy,
    import_policy,
)
from automorph.interop.fidelity import VERSIONS
from automorph.interop.ir import NotExpressibleError, terms_of
from automorph.policies import Policy, load_policy, policy_from_dict, policy_to_dict

COUNT = 120


def built(name: str) -> Any:
    """Build a pipeline; skip what the environment does not have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return (PIPELINES | GATHERED)[name][1]()
        except ImportError as error:
            pytest.skip(f"{name}: {error}")


def read(transform: Any) -> tuple[Policy, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        policy = import_policy(transform)
    found = [one.message for one in caught if issubclass(one.category, DifferenceWarning)]
    return policy, [line for one in found for line in one.notes]


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_are_read_or_refused(name):
    transform, expected = built(name), PIPELINES[name][0]
    if expected == "refused":
        with pytest.raises(NotExpressibleError, match="Use the policy") as caught:
            import_policy(transform)
        load_policy(str(caught.value).split("Use the policy '")[1].split("'")[0])
        return
    check(transform, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", GATHERED)
def test_pipelines_that_nobody_had_in_mind_are_read_or_refused(name):
    transform, expected = built(name), GATHERED[name][0]
    if expected == "refused":
        with pytest.raises(NotExpressibleError, match="leave the step out and apply it separately"):
            import_policy(transform)
        return
    check(transform, expected)


def test_at_least_fifteen_of_twenty_gathered_pipelines_are_read():
    read_ones = [expected for expected, _ in GATHERED.values() if expected != "refused"]
    assert len(read_ones) / len(GATHERED) >= 0.75


def check(transform: Any, expected: str) -> None:
    """Read a pipeline, and compare its draws and its notes."""
    policy, notes = read(transform)
    assert expected == ("note" if notes else "exact"), notes
    assert policy_from_dict(policy_to_dict(policy)) == policy
    compare(transform, policy)


def compare(transform: Any, policy: Policy) -> None:
    """Compare what a library and a policy draw of one image, feature by feature."""
    image = photos(12, SIDE, SIDE)[4]
    theirs = features_of(draws_of(transform, image, COUNT))
    ours = features_of(policy.augment(np.stack([image] * COUNT), seed=1))
    apart = ours.mean(0) - theirs.mean(0)
    error = np.sqrt((ours.var(0) + theirs.var(0)) / COUNT)
    # Libraries blend the outermost pixels with the fill, which is four levels at 32 pixels.
    allowed = np.maximum(4.5 * error, np.maximum(4.0, 0.03 * np.abs(theirs.mean(0))))
    wrong = np.flatnonzero(np.abs(apart) > allowed)
    assert not len(wrong), [
        f"{FEATURES[k]}: {theirs[:, k].mean():.1f}, read as {ours[:, k].mean():.1f}" for k in wrong
    ]


def test_resized_crops_show_as_much_as_those_of_torchvision():
    transform = v2.RandomResizedCrop(64)
    policy, _ = read(transform)
    ramp = np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).astype(np.uint8)
    images = np.stack([np.dstack([ramp, ramp[..., :1]])] * 4000)
    ends = policy.augment(images, seed=0)[..., :2].reshape(4000, -1, 2).astype(int)
    sides = ends.max(1) - ends.min(1) + 1
    torch.manual_seed(0)
    drawn = [transform.make_params([torch.zeros(3, 64, 64)]) for _ in range(4000)]
    theirs = np.mean([one["height"] * one["width"] for one in drawn])
    assert (sides[:, 0] * sides[:, 1]).mean() == pytest.approx(theirs, abs=0.012 * 64**2)


def test_translations_are_drawn_along_x_then_y():
    policy, notes = read(v2.RandomAffine(0, translate=(0.1, 0.2)))
    acts = [act for draw in terms_of(policy) for (act,) in draw.options]
    assert [(act.kernel, act.stretches) for act in acts] == [
        ("TranslateX", ((-0.1, 0.1),)), ("TranslateY", ((-0.2, 0.2),)),
    ]  # fmt: skip
    assert notes == []


@pytest.mark.parametrize("text", ["rand-m9-mstd0.5-inc1", "rand-m7", "augmix-m5-w4-d2"])
def test_timm_strings_become_transforms_of_timm(text):
    pytest.importorskip("timm", reason="automorph[timm] is not installed")
    transform = convert_policy(text, "timm")
    image = Image.fromarray(photos(12, SIDE, SIDE)[4])
    assert transform(image).size == image.size
    policy, _ = read(transform)
    assert policy.name == load_policy(text).name


@pytest.mark.parametrize("library", PEERS[:-1])
def test_an_imported_crop_is_not_exported_but_advised_on(library):
    policy, _ = read(v2.RandomResizedCrop(SIDE))
    with pytest.raises(PolicyError, match="or use the policy 'resized-crop'"):
        export_policy(policy, library, size=SIDE)


def test_the_fidelity_table_holds_for_the_installed_versions():
    assert {name: version(name) for name in VERSIONS} == VERSIONS


def test_at_least_thirty_of_the_pipelines_are_read():
    assert len(PIPELINES) == 36
    assert sum(expected != "refused" for expected, _ in PIPELINES.values()) >= 30


def test_what_comes_in_after_a_normalisation_is_the_mean_colour():
    after = v2.Compose([
        v1.ToTensor(), v1.Normalize(MEAN, STD), v1.RandomHorizontalFlip(), v1.RandomRotation(45),
        v1.RandomApply([v1.RandomAffine(0, translate=(0.3, 0.3))]),
    ])  # fmt: skip
    policy, notes = read(after)
    fills = {
        draw.fill for draw in terms_of(policy) if draw.options[0][0].kernel != "HorizontalFlip"
    }
    assert fills == {(124, 116, 104)}
    assert not [line for line in notes if "normalisation" in line]
    compare(after, policy)


def test_colours_after_a_normalisation_are_noted():
    after = v2.Compose(
        [v1.ToTensor(), v1.Normalize(MEAN, STD), v2.ColorJitter(0.4), v2.RandAugment()]
    )
    _, notes = read(after)
    assert [line.split(" comes")[0] for line in notes if "after a normalisation" in line] == [
        "ColorJitter", "RandAugment",
    ]  # fmt: skip
