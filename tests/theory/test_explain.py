"""Explanations of real and planted data: columns, ranks, verdicts, user operations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from automorph.diagnostics import (
    Bench,
    Explanation,
    explain,
    explained_space,
    instant_policy,
    narrowed,
)
from automorph.diagnostics.explain_result import Point, Verdict
from automorph.diagnostics.features import pixels
from automorph.errors import UsageError
from automorph.operations import OPERATIONS, SearchSpace, operation
from automorph.policies import Mixture
from automorph.training import as_task


@operation(range=(0, 120), unit="level", identity=0)
def lift(image: np.ndarray, value: float) -> np.ndarray:
    """Adds to all levels."""
    return np.minimum(image.astype(int) + int(value), 255).astype(np.uint8)


@operation()
def scramble(image: np.ndarray, value: float, rng: np.random.Generator) -> np.ndarray:
    """Puts the pixels in a random order."""
    return rng.permutation(image.reshape(-1)).reshape(image.shape)


SPACE = SearchSpace(
    "mine",
    (*(OPERATIONS[name] for name in ("Identity", "Rotate", "VerticalFlip", "Hue")), lift, scramble),
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def found() -> Explanation:
    return explain("digits", SPACE, limit=300, magnitudes=(0.05, 0.3, 1.0))


def test_the_features_know_the_classes(found: Explanation) -> None:
    assert found.accuracy > 0.85
    assert found.examples == 240  # what is left of 300 without the validation part


def test_what_harms_is_told_from_what_does_not(found: Explanation) -> None:
    assert found["VerticalFlip"].verdict in ("drop", "label risk")
    assert found["scramble"].verdict == "label risk"
    assert found["scramble"].decides == "label_risk"
    assert found["Rotate"].useful < 1  # 135 degrees
    ranks = {finding.operation.name: finding.rank for finding in found.findings}
    assert max(ranks["Rotate"], ranks["lift"]) < min(ranks["VerticalFlip"], ranks["scramble"])


def test_nothing_happens_to_grey_images_when_hues_turn(found: Explanation) -> None:
    hue = found["Hue"]
    assert hue.verdict == "drop"
    assert hue.decides == "invariance"
    assert hue.best.diagnosis.change == pytest.approx(0, abs=1e-6)
    assert hue.best.diagnosis.label_risk == 0


def test_an_own_operation_is_explained_like_the_others(found: Explanation) -> None:
    rows = {row["name"]: row for row in found.operations}
    assert set(rows["lift"]) == set(rows["Rotate"])
    assert len(rows["lift"]["sweep"]) == 3
    assert "Identity" not in rows


def test_ranks_are_a_permutation_inside_their_intervals(found: Explanation) -> None:
    assert [finding.rank for finding in found.findings] == list(range(1, len(SPACE)))
    for finding in found.findings:
        assert finding.rank_low <= finding.rank <= finding.rank_high


def test_the_object_keeps_the_contract(found: Explanation) -> None:
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    for row in content["operations"]:
        assert {
            "name", "magnitude", "alignment", "invariance", "variance", "label_risk",
            "new_information", "rank", "verdict",
        } <= set(row)  # fmt: skip
        assert row["verdict"] in get_args(Verdict)
        assert row["reason"]


def test_a_transformation_that_changes_nothing_has_no_columns() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 4, 4, 1), dtype=np.uint8)
    bench = Bench(images, np.arange(40) % 2, pixels)
    seen = bench.diagnose(lambda given, copy: given)
    columns = seen.columns()
    for name in ("alignment", "invariance", "variance", "label_risk", "change"):
        assert columns[name] == pytest.approx(0, abs=1e-4), name


def test_the_symmetry_of_the_data_helps_and_lowers_the_error() -> None:
    # The content of four pixels is the class, wherever they are shifted; few shifts are seen.
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256, (4, 8))
    labels = rng.integers(0, 4, 60)
    rows = np.stack([np.roll(patterns[c], rng.integers(8)) for c in labels])
    images = rows.astype(np.uint8).reshape(60, 1, 8, 1)

    def shift(given: np.ndarray, copy: int) -> np.ndarray:
        draw = np.random.default_rng(copy)
        return np.stack([np.roll(one, draw.integers(8), axis=1) for one in given])

    def spoil(given: np.ndarray, copy: int) -> np.ndarray:
        return given[np.random.default_rng(copy).permutation(len(given))]

    bench = Bench(images, labels, pixels, copies=6)
    good, bad = bench.diagnose(shift), bench.diagnose(spoil)
    assert good.change < 0 < bad.change
    assert bad.label_risk > good.label_risk + 0.2
    gains = bench.alignment_gains(shift, draws=50)
    assert gains.centred.value == pytest.approx(good.alignment, abs=1e-4)
    assert gains.centred.low < gains.centred.value < gains.centred.high
    assert gains.uncentred.value != pytest.approx(gains.centred.value, abs=1e-4)


def test_a_space_is_pruned_and_narrowed(found: Explanation) -> None:
    space = explained_space(found)
    assert not {"scramble", "Hue"} & set(space.names)
    assert {"Identity", "Rotate"} <= set(space.names)
    assert 0 < space["Rotate"].high < OPERATIONS["Rotate"].high
    with pytest.raises(UsageError, match="not explained: Invert"):
        explained_space(found, SPACE.with_operations(OPERATIONS["Invert"]))


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "Zoom"])
def test_a_narrowed_operation_ends_where_it_was_cut(name: str) -> None:
    whole = OPERATIONS[name]
    half = narrowed(whole, 0.5)
    assert half.ends[0] == pytest.approx(whole.ends[0])
    for sign in (-1.0, 1.0):
        if not whole.magnitude_free:
            assert half.values(1.0, sign).item() == pytest.approx(whole.values(0.5, sign).item())


def test_the_instant_policy_uses_what_is_useful(found: Explanation) -> None:
    policy = instant_policy(found)
    used = {name.partition("#")[0] for name in policy.space.names}
    assert used <= {f.operation.name for f in found.findings if f.useful}
    images = np.zeros((5, 8, 8, 1), np.uint8)
    assert policy.augment(images, seed=1).shape == images.shape
    assert instant_policy(found) == policy


def test_a_flip_that_helps_comes_every_other_time_in_the_instant_policy() -> None:
    # A class is a pattern or its mirror image; few examples are seen.
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256, (4, 6, 6))
    labels = np.arange(120) % 4
    noise = rng.normal(0, 60, (120, 6, 6))
    images = np.where(rng.random((120, 1, 1)) < 0.5, patterns[labels], patterns[labels][..., ::-1])
    images = np.clip(images + noise, 0, 255).astype(np.uint8)[..., None]
    space = SearchSpace("flips", tuple(OPERATIONS[n] for n in ("HorizontalFlip", "Brightness")))
    seen = explain((images, labels), space, features=pixels)
    assert seen["HorizontalFlip"].best.helps
    policy = instant_policy(seen)
    first = getattr(policy, "stages", [policy])[0]
    assert isinstance(first, Mixture)
    flips = [
        step.probability
        for steps in first.subpolicies
        for step in steps
        if step.operation == "HorizontalFlip"
    ]
    assert set(flips) == {0.5}


def planted(count: int, flipped: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A class is a pattern or, if ``flipped``, its mirror image as often."""
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 256, (4, 6, 6))
    labels = np.arange(count) % 4
    mirrored = rng.random((count, 1, 1)) < (0.5 if flipped else 0)
    images = np.where(mirrored, patterns[labels][..., ::-1], patterns[labels])
    images = images + rng.normal(0, 60, images.shape)
    return np.clip(images, 0, 255).astype(np.uint8)[..., None], labels


