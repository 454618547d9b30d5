"""timm strings against timm's own source."""

from __future__ import annotations

import numpy as np
import pytest
from timm.data import auto_augment as timm

from automorph.errors import PolicyError
from automorph.policies import load_policy
from automorph.policies.timm_spaces import augmix, increasing, plain

# Operations that have a different name in timm.
TIMM_NAMES = {"TranslateX": "TranslateXRel", "TranslateY": "TranslateYRel"}
GETS_STRONGER = ("Posterize", "Solarize", "Color", "Contrast", "Brightness", "Sharpness")
HPARAMS = {"translate_pct": 0.45}


def timm_name(name: str, stronger: bool) -> str:
    if stronger and name in GETS_STRONGER:
        return f"{name}Increasing"
    return TIMM_NAMES.get(name, name)


def ops_of(transform) -> dict[str, timm.AugmentOp]:
    return {op.name: op for op in transform.ops}


@pytest.mark.parametrize(
    ("space", "names"),
    [
        (plain(), timm._RAND_TRANSFORMS),
        (increasing(), timm._RAND_INCREASING_TRANSFORMS),
        (augmix(), timm._AUGMIX_TRANSFORMS),
    ],
    ids=["rand", "rand-inc1", "augmix"],
)
def test_operations_and_values_are_timms(space, names):
    stronger = space is not plain()
    assert {timm_name(name, stronger) for name in space.names} == set(names)
    for operation in space:
        to_arg = timm.LEVEL_TO_ARG[timm_name(operation.name, stronger)]
        if to_arg is None:
            assert operation.magnitude_free
            continue
        for magnitude in range(11):
            theirs = {abs(round(to_arg(magnitude, HPARAMS)[0], 9)) for _ in range(40)}
            ours = {abs(round(operation.values(magnitude / 10, s).item(), 9)) for s in (1, -1)}
            if operation.name == "Posterize":
                theirs = {max(1, *theirs)}
                if not stronger and magnitude in (4, 7):
                    theirs = {2, 3} & ours  # One bit more than timm: see timm_spaces.plain.
            if operation.name == "Solarize" and stronger:
                # timm rounds the threshold, we compare with the exact one: the same levels.
                ours = {int(np.ceil(round(value, 6))) for value in ours}
            assert ours == theirs, (operation.name, magnitude)


@pytest.mark.parametrize(
    "text",
    ["rand-m9-mstd0.5-inc1", "rand-m9", "rand-n3-p0.7", "rand-m5-mstd101", "rand-m10-n1-inc1"],
)
def test_rand_settings_are_timms(text):
    ours, theirs = load_policy(text), timm.rand_augment_transform(text, {})
    operation = theirs.ops[0]
    drawn = operation.magnitude_std == float("inf")
    assert ours.length == theirs.num_layers
    assert ours.probability == operation.prob
    assert ours.high == operation.magnitude / 10
    assert ours.low == (0 if drawn else operation.magnitude / 10)
    assert ours.spread == (0 if drawn else operation.magnitude_std / 10)
    assert len(ours.operations) == len(theirs.ops)
    assert ours.fill == timm._FILL[0]


@pytest.mark.parametrize("text", ["augmix-m3-w3-d2", "augmix-m5", "augmix-w4-a0.5", "augmix-d0"])
def test_augmix_settings_are_timms(text):
    ours, theirs = load_policy(text), timm.augment_and_mix_transform(text, {})
    assert ours.width == theirs.width
    assert ours.depth == max(theirs.depth, 0)
    assert ours.alpha == theirs.alpha
    assert ours.severity == theirs.ops[0].magnitude
    assert theirs.ops[0].magnitude_std == float("inf")
    assert ours.weakest == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rand-m9-z3", "has the part 'z3'; expected parts such as m9"),
        ("rand-m9-mstdinf", "has the part 'mstdinf'"),
        ("rand-m9-m8", "has m twice"),
        ("rand-m9.5", "timm takes whole numbers for m"),
        ("rand-m15", "expected a magnitude from 0 to 10"),
        ("rand-m15-mmax20", "leave mmax out"),
        ("rand-m9-tweights", "'weights', which is not supported"),
        ("rand-m9-p2", "expected a number from 0 to 1"),
        ("augmix-m3-b1", "(b), which is not supported"),
        ("augmix-m3-mstd1", "(mstd), which is not supported"),
        ("augmix-m11", "expected a magnitude from 0 to 10"),
        ("original-mstd0.5", "autoaugment:imagenet"),
        ("v0r", "autoaugment:imagenet"),
        ("rand-m9(n=3)", "only fill and interpolation go in brackets"),
        ("rand-m9:3", "only fill and interpolation go in brackets"),
    ],
)
def test_what_is_not_carried_over_is_refused(text, message):
    with pytest.raises(PolicyError) as caught:
        load_policy(text)
    assert message in str(caught.value)
