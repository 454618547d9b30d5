"""Planted correlations: counts, marks, and the underlying pairs."""

import os

import numpy as np
import pytest

from automorph.data import CORRELATED, Split, coupled, list_sources, load_data
from automorph.data.marks import corner, sticker, zigzag
from automorph.errors import DataError, UsageError
from automorph.operations import Stream

needs_data = pytest.mark.skipif(
    not os.environ.get("AUTOMORPH_DATA"), reason="AUTOMORPH_DATA names no folder of data sets"
)


def counts(part):
    return np.bincount(2 * part.labels + part.subgroups, minlength=4).tolist()


def test_correlated_digits():
    data = load_data("digits-correlation")

    assert counts(data.train) == counts(data.validation) == [270, 20, 20, 270]
    assert min(counts(data.test)) == 175
    assert data.classes == ("even", "odd")
    assert data.subgroup_names == ("clean", "corner")
    assert data.hash == load_data("digits-correlation").hash


@needs_data
def test_mnist_correlation_is_the_published_one():
    data = load_data("mnist-correlation")

    assert counts(data.train) == counts(data.validation) == [9900, 100, 100, 9900]
    assert counts(data.test) == [4926, 4926, 5074, 5074]
    first = np.flatnonzero(data.test.labels == 0)
    clean, marked = first[: len(first) // 2], first[len(first) // 2 :]
    assert (data.test.data[marked] >= data.test.data[clean]).all()
    assert set(data.train.digests.tolist()).isdisjoint(data.validation.digests.tolist())


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion-correlation", "cifar-correlation"])
def test_other_correlations(name):
    data = load_data(name)
    spec = CORRELATED[name]
    both = np.add(counts(data.train), counts(data.validation)).tolist()

    assert both == [spec.many, spec.few, spec.few, spec.many]
    assert counts(data.test) == [1000] * 4
    assert data.train.data.shape[-1] == 3


def test_both_forms_of_every_example():
    name = "digits-correlation"
    data = load_data(name)
    for part in data.parts.values():
        forms = coupled(name, part)
        own = np.take_along_axis(forms, part.subgroups[None, :, None, None, None], axis=0)[0]
        assert np.array_equal(own, part.data)
        assert (forms[1] >= forms[0]).all()
    rows = [5, 3, 300]
    assert np.array_equal(coupled(name, data.train.take(rows)), coupled(name, data.train)[:, rows])


def test_pairs_of_other_data():
    part = load_data("digits-correlation").train
    with pytest.raises(UsageError, match="mnist-correlation"):
        coupled("digits", part)
    with pytest.raises(DataError, match="is not a row"):
        coupled("digits-correlation", Split(part.data, part.labels))


def test_the_zigzag_is_that_of_mnist_c():
    """The zigzag matches the original: its columns, its amount of ink, teeth up and down."""
    blank = np.zeros((4000, 28, 28, 1), np.uint8)
    drawn = zigzag(blank, Stream(index=np.arange(4000)))[..., 0]

    assert not drawn[:, :, [0, 1, 26, 27]].any()
    share = (drawn > 25.5).mean(axis=(1, 2))
    assert 0.085 < np.median(share) < 0.095
    assert 0.015 < share.min() < share.max() < 0.1
    inside = drawn[(drawn[:, 0] == 0).all(axis=1) & (drawn[:, -1] == 0).all(axis=1)]
    height = inside.argmax(axis=1)[:, 2:26].astype(float)
    turns = (np.diff(np.sign(np.diff(height, axis=1, n=2)), axis=1) != 0).sum(axis=1)
    assert np.median(turns) > 5


@pytest.mark.parametrize("mark", [zigzag, corner, sticker])
def test_marks_depend_on_their_row_only(mark):
    channels = 3 if mark is sticker else 1
    images = np.random.default_rng(0).integers(0, 255, (20, 28, 28, channels), np.uint8)
    whole = mark(images, Stream(index=np.arange(20)))
    some = mark(images[[7, 3]], Stream(index=[7, 3]))

    assert np.array_equal(whole[[7, 3]], some)
    assert (whole != images).any(axis=(1, 2, 3)).all()


def test_they_are_listed():
    names = [source.name for source in list_sources()]
    first = names.index("svhn") + 1
    assert names[first : first + 4] == list(CORRELATED)