FLIPS = SearchSpace("flips", tuple(OPERATIONS[n] for n in ("HorizontalFlip", "Brightness", "Hue")))


def test_keep_needs_a_gain_beyond_chance() -> None:
    """An operation without harm used to be kept; now what has no sure gain cannot be told."""
    mild = narrowed(OPERATIONS["Brightness"], 0.5)  # Black images have lost their class.
    space = SearchSpace("flips", (*FLIPS.without("Brightness"), mild))
    seen = explain(planted(240), space, features=pixels)
    flip, light = seen["HorizontalFlip"], seen["Brightness"]
    assert flip.verdict == "keep"
    assert flip.p < 0.025
    assert light.harmless
    assert light.verdict == "cannot tell"
    assert "no sure gain" in light.reason
    assert "Brightness" in explained_space(seen).names, "a search decides about it"


def test_a_risk_that_only_strong_magnitudes_have_is_named() -> None:
    """Without a sure gain at mild magnitudes, it was kept silent about: cannot tell."""
    light = explain(planted(240), FLIPS, features=pixels)["Brightness"]
    assert light.useful_value == "factor 1 ± 0.594"
    assert light.verdict == "risk if strong"
    assert "more taken for another class" in light.reason
    assert light.reason.endswith(
        " at factor 1 ± 0.99; up to factor 1 ± 0.594 no harm, no sure gain"
    )


