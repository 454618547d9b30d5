"""Augmenting batches: invariances, identities of the papers, tables, and errors that help."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_strategies import EVERY_NAME, TEXT_NAMES, policies

from automorph import engine
from automorph.errors import AutomorphError, DataError, UsageError
from automorph.operations import (
    SearchSpace,
    Sequences,
    Stream,
    find_operation,
    named_space,
    operation,
)
from automorph.policies import AugMix, Mixture, Step, Uniform, load_policy
from automorph.testing import check_policy

CUT_LENGTH = 14
"""Mean length that a box of 16 at a uniform centre covers of 32 pixels: 16 - 16^2 / (4 x 32)."""


def photos(n: int, channels: int = 3, height: int = 12, width: int = 10) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, height, width, channels), np.uint8)


def test_what_changes_nothing_returns_a_copy():
    images = photos(6)
    for name in ("none", "randaugment(n=0)", "composition(p=0)", "augmix(share=0)", "flip(p=0)"):
        out = load_policy(name).augment(images, seed=3)
        assert (out == images).all(), name
        assert out is not images
        assert not np.shares_memory(out, images)


@pytest.mark.parametrize("name", EVERY_NAME + TEXT_NAMES)
def test_policies_meet_their_contract(name):
    """Among it: any split and order of a batch gives the same images, and none is changed."""
    policy = load_policy(name)
    check_policy(policy, examples=photos(9) if policy.space.domain == "image" else None)


@settings(max_examples=60, deadline=None)
@given(policies, st.sampled_from([1, 3, 4]), st.integers(0, 4))
def test_any_policy_takes_any_image(policy, channels, n):
    """Shape and type are kept for grey, RGB and RGBA, also for an empty batch."""
    images = photos(n, channels, height=5, width=7)
    if channels != 3:  # Random colours have three levels.
        policy = policy.rendered(fill=7)
    out, soft = policy.augment(images, labels=np.eye(max(n, 1))[:n], seed=1)
    assert out.shape == images.shape
    assert out.dtype == np.uint8
    np.testing.assert_allclose(soft.sum(1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["randaugment", "flip-crop", "augmix", "random", "cutout"])
def test_copies_epochs_and_seeds_differ(name):
    images = np.repeat(photos(1), 30, axis=0)
    policy = load_policy(name)
    views = [
        policy.augment(images, **options)
        for options in ({}, {"copy": 1}, {"epoch": 1}, {"seed": 1}, {"index": np.arange(30) + 30})
    ]
    for i, view in enumerate(views):
        assert len({row.tobytes() for row in view}) > 5
        for other in views[:i]:
            assert (view != other).any()


def test_a_chain_is_its_stages_one_after_the_other():
    """Positions count over the whole chain: no stage repeats the numbers of another."""
    images = np.repeat(photos(1, height=32, width=32), 200, axis=0)
    chain = load_policy("cutout(8) + cutout(8)")
    twice = chain.augment(images)
    covered = (twice != images).any(3).mean((1, 2)) * 32**2
    assert covered.mean() > 90, "two squares at different places, not twice the same"
    first = load_policy("cutout(8)").augment(images)
    assert (twice[(first != images)] == 128).all(), "the first stage draws as if alone"
    # A stage in between that renders differently does not move the positions.
    apart = load_policy("cutout(8) + cutout(8,fill=9)").augment(images)
    assert ((apart != images).any(3) == (twice != images).any(3)).all()
    assert (apart[(twice != images) & (first == images)] == 9).all(), "the second paints in its own"


def test_two_augmix_stages_draw_apart():
    images = np.repeat(photos(1), 200, axis=0)
    space = SearchSpace("rotate", (find_operation("Rotate"),))
    stage = AugMix(operations=space, width=1, depth=1, share=1.0, severity=10, weakest=10)
    first = stage._view(Stream(index=np.arange(200)), 0)
    second = stage._view(Stream(index=np.arange(200), stage=1), 0)
    signs = [s.bits("op", 1)[:, 0] < 2**31 for s in (first, second)]
    assert abs(np.corrcoef(*signs)[0, 1]) < 0.3
    out = load_policy("augmix + augmix").augment(images)
    assert out.shape == images.shape


def test_augmix_of_one_chain_of_one_operation_is_that_operation():
    """k = 1, depth = 1, m = 1: policy-search.md, section 3.6."""
    policy = load_policy("augmix(width=1,depth=1,share=1)")
    images = photos(50)
    stream = Stream(seed=4, index=np.arange(50))
    view = policy._view(stream, 0)
    expected = engine.apply(
        images, policy.sample(stream), policy.space, view, interpolation="bilinear"
    )
    assert (policy.transform(images, stream) == expected).all()


def test_augmix_mixes_its_chains_by_the_weights():
    policy = load_policy("augmix(width=2,depth=2)")
    images, stream = photos(20), Stream(index=np.arange(20))
    weights, m = policy.weights(stream)
    chains = [
        engine.apply(
            images, policy._chain(view), policy.space, view, interpolation="bilinear"
        ).astype(float)
        for view in (policy._view(stream, 0), policy._view(stream, 1))
    ]
    mixed = sum(w[:, None, None, None] * chain for w, chain in zip(weights.T, chains, strict=True))
    m = m[:, None, None, None]
    expected = (1 - m) * images + m * mixed
    assert np.abs(policy.augment(images) - expected).max() <= 0.51


def test_cutout_16_of_32_pixels_erases_196_on_average():
    """Clipping at the border makes it less than 16^2 = 256: policy-search.md, section 3.6."""
    images = np.zeros((20_000, 32, 32, 1), np.uint8)
    out = load_policy("cutout(0.5)").augment(images)
    erased = (out == 128).sum((1, 2, 3))
    assert set(np.unique(out)) == {0, 128}
    assert erased.max() == 256
    assert abs(erased.mean() - CUT_LENGTH**2) < 4 * erased.std() / np.sqrt(len(images))


def test_cutout_by_pixels_is_cutout_by_share():
    images = np.zeros((100, 32, 40, 1), np.uint8)
    pixels, share = (load_policy(name).augment(images) for name in ("cutout(16)", "cutout(0.5)"))
    assert (pixels == share).all(), "half of 32 pixels is 16 pixels"


def test_fill_and_interpolation_are_used():
    images = photos(4, height=32, width=32)
    steps = ((Step("Rotate", 1.0, 1.0),),)
    policy = Mixture(label="turn", operations=named_space("randaugment"), subpolicies=steps)
    black, grey = policy.augment(images), policy.rendered(fill=200).augment(images)
    corner = black[:, 0, 0]
    assert (corner == 0).all()
    assert (grey[:, 0, 0] == 200).all()
    colours = policy.rendered(fill=(1, 2, 3)).augment(images)
    assert colours[0, 0, 0].tolist() == [1, 2, 3]
    assert (policy.rendered(interpolation="bilinear").augment(images) != black).any()


def test_vectors_are_augmented_too():
    points = np.zeros((5, 2))
    assert (load_policy("none").augment(points) == points).all()
    policy = Uniform(operations=named_space("disc-axes"), length=2)
    moved = policy.augment(points)
    assert moved.shape == points.shape
    assert np.isin(np.round(moved, 2), [0, 0.75, 1.5]).all()
    out, soft = load_policy("none + mixup").augment(points, labels=np.eye(5))
    assert out.shape == points.shape
    assert soft.shape == (5, 5)


def test_preview_shows_the_originals_and_then_draws():
    images = photos(3)
    strip = load_policy("flip-crop + trivialaugment + cutmix").preview(images, draws=4, seed=2)
    assert strip.shape == (3, 5, 12, 10, 3)
    assert (strip[:, 0] == images).all()
    assert len({strip[0, i].tobytes() for i in range(5)}) >= 4


def test_a_users_operation_that_fails_is_named():
    @operation(range=(0, 1), identity=0)
    def broken(image, value):
        raise RuntimeError("out of paint")

    policy = Uniform(operations=SearchSpace("mine", (broken,)), low=0.5)
    with pytest.raises(AutomorphError, match=r"'broken' on example 70 .*out of paint"):
        policy.augment(photos(1), index=[70])


@pytest.mark.parametrize("name", EVERY_NAME)
def test_tables_read_well(name):
    policy = load_policy(name)
    table = policy.table()
    assert table.rows
    assert table.caption.endswith(".")
    for row in table.rows:
        assert len(row) == len(table.columns)
        assert all(isinstance(cell, str) and cell == cell.strip() for cell in row)
        assert any(row)
        text = " ".join(row)
        assert not any(word in text for word in ("nan", "None", "Step(", "e-0", "np.")), row


IMAGES = photos(2)
WRONG = {
    "float": ({"examples": IMAGES / 255}, "expected uint8 images"),
    "channels first": (
        {"examples": np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))},
        "channels first? use `.transpose(0, 2, 3, 1)`",
    ),
    "two channels": ({"examples": IMAGES[..., :2]}, "1 (grey), 3 (RGB), 4 (RGBA)"),
    "one image": ({"examples": IMAGES[0]}, "add an axis"),
    "no pixels": ({"examples": IMAGES[:, :0]}, "at least one pixel"),
    "list": ({"examples": [IMAGES[0]]}, "got list; expected a NumPy array"),
    "tensor": ({"examples": torch.zeros(2, 5, 5, 3, dtype=torch.uint8)}, "; expected"),
    "number": ({"examples": 3}, "got int as examples; expected a batch"),
    "index": ({"index": [1]}, "got 2 examples and an index of shape (1,)"),
    "index float": ({"index": [0.5, 1.5]}, "expected one whole number per example"),
    "epoch": ({"epoch": -1}, "got epoch=-1; expected a whole number from 0"),
    "epoch float": ({"epoch": 1.0}, "got epoch=1.0"),
    "copy": ({"copy": 1 << 16}, "got copy=65536; expected a whole number from 0 to 65535"),
    "seed": ({"seed": "a"}, "got seed='a'; expected a whole number"),
    "threads": ({"threads": 0}, "got threads=0"),
    "hard labels": ({"labels": [0, 1]}, "expected soft labels of shape (n, classes)"),
    "labels of another batch": ({"labels": np.eye(3)}, "shape (3, 3) for 2 examples"),
    "text labels": ({"labels": ["cat", "dog"]}, "expected soft labels"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_say_what_was_expected(case):
    options, message = WRONG[case]
    with pytest.raises((DataError, UsageError)) as caught:
        load_policy("randaugment").augment(**{"examples": IMAGES, **options})
    assert message in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_policy_that_mixes_labels_needs_them():
    with pytest.raises(UsageError, match="mixes labels, but got none; pass labels="):
        load_policy("flip + mixup").augment(IMAGES)


def test_a_fill_colour_must_fit_the_channels():
    policy = load_policy("randaugment(fill=(1,2,3))")
    with pytest.raises(UsageError, match="for images with 1 channels"):
        policy.augment(photos(2, channels=1))


def test_numbers_of_the_random_stream_may_be_numpys():
    policy = load_policy("trivialaugment")
    options = {"seed": np.int64(3), "epoch": np.uint8(1), "copy": np.int32(2)}
    plain = {"seed": 3, "epoch": 1, "copy": 2}
    assert (policy.augment(IMAGES, **options) == policy.augment(IMAGES, **plain)).all()
    index = np.array([5, 6], np.uint64)
    assert (policy.augment(IMAGES, index=index) == policy.augment(IMAGES, index=[5, 6])).all()


def test_sequences_can_be_sampled_first_and_applied_later():
    policy, stream = load_policy("randaugment"), Stream(seed=1, index=np.arange(2))
    sequences = policy.sample(stream)
    assert isinstance(sequences, Sequences)
    out = engine.apply(IMAGES, sequences, policy.space, stream)
    assert (out == policy.augment(IMAGES, seed=1)).all()


@pytest.mark.parametrize("missing", [None, float("nan"), 7])
def test_missing_texts_are_refused_with_their_rows(missing: object) -> None:
    texts = ["a good film", missing, "a bad film"]
    for batch in (texts, tuple(texts), np.array(texts, object)):
        with pytest.raises(DataError, match=r"1 of 3 texts are missing or no strings \(rows 1"):
            load_policy("typos(p=0.3)").augment(batch, seed=0)
