"""Splits: disjoint, complete, stratified, stable when rows are added, free of leaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from automorph.data import Dataset, check_leakage, from_arrays, limited, load_data, split
from automorph.data.hashing import hashed
from automorph.data.limits import choose, limit_note
from automorph.data.split_record import split_hashes
from automorph.errors import DataError, UsageError

SHARES = st.sampled_from([0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 1 / 3])


def numbered_images(n: int, *, start: int = 0) -> NDArray[np.uint8]:
    """``n`` different images, each encoding its number."""
    bits = np.arange(start, start + n)[:, None] >> np.arange(16) & 1
    return (bits * 255).astype(np.uint8).reshape(n, 4, 4, 1)


def make(labels: list[int], **options: object) -> Dataset:
    names = [f"class{c}" for c in range(max(labels) + 1)]
    return from_arrays(numbered_images(len(labels)), labels, classes=names, **options)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    k = draw(st.integers(2, 4))
    extra = draw(st.lists(st.integers(0, k - 1), max_size=60))
    labels = [*range(k)] * 10 + extra
    return make(draw(st.permutations(labels)))


def places(dataset: Dataset) -> dict[str, str]:
    """The part of every example, by name."""
    return {id: name for name, part in dataset.parts.items() for id in part.names}


@settings(max_examples=60, deadline=None)
@given(datasets(), SHARES, SHARES, st.integers(0, 2**40))
def test_parts_are_disjoint_and_cover_everything(
    dataset: Dataset, validation: float, test: float, seed: int
) -> None:
    found = split(dataset, validation=validation, test=test, seed=seed)

    names = [name for part in found.parts.values() for name in part.names]
    assert sorted(names) == sorted(dataset.train.names)
    assert set(found.parts) == {
        "train", *(["validation"] if validation else []), *(["test"] if test else []),
    }  # fmt: skip
    for part in found.parts.values():
        rows = [dataset.train.names.index(name) for name in part.names]
        assert rows == sorted(rows)
        np.testing.assert_array_equal(part.data, dataset.train.data[rows])
        np.testing.assert_array_equal(part.labels, dataset.train.labels[rows])
    assert not check_leakage(found)
    assert found.hash == dataset.hash


@settings(max_examples=60, deadline=None)
@given(datasets(), SHARES, SHARES, st.integers(0, 9), st.lists(st.integers(0, 3), max_size=40))
def test_rows_added_at_the_end_move_no_other(
    dataset: Dataset, validation: float, test: float, seed: int, added: list[int]
) -> None:
    labels = [*dataset.train.labels.tolist(), *added]
    names = [f"class{c}" for c in range(max(labels) + 1)]
    labels += [c for c in range(len(names)) for _ in range(10)]
    grown = from_arrays(numbered_images(len(labels)), labels, classes=names)

    before = places(split(dataset, validation=validation, test=test, seed=seed))
    after = places(split(grown, validation=validation, test=test, seed=seed))

    assert before == {id: after[id] for id in before}


@settings(max_examples=60, deadline=None)
@given(datasets(), SHARES, SHARES, st.integers(0, 9))
def test_every_class_gets_its_share(
    dataset: Dataset, validation: float, test: float, seed: int
) -> None:
    found = split(dataset, validation=validation, test=test, seed=seed)
    shares = {"validation": validation, "test": test, "train": 1 - validation - test}
    sizes = np.bincount(dataset.train.labels)
    for name, part in found.parts.items():
        counts = np.bincount(part.labels, minlength=len(sizes))
        assert (counts > 0).all()
        # Full blocks are split exactly (up to one), the last one at random.
        block = 1 / min(share for share in shares.values() if share)
        assert (np.abs(counts - shares[name] * sizes) <= 2 + block / 2).all()


def test_a_large_class_is_cut_almost_exactly() -> None:
    found = split(make([0, 1] * 5000), validation=0.15, test=0.2)
    for name, share in (("validation", 750), ("test", 1000)):
        assert np.abs(np.bincount(found.parts[name].labels) - share).max() <= 3


def test_the_seed_decides() -> None:
    data = make([0, 1] * 100)
    assert places(split(data, seed=1)) == places(split(data, seed=1))
    assert places(split(data, seed=1)) != places(split(data, seed=2))


def test_an_order_with_a_period_does_not_bias_the_split() -> None:
    """Every fifth row is special; a systematic split could put all of them in one part."""
    data = make([0, 1] * 500)
    found = split(data, seed=3)
    assert found.test is not None
    rows = np.array([int(name[6:-1]) for name in found.test.names])
    special = np.bincount(rows // 2 % 5, minlength=5) / len(rows)
    assert (np.abs(special - 0.2) < 0.08).all()


def test_copies_stay_together() -> None:
    images = np.repeat(numbered_images(40), 3, axis=0)
    labels = np.repeat(np.arange(40) % 2, 3)
    data = from_arrays(images, labels)
    found = split(data)
    assert not check_leakage(found)
    assert sum(map(len, found.parts.values())) == 120


def test_groups_are_stratified_when_there_are_subgroups() -> None:
    labels = np.tile([0, 0, 0, 1], 50)
    subgroups = np.tile([0, 0, 1, 0], 50)
    data = from_arrays(numbered_images(200), labels, subgroups=subgroups)
    found = split(data)
    assert found.test is not None
    assert found.test.subgroups is not None
    groups = found.test.labels * 2 + found.test.subgroups
    assert np.bincount(groups).tolist() == [20, 10, 10]


def test_parts_that_exist_are_kept() -> None:
    test = (numbered_images(6, start=900), [0, 1] * 3)
    data = make([0, 1] * 20, test=test)
    found = split(data, validation=0.25, test=0.5)
    assert found.test is data.test
    assert found.validation is not None
    assert len(found.validation) == 10
    assert split(found) is found
    assert split(data, validation=0) is data
    assert found.notes == ("validation part: 10 of 40 rows by hashed index, seed=0",)


def test_a_class_too_small_is_named() -> None:
    with pytest.raises(DataError, match=r"'class1 \(2\)'\. Expected at least 5 different examples"):
        split(make([0] * 20 + [1] * 2))


def test_every_class_that_is_too_small_is_listed() -> None:
    """Including classes that would get one example in every part by chance."""
    small = [c for c in range(1, 6) for _ in range(3)]
    with pytest.raises(DataError) as told:
        split(make([0] * 20 + small))
    assert [f"'class{c} (3)'" in str(told.value) for c in range(6)] == [False] + [True] * 5


def test_copies_do_not_make_a_class_large() -> None:
    images = np.concatenate([numbered_images(20), numbered_images(1, start=99).repeat(30, axis=0)])
    with pytest.raises(DataError, match=r"small.*'1 \(1\)'"):
        split(from_arrays(images, [0] * 20 + [1] * 30))


@pytest.mark.parametrize("options", [{}, {"limit": 4}, {"limit": 100}])
def test_a_limit_lets_no_small_class_through(options: dict[str, int]) -> None:
    with pytest.raises(DataError, match="classes too small to split"):
        split(make([0, 0, 0, 1, 1, 1], **options))


def test_a_limit_may_make_the_classes_too_small() -> None:
    with pytest.raises(DataError, match="raise the limit"):
        split(make([0, 1] * 20, limit=6))


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2), (1.0, 0.0), (0, 1.5)])
def test_shares_that_do_not_fit(validation: float, test: float) -> None:
    with pytest.raises(UsageError, match="add up to less than 1"):
        split(make([0, 1] * 20), validation=validation, test=test)


def test_limit_is_balanced_nested_and_leaves_the_test_part_alone() -> None:
    data = split(make([0] * 100 + [1] * 30 + [2] * 8))
    small, large = (limited(data, n, equal_classes=True) for n in (12, 40))
    assert np.bincount(small.train.labels).tolist() == [4, 4, 4]
    assert len(large.train) == 40
    assert np.bincount(large.train.labels)[1:].tolist() == [18, 4]  # small classes: keep all
    assert set(small.train.names) < set(large.train.names)
    assert small.test is data.test
    assert limited(data, 10**6) is data
    assert "12 of" in small.notes[-1]


def test_limit_of_load_data_splits_the_test_part_off_first() -> None:
    whole = split(load_data("digits"), validation=0)
    small = load_data("digits", limit=300)
    assert split_hashes(small)["test"] == split_hashes(whole)["test"]
    assert set(small.train.names) < set(whole.train.names)
    assert np.bincount(small.train.labels).tolist() == [30] * 10


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=60), st.integers(4, 70))
def test_choose_takes_what_there_is_evenly(labels: list[int], n: int) -> None:
    rows = choose(np.array(labels), ("a", "b", "c", "d"), n, equal_classes=True)
    usable = [label for label in labels if label >= 0]
    assert len(rows) == len(set(rows.tolist())) == min(n, len(usable))
    taken = np.bincount(np.array(labels)[rows], minlength=4)
    there = np.bincount(np.array(usable, dtype=int), minlength=4)
    unfilled = taken[taken < there]  # a larger class must not get fewer than a smaller one
    assert unfilled.size == 0 or taken.max() - unfilled.min() <= 1


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=60), st.integers(4, 70))
def test_choose_keeps_the_shares_of_the_classes(labels: list[int], n: int) -> None:
    array = np.array(labels)
    rows = choose(array, ("a", "b", "c", "d"), n)
    there = np.bincount(array[array >= 0], minlength=4)
    total = int(there.sum())
    assert len(rows) == len(set(rows.tolist())) == min(n, total)
    taken = np.bincount(array[rows], minlength=4)
    assert (taken >= np.minimum(there, 1)).all()
    assert (taken <= there).all()
    # A class may exceed its share by the rare ones' first examples only, never the other way.
    fair = there * min(n, total) / max(total, 1)
    assert (np.abs(taken - fair) < 4).all()
    if n < total:
        assert set(rows) <= set(choose(array, ("a", "b", "c", "d"), n + 1))


def test_a_limit_keeps_shares_unless_balanced() -> None:
    labels = [0] * 900 + [1] * 90 + [2] * 10
    shares = {
        equal_classes: np.bincount(
            make(labels, limit=200, equal_classes=equal_classes).train.labels
        ).tolist()
        for equal_classes in (False, True)
    }
    assert shares == {False: [180, 18, 2], True: [120, 72, 8]}
    kept = make(labels, limit=200)
    assert kept.notes[-1] == (
        "200 of 800 training examples kept (limit), with the shares of the classes"
    )
    with pytest.raises(UsageError, match="expected a limit to balance"):
        make(labels, equal_classes=True)


def test_classes_of_nearly_equal_size_get_the_same_number() -> None:
    for sizes, expected in (((104, 100), [20, 20]), ((120, 100), [22, 18])):
        labels = np.repeat([0, 1], sizes)
        assert np.bincount(labels[choose(labels, ("a", "b"), 40)]).tolist() == expected


@pytest.mark.parametrize(
    ("sizes", "equal_classes", "ends"),
    [
        ((104, 100), False, "balanced over the classes because their sizes differ by less than a "
                            "tenth"),
        ((100, 100), False, "balanced over the classes"),
        ((120, 100), False, "with the shares of the classes"),
        ((120, 100), True, "balanced over the classes"),
        ((120, 10), True, "balanced over the classes as far as they have examples"),
    ],
)  # fmt: skip
def test_the_note_on_a_limit_says_what_it_did(
    sizes: tuple[int, int], equal_classes: bool, ends: str
) -> None:
    labels = np.repeat([0, 1], sizes)
    rows = choose(labels, ("a", "b"), 40, equal_classes=equal_classes)
    total = sum(sizes)
    assert limit_note(labels, rows, equal_classes=equal_classes) == (
        f"40 of {total:,} training examples kept (limit), {ends}"
    )


def test_limit_below_the_number_of_classes() -> None:
    with pytest.raises(UsageError, match="at least 3, one training example for each class"):
        limited(make([0, 1, 2] * 9), 2)


def test_hashes_are_uniform_and_frozen() -> None:
    values = hashed("stream", np.arange(100_000), seed=7) / 2.0**64
    counts, _ = np.histogram(values, bins=20, range=(0, 1))
    assert np.abs(counts - 5000).max() < 300
    assert np.abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.01
    # Published splits depend on these numbers: they must never change.
    assert hashed("split/cat", np.arange(3), seed=0).tolist() == [
        14869711574364790965,
        8651699296989716019,
        4381656590780357735,
    ]


def test_split_hashes_tell_sets_of_rows_apart() -> None:
    data = split(load_data("digits"))
    other = split(load_data("digits"), seed=1)
    assert split_hashes(data) == split_hashes(split(load_data("digits")))
    assert split_hashes(data)["test"]["hash"] != split_hashes(other)["test"]["hash"]
    assert split_hashes(data)["train"]["n"] == len(data.train)
