"""Data sets whose examples are annotated with more than one class."""

import numpy as np
import pytest

from automorph.data import Annotation, Dataset, Split, from_arrays, load_data, split
from automorph.errors import DataError, UsageError
from automorph.targets import check_target


def annotated(n=60, seed=0):
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (n, 8, 8, 1), np.uint8)
    several = random.integers(0, 2, (n, 3), np.uint8)
    part = Split(images, several[:, 0].astype(np.int64), annotations=several)
    return Dataset(
        "own", ("without", "with"), part, annotation=Annotation("labels", ("a", "b", "c"))
    )


def test_annotations_follow_their_examples_through_a_split():
    whole = annotated()
    data = split(whole, seed=0)
    pairs = zip(whole.train.data, whole.train.expected, strict=True)
    expected = {image.tobytes(): labels.tolist() for image, labels in pairs}
    for part in data.parts.values():
        assert part.annotations.dtype == np.uint8
        for image, labels in zip(part.data, part.expected, strict=True):
            assert expected[image.tobytes()] == labels.tolist()
    assert (data.target, data.predicted) == ("labels", ("a", "b", "c"))


def test_the_hash_changes_with_an_annotation():
    one, other = annotated(), annotated()
    assert one.hash == other.hash
    other.train.annotations[3, 2] ^= 1
    assert one.hash != other.replace().hash


@pytest.mark.parametrize(
    "annotations", [np.zeros((60, 2), np.uint8), np.zeros((60, 3)), np.zeros((60, 3, 3), np.uint8)]
)
def test_annotations_of_another_form_are_refused(annotations):
    good = annotated()
    part = Split(good.train.data, good.train.labels, annotations=annotations)
    with pytest.raises(DataError, match=r"expected uint8 \(n, 3\)"):
        good.replace(train=part)


def test_a_data_set_without_annotations_expects_its_labels():
    data = load_data("digits", limit=100)
    assert data.train.expected is data.train.labels
    assert (data.target, data.predicted) == ("classes", data.classes)


def test_unknown_targets_and_unsupported_commands_are_refused():
    with pytest.raises(UsageError, match="expected one of classes, labels, values, masks"):
        load_data("digits", target="boxes")
    with pytest.raises(UsageError, match="patch does not take --target masks"):
        check_target("masks", "patch")


def test_one_number_is_a_size_for_arrays_too():
    images = np.random.default_rng(0).integers(0, 255, (12, 16, 20), np.uint8)
    assert from_arrays(images, np.arange(12) % 2, size=8).train.data.shape == (12, 8, 8, 1)


@pytest.mark.parametrize(
    ("target", "labels", "words"),
    [
        ("values", np.arange(100.0), "balanced over the ranges of the first value"),
        ("labels", np.eye(2, dtype=int)[np.arange(100) // 90], "each example counted for its rar"),
    ],
)
def test_a_limit_says_what_it_shares_out(target, labels, words):
    images = np.random.default_rng(0).integers(0, 255, (100, 4, 4), np.uint8)
    notes = from_arrays(images, labels, target=target, limit=40).notes
    [note] = [one for one in notes if "(limit)" in one]
    assert words in note
