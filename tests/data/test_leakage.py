"""Leaks and hashes: content that occurs in two parts, and what a data set's hash covers."""

from __future__ import annotations

import numpy as np
import pytest
from picture_files import noise

from automorph.data import Dataset, Split, check_leakage, from_arrays, guard_leakage
from automorph.errors import DataError, UsageError

TRAIN, VALIDATION, TEST = noise(0, 20, 4, 4, 3), noise(1, 6, 4, 4, 3), noise(2, 8, 4, 4, 3)
LABELS = np.arange(20) % 2


def leaky() -> Dataset:
    """Test images 0 and 1 are in train (one twice), and test image 2 is in validation."""
    train, validation = TRAIN.copy(), VALIDATION.copy()
    train[[3, 5, 9]] = TEST[[0, 0, 1]]
    validation[4] = TEST[2]
    return from_arrays(
        train,
        LABELS,
        validation=(validation, LABELS[:6]),
        test=(TEST, LABELS[:8]),
        leakage="keep",
    )


def test_leaks_are_counted_and_named() -> None:
    found = check_leakage(leaky())
    assert found.pairs == {
        ("train", "validation"): (),
        ("train", "test"): (
            ("train[3]", "test[0]"),
            ("train[5]", "test[0]"),
            ("train[9]", "test[1]"),
        ),
        ("validation", "test"): (("validation[4]", "test[2]"),),
    }
    assert len(found) == 4


def test_leaks_are_refused_with_what_to_do() -> None:
    with pytest.raises(DataError) as error:
        guard_leakage(leaky())
    message = str(error.value)
    assert "the same examples are in more than one part" in message
    assert "train examples that are also in test: 3 (train[3] = test[0]" in message
    assert "--leakage drop" in message
    assert error.value.exit_status == 2


def test_dropping_leaves_the_test_part_whole() -> None:
    found = guard_leakage(leaky(), leakage="drop")
    assert [len(part) for part in found.parts.values()] == [17, 5, 8]
    assert not check_leakage(found)
    assert found.notes[-2:] == (
        "train examples dropped because they are also in a later part: 3",
        "validation examples dropped because they are also in a later part: 1",
    )


def test_clean_parts_pass_unchanged() -> None:
    data = from_arrays(TRAIN, LABELS, test=(TEST, LABELS[:8]))
    assert guard_leakage(data) is data
    assert not check_leakage(data)


def test_an_unknown_action() -> None:
    with pytest.raises(UsageError, match="refuse"):
        guard_leakage(leaky(), leakage="ignore")  # type: ignore[arg-type]


def test_texts_leak_too() -> None:
    texts = [f"a sentence, number {i}" for i in range(10)]
    with pytest.raises(DataError, match=r"train\[4\] = test\[0\]"):
        from_arrays(texts, LABELS[:10], test=(texts[4:6], LABELS[:2]))


def test_the_hash_sees_content_and_not_order() -> None:
    def data(images: np.ndarray = TRAIN, labels: np.ndarray = LABELS, names: str = "ab") -> str:
        return from_arrays(images, labels, classes=names).hash

    order = np.random.default_rng(0).permutation(20)
    touched = TRAIN.copy()
    touched[7, 2, 2, 1] ^= 1
    assert data() == data(TRAIN[order], LABELS[order])
    others = {
        data(touched),
        data(labels=1 - LABELS),
        data(names="ac"),
        data(TRAIN[:19], LABELS[:19]),
    }
    assert len(others | {data()}) == 5


def test_digests_follow_the_rows() -> None:
    part = Split(TRAIN, LABELS)
    expected = part.digests[[4, 2]]
    taken = part.take([4, 2])
    assert "digests" in taken.__dict__
    np.testing.assert_array_equal(taken.digests, expected)
    np.testing.assert_array_equal(Split(TRAIN[[4, 2]], LABELS[:2]).digests, expected)
