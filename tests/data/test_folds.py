"""Folds of a cross-validation: who is tested, validated and trained on, and what is refused."""

import numpy as np
import pytest

from automorph.data import (
    from_arrays,
    in_fold,
    load_data,
    open_test,
    split,
    with_default_folds,
    with_folds,
)
from automorph.errors import DataError, UsageError

RNG = np.random.default_rng(0)


def arrays(n=60, classes=3, **options):
    images = RNG.integers(0, 256, (n, 8, 8, 3), np.uint8)
    return from_arrays(images, np.arange(n) % classes, **options)


def names(part):
    return set(part.names)


def test_every_example_is_tested_once_in_each_repeat_and_never_trained_on_then():
    data = with_folds(arrays(), 5, repeats=2)
    everything = names(data.train)
    for repeat in range(2):
        tested = []
        for cell in range(5 * repeat, 5 * repeat + 5):
            parts = in_fold(data, cell).parts
            sets = [names(part) for part in parts.values()]
            assert set.union(*sets) == everything
            assert sum(map(len, sets)) == len(everything)  # Disjoint.
            tested += parts["test"].names
            for part in parts.values():
                assert set(part.labels.tolist()) == {0, 1, 2}
        assert sorted(tested) == sorted(everything)


def test_repeats_differ_and_more_repeats_leave_the_first_alone():
    data = arrays()
    one, three = (with_folds(data, 5, repeats=repeats).folds for repeats in (1, 3))
    assert one.describe() == three.describe()
    assert (one.of_row[0] == three.of_row[0]).all()
    assert (three.of_row[0] != three.of_row[1]).any()


def test_rows_that_belong_together_and_copies_stay_in_one_fold():
    images = RNG.integers(0, 256, (80, 8, 8, 3), np.uint8)
    images[1] = images[0]
    labels, lesion = np.arange(80) // 2 % 2, np.arange(80) // 4
    plain = with_folds(from_arrays(images, np.repeat([0, 1], 40), leakage="keep"), 4).folds
    assert plain.of_row[:, 0].tolist() == plain.of_row[:, 1].tolist()
    grouped = with_folds(from_arrays(images, labels, groups=lesion), 4)
    for of_row in grouped.folds.of_row:
        assert all(len(set(of_row[lesion == one])) == 1 for one in range(20))
    assert any("stay in one fold" in note for note in grouped.notes)


def test_repeats_that_divide_few_groups_alike_are_noted():
    groups = np.repeat(np.arange(6), [20, 16, 12, 8, 6, 4])
    images = RNG.integers(0, 256, (66, 8, 8, 3), np.uint8)
    data = with_folds(
        from_arrays(images, (np.arange(66) % 4 == 0).astype(int), groups=groups), 3, repeats=4
    )
    assert any("repeats divide the rows in only" in note for note in data.notes)
    assert not any("divide the rows in only" in note for note in with_folds(arrays(), 3).notes)


def test_predictions_come_back_in_the_order_of_the_examples():
    data = with_folds(arrays(), 4, repeats=3)
    rows = [data.folds.rows(cell)["test"] for cell in range(data.folds.cells)]
    assert (data.folds.pooled(rows) == np.arange(60)).all()


def test_without_test_hides_the_tested_fold():
    data = with_folds(arrays(), 5)
    assert set(in_fold(data.without_test(), 0).parts) == {"train", "validation"}
    assert len(open_test(data)) == 60
    with pytest.raises(DataError, match="no test part"):
        open_test(data.without_test())


def test_a_limit_sets_no_test_part_aside():
    data = load_data("digits", limit=200, hold_out=False)
    assert dict(data.sizes) == {"train": 200}
    assert split(with_folds(data, 5)).folds is not None


def test_few_examples_without_parts_are_cross_validated_with_a_note():
    data = with_default_folds(arrays())
    assert data.folds.words == "5 folds x 2 repeats"
    assert any("--folds 0" in note for note in data.notes)
    assert with_default_folds(arrays(600)).folds is None
    assert with_default_folds(split(arrays())).folds is None
    assert with_default_folds(arrays(12)).folds is None  # Four of each class.


REFUSED = [
    (lambda: with_folds(arrays(), 2), UsageError, "got 2 folds; expected at least 3"),
    (lambda: with_folds(arrays(), 5, repeats=0), UsageError, "got 0 repeats; expected 1 or more"),
    (lambda: with_folds(arrays(12), 5), DataError, r"classes too small for 5 folds: .0 \(4\)"),
    (lambda: with_folds(split(arrays()), 5), UsageError, r"has a validation part \(.* rows\)"),
    (lambda: with_folds(with_folds(arrays(), 5), 5), UsageError, "already has 5 folds x 2"),
    (lambda: in_fold(with_folds(arrays(), 5), 10), UsageError, "got the seed 10 .* 0 to 9"),
]


@pytest.mark.parametrize(("call", "error", "words"), REFUSED)
def test_folds_that_cannot_be_made_are_refused_with_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_fewer_groups_than_folds_are_refused():
    data = arrays(groups=np.arange(60) // 15)
    with pytest.raises(DataError, match="Expected at least 5 values of"):
        with_folds(data, 5)
