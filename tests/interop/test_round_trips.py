"""Policies exported to other libraries and imported again keep their meaning."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from peer_images import LIBRARIES, held, values_of

from automorph.errors import PolicyError
from automorph.interop import FIDELITY, convert_policy, import_policy
from automorph.interop.ir import Act, Draw, does_nothing, terms_of, without_levels
from automorph.operations import CATALOGUE, OPERATIONS, SearchSpace, named_space
from automorph.policies import Chain, Mixture, Policy, Step, Uniform, load_policy

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
pytest.importorskip("albumentations", reason="automorph[albumentations] is not installed")
pytest.importorskip("kornia", reason="automorph[kornia] is not installed")

# Sizes and ranges that a library cannot express are tested as errors in test_exports.py.
POINTS_ONLY = ("PadCrop", "ResizedCrop", "Erosion", "Dilation", "Noise", "Cutout", "RandomErasing",
               "Sharpness", "Posterize")  # fmt: skip
shares = st.sampled_from((0.1, 0.25, 0.5, 0.8, 1.0))


def expressible(library: str) -> list[str]:
    # Erased rectangles are read as the library draws them, which is another operation.
    others = () if library == "torchvision" else ("RandomErasing",)
    return [o.name for o in CATALOGUE
            if FIDELITY[library][o.name].level != "none"
            and o.name not in ("ResizedCrop", *others)]  # fmt: skip


@st.composite
def mixtures(draw: st.DrawFn, library: str) -> Policy:
    names = draw(st.lists(st.sampled_from(expressible(library)), min_size=1, max_size=4,
                          unique=True))  # fmt: skip
    space = SearchSpace("drawn", tuple(OPERATIONS[name] for name in names))
    steps = st.builds(Step, st.sampled_from(names), shares, shares)
    subpolicies = draw(
        st.lists(st.lists(steps, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4)
    )
    # Equal options are indistinguishable.
    subpolicies = list(dict.fromkeys(subpolicies))
    weights = draw(st.one_of(st.none(), st.just(tuple(float(i + 1) for i in range(9)))))
    return Mixture(
        label="drawn", operations=space, subpolicies=tuple(subpolicies),
        weights=None if weights is None else weights[: len(subpolicies)],
        interpolation=draw(st.sampled_from(("nearest", "bilinear"))),
        fill=0 if library == "kornia" else draw(st.sampled_from((0, 128))),
    )  # fmt: skip


@st.composite
def uniforms(draw: st.DrawFn, library: str) -> Policy:
    low = draw(st.sampled_from((0.0, 0.25, 0.5)))
    high = draw(st.sampled_from((0.5, 0.75, 1.0)))
    names = [n for n in expressible(library) if low == high or n not in POINTS_ONLY]
    chosen = draw(st.lists(st.sampled_from(names), min_size=2, max_size=5, unique=True))
    return Uniform(
        operations=SearchSpace("drawn", tuple(OPERATIONS[name] for name in chosen)),
        length=draw(st.integers(1, 3)), low=min(low, high), high=high, probability=draw(shares),
        levels=draw(st.sampled_from((0, 0, 5))) if library == "torchvision" else 0,
    )  # fmt: skip


def random_policies(library: str) -> st.SearchStrategy[Policy]:
    single = st.one_of(mixtures(library), uniforms(library))
    chains = st.lists(single, min_size=2, max_size=3).map(lambda s: Chain(stages=tuple(s)))
    return st.one_of(single, single, chains)


def settled(draws: tuple[Draw, ...]) -> tuple[Draw, ...]:
    """Normalise terms so that they are equal if images are: drop no-ops, merge fixed pipelines."""
    out: list[Draw] = []
    for draw in draws:
        options = tuple(
            tuple(act for act in option if not does_nothing(act)) for option in draw.options
        )
        if len(options) == 1:
            out += [replace(draw, options=((act,),), weights=(1.0,)) for act in options[0]]
        elif any(options):
            out.append(replace(draw, options=options))
    return tuple(out)


def said(draws: tuple[Draw, ...], library: str) -> list[object]:
    """The normalised terms as comparable numbers and strings."""

    def act(a: Act) -> tuple[object, ...]:
        stretches = tuple(sorted(a.stretches))
        if library != "torchvision" and a.kernel == "Posterize":
            stretches = tuple((float(round(x)), float(round(y))) for x, y in stretches)
        if library != "torchvision" and a.kernel == "Solarize":
            stretches = tuple((min(x, 255.0), min(y, 255.0)) for x, y in stretches)
        return (a.kernel, a.operation.unit, *itertools.chain(*stretches), a.probability, a.levels)

    out: list[object] = []
    for d in settled(draws):
        options = sorted(
            ((tuple(act(a) for a in option), weight)
             for option, weight in zip(d.options, d.weights, strict=True)), key=repr,
        )  # fmt: skip
        # Operations that do not move the image have no fill colour.
        moves = any(o.startswith(("Shear", "Translate", "Rotate", "PadCrop"))
                    for option, _ in options for o, *_ in option)  # fmt: skip
        out.append((options, (d.fill, d.interpolation) if moves else None))
    return out


def same(first: object, second: object) -> bool:
    if isinstance(first, float) or isinstance(second, float):
        return math.isclose(float(first), float(second), rel_tol=2e-4, abs_tol=2e-4)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


# Shrinking takes minutes and a smaller failing policy shows nothing more.
THOROUGH = settings(deadline=None, derandomize=True, database=None,
                    phases=(Phase.explicit, Phase.generate))  # fmt: skip


def check(policy: Policy, library: str) -> None:
    again = import_policy(convert_policy(policy, library))
    terms = terms_of(policy)
    expected = terms if library == "torchvision" else without_levels(terms)[0]
    assert same(said(expected, library), said(terms_of(again), library)), (
        policy.table(), said(expected, library), said(terms_of(again), library),
    )  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_operation_comes_back(library):
    for name in expressible(library):
        for value in values_of(OPERATIONS[name])[::2]:
            check(held(name, value), library)


@pytest.mark.parametrize("library", LIBRARIES)
def test_two_strengths_to_both_sides_come_back(library):
    space = SearchSpace("drawn", (OPERATIONS["ShearX"],))
    subpolicies = tuple((Step("ShearX", 1.0, magnitude),) for magnitude in (0.8, 1.0))
    check(Mixture(label="drawn", operations=space, subpolicies=subpolicies), library)


@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("library", LIBRARIES)
def test_random_policies_come_back(library, count):
    @settings(THOROUGH, max_examples=count)
    @given(random_policies(library))
    def check_one(policy):
        check(policy, library)

    check_one()


@pytest.mark.parametrize("name", ["randaugment(n=2,m=9)", "randaugment(n=3,m=5,fill=128)",
                                  "trivialaugment-wide", "autoaugment:imagenet", "none",
                                  "trivialaugment-wide(interpolation=bilinear)"])  # fmt: skip
def test_torchvisions_own_classes_are_the_named_policies(name):
    transform = convert_policy(name, "torchvision")
    assert type(transform).__name__ in ("RandAugment", "TrivialAugmentWide", "AutoAugment",
                                        "Identity")  # fmt: skip
    assert same(said(terms_of(import_policy(transform)), "torchvision"),
                said(terms_of(load_policy(name)), "torchvision"))  # fmt: skip


@pytest.mark.parametrize("name", ["rand-m9-mstd0.5-inc1", "rand-m5-n3-p0.7", "rand-m7-mstd101",
                                  "augmix-m3-w3-d2"])  # fmt: skip
def test_timm_strings_are_names(name):
    from automorph.interop import export_policy

    assert load_policy(export_policy(name, "timm")) == load_policy(name)


def test_what_others_wrote_is_read():
    """Read the pipelines of the libraries' own introductions."""
    import albumentations as A  # noqa: N812
    import cv2
    import kornia.augmentation as K  # noqa: N812
    import torch
    from torchvision import transforms as v1
    from torchvision.transforms import v2

    usual = v2.Compose([
        v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip(), v2.RandAugment(2, 9), v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.5,), (0.5,)),
    ])  # fmt: skip
    flip_crop = load_policy("flip-crop + randaugment(n=2,m=9)")
    assert same(said(terms_of(import_policy(usual)), "torchvision"),
                said(terms_of(flip_crop), "torchvision"))  # fmt: skip
    old = v1.Compose([v1.ColorJitter(0.4, 0.4, 0.4), v1.RandomRotation(15), v1.ToTensor()])
    assert [t.options[0][0].kernel for t in terms_of(import_policy(old))] == [
        "Brightness", "Contrast", "Color", "Rotate",
    ]  # fmt: skip
    theirs = A.Compose([
        A.HorizontalFlip(p=0.5), A.Rotate(limit=20, interpolation=cv2.INTER_LINEAR, p=0.3),
        A.OneOf([A.Equalize(p=0.2), A.Solarize(threshold_range=(0.5, 0.5), p=0.6)], p=0.5),
        A.Normalize(),
    ])  # fmt: skip
    read = terms_of(import_policy(theirs))
    assert [[o[0].kernel for o in t.options if o] for t in read] == [
        ["HorizontalFlip"], ["Rotate"], ["Equalize", "Solarize"],
    ]  # fmt: skip
    np.testing.assert_allclose(read[2].weights, (0.125, 0.375, 0.5))
    module = K.AugmentationSequential(
        K.RandomHorizontalFlip(p=0.5), K.RandomRotation(15.0, p=0.4),
        K.ColorJitter(0.2, 0.2, p=1.0), K.Normalize(torch.zeros(3), torch.ones(3)),
    )  # fmt: skip
    kernels = [t.options[0][0].kernel for t in terms_of(import_policy(module))]
    assert kernels == ["HorizontalFlip", "Rotate", "Brightness", "Contrast"]


def test_what_is_no_operation_is_refused_by_name():
    import albumentations as A  # noqa: N812
    import kornia.augmentation as K  # noqa: N812
    from torchvision.transforms import v2

    for transform, name in (
        (v2.RandomZoomOut(), "RandomZoomOut"), (A.RandomFog(), "RandomFog"),
        (K.RandomThinPlateSpline(), "ThinPlateSpline"), (named_space("augmix"), "SearchSpace"),
    ):  # fmt: skip
        with pytest.raises(PolicyError, match=name):
            import_policy(transform)
