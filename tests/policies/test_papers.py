"""Settings of the papers and of their released code, by numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from automorph import load_policy, save_policy
from automorph.augmenters import as_treatment
from automorph.errors import PolicyError, UsageError
from automorph.operations import OPERATIONS, Operation, SearchSpace, Stream, named_space
from automorph.policies import AugMix, Mixture, Policy, Step, Uniform, chained
from automorph.searchers import load_method

DAUPHIN = (
    "AutoContrast", "Brightness", "Color", "Contrast", "Cutout", "Equalize", "Invert", "Mixup",
    "Posterize", "Rotate", "Sharpness", "ShearX", "ShearY", "Solarize", "TranslateX", "TranslateY",
)  # fmt: skip
GREY = np.full((200, 32, 32, 3), 200, np.uint8)
BLACK = np.zeros((60, 32, 32, 3), np.uint8)


def one(operation: Operation, magnitude: float, **rendering: Any) -> Policy:
    return Mixture(
        label="one", operations=SearchSpace("one", (operation,)),
        subpolicies=((Step(operation.name, 1.0, magnitude),),), **rendering,
    )  # fmt: skip


def bits_kept(images: Any) -> Any:
    """The bits that Posterize kept, from images of all levels."""
    levels = [len(np.unique(image)) for image in images]
    return np.log2(levels).astype(int)


RAMP = np.tile(np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), (4000, 1, 1, 1))


# Uncertainty sampling (Wu et al. 2020), senwu/dauphin.


def test_the_dauphin_space_is_that_of_the_released_code() -> None:
    assert named_space("dauphin").names == DAUPHIN


def test_posterize_keeps_three_bits_or_none() -> None:
    policy = Uniform(operations=SearchSpace("one", (named_space("dauphin")["Posterize"],)))
    kept = Counter(bits_kept(policy.augment(RAMP)).tolist())
    assert set(kept) == {0, 1, 2, 3}
    assert all(abs(count / len(RAMP) - 0.25) < 0.03 for count in kept.values())


def test_translations_reach_ten_of_32_pixels() -> None:
    image = BLACK.copy()
    image[:, :, 16] = 255
    out = one(named_space("dauphin")["TranslateX"], 1.0).augment(image)
    assert set(np.abs(out[:, 0, :, 0].argmax(1) - 16).tolist()) == {10}


def test_solarize_inverts_everything_at_strength_0() -> None:
    solarize = named_space("dauphin")["Solarize"]
    assert (one(solarize, 0.0).augment(GREY[:1]) == 55).all()
    assert (one(solarize, 1.0).augment(GREY[:1]) == 200).all()


def test_the_tail_reads_as_its_stages() -> None:
    tail = load_policy("dauphin")
    assert tail.name == (
        "crop(fill=reflect) + flip + composition(n=1,p=1,space=cutout) + "
        "mixup(alpha=1,p=0.5,partner=set)"
    )
    assert load_policy(tail.name) == tail
    method = as_treatment("uncertainty(c=4,s=1,rule=proportional,space=dauphin,tail=dauphin)")
    assert method.name == (
        "uncertainty(c=4,s=1,rule=proportional,policy=uniformaugment(n=2,space=dauphin)) + "
        + tail.name
    )
    assert as_treatment(method.name) == method


@pytest.mark.parametrize("mode", ["reflect", "edge"])
def test_a_mirrored_crop_keeps_a_constant_image(mode: str) -> None:
    for name in ("crop", "flip-crop"):
        assert load_policy(f"{name}(mode={mode})").augment(GREY).min() == 200
        assert load_policy(f"{name}(mode={mode})") == load_policy(f"{name}(fill={mode})")
        assert load_policy(name).augment(GREY).min() == 0


def test_sides_of_the_tails_cutout_are_uniform_on_0_to_15() -> None:
    cutout = load_policy("composition(n=1,p=1,space=cutout)")
    assert isinstance(cutout, Uniform)
    n = 16_000
    magnitude = cutout.sample(Stream(index=np.arange(n))).magnitude[:, 0]
    sides = np.trunc(cutout.space["Cutout"].values(magnitude) * 32).astype(int)
    counts = np.bincount(sides, minlength=16)
    assert len(counts) == 16
    chi_square = ((counts - n / 16) ** 2 / (n / 16)).sum()
    assert chi_square < 37.7  # 15 degrees of freedom, p = 0.001
    drawn = cutout.augment(BLACK[:1].repeat(400, 0))
    assert 15 >= (drawn[..., 0] > 0).any(1).sum(1).max() >= 12


# Mixup as an operation, and with partners from the whole training part.


def only_mixup() -> Uniform:
    return Uniform(operations=SearchSpace("mixup", (OPERATIONS["Mixup"],)), length=2)


def test_mixup_as_an_operation_mixes_labels_as_pixels() -> None:
    images = np.zeros((8, 4, 4, 1), np.uint8)
    for row in range(8):
        images[row] = 30 * row
    labels = np.eye(8, dtype=np.float32)
    for policy in (
        only_mixup(),
        chained(load_policy("flip"), only_mixup(), load_policy("crop(0)")),
    ):
        out, soft = policy.augment(images, labels=labels, seed=3)
        np.testing.assert_allclose(soft.sum(1), 1, atol=1e-6)
        assert (soft.max(1) < 0.99).sum() > 3
        # A pixel is the label's mixture of levels, but for two truncations.
        np.testing.assert_allclose(out[:, 0, 0, 0], soft @ (30 * np.arange(8)), atol=2)


def test_mixup_before_mixup_in_a_chain() -> None:
    images = np.tile(np.arange(0, 240, 30, dtype=np.uint8).reshape(8, 1, 1, 1), (1, 4, 4, 1))
    policy = chained(only_mixup(), load_policy("mixup(alpha=1,p=1)"))
    out, soft = policy.augment(images, labels=np.eye(8, dtype=np.float32), seed=5)
    np.testing.assert_allclose(out[:, 0, 0, 0], soft @ (30 * np.arange(8)), atol=3)


def test_augmix_refuses_operations_that_mix_labels() -> None:
    with pytest.raises(PolicyError, match="whose Mixup mixes labels"):
        AugMix(operations=named_space("dauphin"))


def test_methods_that_need_a_label_of_one_example_refuse_it() -> None:
    from automorph import explain, search

    for run, options in ((search, {"trials": 1}), (explain, {})):
        with pytest.raises(UsageError, match="has an operation that mixes labels"):
            run("digits", space=named_space("dauphin"), **options)
    for name in ("augmix-jsd(policy=composition(n=2,space=dauphin))", "augmix-jsd + dauphin"):
        with pytest.raises(PolicyError, match="expected one that mixes all views alike"):
            as_treatment(name)


def test_partners_come_from_the_whole_training_part() -> None:
    from automorph.training import RawBatch, mixed_draw

    levels = np.arange(200, dtype=np.uint8)
    classes = np.eye(200, dtype=np.float32)

    def others(uniform: Any) -> Any:
        rows = (uniform * 200).astype(int)
        return levels[rows].reshape(-1, 1, 1, 1), classes[rows]

    def drawn(rows: Any) -> Any:
        raw = RawBatch(levels[rows].reshape(-1, 1, 1, 1), classes[rows], rows, 7, 0, 0,
                       lambda images, device: images, others=others)  # fmt: skip
        return mixed_draw(policy, raw, Stream(seed=7, index=rows))

    policy = load_policy("mixup(p=0.5,partner=set)")
    rows = np.arange(100)
    images, labels = drawn(rows)
    mixed = labels.max(1) < 1
    assert 0.35 < mixed.mean() < 0.65
    partner = np.where(np.arange(200) == rows[:, None], 0, labels).argmax(1)[mixed]
    assert (partner >= 100).mean() > 0.3, "examples outside the batch"
    np.testing.assert_allclose(images[:, 0, 0, 0], labels @ np.arange(200), atol=0.51)
    # The partner depends on the example, not on its batch.
    for half in (rows[:30], rows[30:]):
        again, soft = drawn(half)
        np.testing.assert_array_equal(again, images[half])
        np.testing.assert_array_equal(soft, labels[half])
    # Where the data are unknown, it is one of the batch.
    _, known = policy.augment(images, labels=classes[:100], seed=7)
    assert known[:, 100:].sum() == 0


def test_a_partner_gets_a_draw_of_its_own(tmp_path: Any) -> None:
    from automorph.training import as_task, train

    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (80, 8, 8, 3)).astype(np.uint8), np.arange(80) % 2
    task = as_task((images, labels), model="cnn:2", recipe={"epochs": 1})
    for name in ("dauphin", "uncertainty(c=2,s=1,rule=proportional,space=dauphin,tail=dauphin)"):
        first, second = (train(task, as_treatment(name), seed=1, progress=False) for _ in range(2))
        for here, there in zip(first.model.parameters(), second.model.parameters(), strict=True):
            assert (here == there).all()


# TANDA (Ratner et al. 2017), HazyResearch/tanda.


@pytest.mark.parametrize("length", [1, 5, 10])
@pytest.mark.parametrize("space", ["tanda-cifar10", "tanda-mnist"])
def test_tandas_operations_leave_no_black_borders(space: str, length: int) -> None:
    images = GREY if space == "tanda-cifar10" else GREY[..., :1].copy()
    policy = Uniform(operations=named_space(space), length=length, low=1.0)
    assert (policy.fill, policy.interpolation) == ("edge", "bilinear")
    assert (policy.augment(images) == 0).all(-1).mean() == 0
    before = policy.rendered(fill=0, interpolation="nearest").augment(images)
    assert (before == 0).all(-1).mean() > 0.01


# Cutout (DeVries and Taylor 2017): the fill is used, and the mean of the data by default.


def test_cutout_paints_in_its_fill() -> None:
    assert load_policy("cutout(14,fill=33)").augment(BLACK).max() == 33
    assert load_policy("cutout(14,fill=0)").augment(BLACK).max() == 0
    assert load_policy("cutout(14)").augment(BLACK).max() == 128  # No data are known.
    painted = load_policy("uniformaugment(n=4,fill=33)").operations["Cutout"].fill
    assert painted == 33


def test_cutout_takes_the_mean_of_the_data() -> None:
    from automorph.training import as_task, fitted, mean_colour

    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (60, 8, 8, 3)).astype(np.uint8)
    images[..., 2] += 100
    task = as_task((images, np.arange(60) % 2), model="cnn:2")
    policy = fitted("flip + cutout(4)", task)
    mean = task.data.train.data.mean((0, 1, 2))
    np.testing.assert_allclose(mean_colour(task), mean, atol=0.5)
    assert policy.stages[1] == load_policy("cutout(4)").with_mean(mean_colour(task))
    out = policy.augment(np.zeros((30, 8, 8, 3), np.uint8))
    assert set(np.unique(out).tolist()) == {0, *mean_colour(task)}
    method = fitted(as_treatment("uncertainty(c=2,s=1,rule=top,n=1) + cutout(4)"), task)
    assert method.after[0] == fitted("cutout(4)", task)
    space = fitted(named_space("dauphin"), task)
    assert space["Cutout"].fill == mean_colour(task)


def test_files_hold_the_number(tmp_path: Any) -> None:
    policy = load_policy("cutout(14)")
    path = save_policy(policy, tmp_path / "unknown.json")
    assert load_policy(path) == policy.with_mean(128)
    known = policy.with_mean((1, 2, 3))
    again = load_policy(save_policy(known, tmp_path / "known.json"))
    assert again == known
    assert (again.augment(BLACK) == known.augment(BLACK)).all()
    for name in ("crop(mode=reflect)", "randaugment(space=tanda-cifar10)", "dauphin"):
        fixed = load_policy(name).with_mean((9, 9, 10))
        assert load_policy(save_policy(fixed, tmp_path / "again.json")) == fixed


# AugMix (Hendrycks et al. 2020), google-research/augmix.


def test_augmix_is_bilinear_and_posterizes_mildly() -> None:
    policy = load_policy("augmix")
    assert (policy.fill, policy.interpolation) == (0, "bilinear")
    space = SearchSpace("one", (policy.operations["Posterize"],))
    alone = replace(policy, operations=space, width=1, depth=1, share=1.0)
    kept = bits_kept(alone.augment(RAMP))
    assert set(kept.tolist()) == {3, 4}
    assert abs((kept == 3).mean() - 0.05 / 0.29) < 0.02


def test_augmix_keeps_four_bits_minus_the_truncated_level() -> None:
    level = np.random.default_rng(0).uniform(0, 10, 1000)
    values = named_space("augmix")["Posterize"].values((level / 10).astype(np.float32))
    kept = np.trunc(values.astype(np.float32)).astype(int)
    np.testing.assert_array_equal(kept, 4 - (0.4 * level).astype(int))


# The searches: 15 or 16 operations.


@pytest.mark.parametrize(
    ("method", "count", "more"),
    [
        ("autoaugment", 16, {"Cutout", "Invert", "SamplePairing"}),
        ("fast-autoaugment", 15, {"Cutout", "Invert"}),
        ("dada", 15, {"Cutout", "Invert"}),
        ("pba", 15, {"Cutout", "Invert"}),
        ("randaugment", 14, {"Identity"}),
    ],
)
def test_searches_draw_from_the_operations_of_their_papers(
    method: str, count: int, more: set[str]
) -> None:
    from automorph.searchers.defaults import default_space

    space = default_space("image", load_method(method))
    shared = set(named_space("randaugment").names) - {"Identity"}
    assert len(shared) == 13
    assert set(space.names) == shared | more
    assert len(space) == count


def test_pba_posterizes_as_released() -> None:
    posterize = named_space("pba")["Posterize"]
    magnitudes = (np.arange(10) / 9).astype(np.float32)
    kept = np.trunc(posterize.values(magnitudes).astype(np.float32)).astype(int)
    assert kept.tolist() == [4 - int(4 * level / 10) for level in range(10)]