def test_a_sure_risk_is_harm_although_the_mean_error_of_many_labels_hardly_rises() -> None:
    """On circuit boards inverting swaps two of six labels, and the error rose by 1.7 %."""
    few = Bench(*planted(60), pixels).diagnose(lambda images, copy: images)
    for error, risk, wanted in ((0.017, 0.1, True), (0.017, 0.04, False), (0.004, 0.1, False)):
        diagnosis = replace(few, change=error, change_se=0.0025, label_risk=risk, risk_se=0.02)
        assert Point(1.0, "", diagnosis).harms is wanted


def test_noise_keeps_nothing_and_drops_nothing() -> None:
    """On labels drawn at random, 13 of 16 operations were to be kept."""
    rng = np.random.default_rng(0)
    images = as_task("digits").data.train.data[:160]
    seen = explain((images, rng.integers(0, 4, 160)), SearchSpace("some", SPACE.operations[1:3]))
    assert {one.verdict for one in seen.findings} == {"cannot tell"}
    assert all("do not tell the classes apart" in one.reason for one in seen.findings)


def test_few_examples_decide_nothing() -> None:
    images, labels = planted(240)
    few = explain((images[:48], labels[:48]), FLIPS, features=pixels)
    assert few["HorizontalFlip"].verdict == "cannot tell"
    assert few["HorizontalFlip"].reason.startswith("too few examples (")
    rows = np.flatnonzero((labels != 3) | (np.arange(240) < 20))
    thin = explain((images[rows], labels[rows]), FLIPS, features=pixels)
    flip = thin["HorizontalFlip"]
    assert flip.verdict == "cannot tell"
    assert flip.reason.startswith("too few examples of '3' (")


def test_what_changes_nothing_has_its_own_words(found: Explanation) -> None:
    assert found["Hue"].changes_nothing
    assert found["Hue"].reason == "changes none of the 240 examples"

    @operation()
    def corner(image: np.ndarray, value: float) -> np.ndarray:
        """Changes one pixel by one level, which the features do not see."""
        image = image.copy()
        image[0, 0] ^= 1
        return image

    seen = explain("digits", SearchSpace("mine", (corner,)), limit=300)
    assert not seen["corner"].changes_nothing
    assert seen["corner"].verdict == "cannot tell"
    assert seen["corner"].reason.startswith("the features see nothing of it")


def test_features_of_a_model_and_of_a_user() -> None:
    task = as_task("digits", limit=200)
    one = SearchSpace("one", (OPERATIONS["Invert"],))

    def mean(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1).mean(1, keepdims=True)

    for features in ("cnn", "pixels", mean):
        seen = explain(task, one, features=features)
        assert np.isfinite(list(seen["Invert"].best.diagnosis.columns().values())).all()
    assert seen.features == "mean"


def test_deep_features_come_from_other_examples() -> None:
    task = as_task("digits", limit=300, recipe={"epochs": 2})
    seen = explain(task, SearchSpace("one", (OPERATIONS["VerticalFlip"],)), deep=True)
    assert seen.examples == 120
    assert seen["VerticalFlip"].best.diagnosis.change > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"magnitudes": (0.0, 1.0)}, "numbers above 0"),
        ({"copies": 0}, "1 or more"),
        ({"features": "resnet1"}, "unknown model"),
        ({"space": SearchSpace("none", ())}, "no operations"),
        ({"space": "disc-axes"}, "operations on images"),
    ],
)
def test_what_cannot_be_explained(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        explain("digits", **{"limit": 60, "space": SPACE, **change})


def test_too_few_examples_say_so() -> None:
    images = np.arange(24, dtype=np.uint8).repeat(64).reshape(24, 8, 8, 1)
    with pytest.raises(UsageError, match="at least 20"):
        explain((images, np.arange(24) % 2), SPACE)
