"""Mixup as an operation, by hand; that all paths agree is tested for every operation."""

from __future__ import annotations

import numpy as np
import pytest

from automorph.engine import apply, apply_reference
from automorph.operations import LABELS, OPERATIONS, SearchSpace, Sequences, Stream, partners


def test_it_is_no_operation_of_the_spaces_that_keep_labels() -> None:
    mixup = OPERATIONS["Mixup"]
    assert list(LABELS) == [mixup]
    assert mixup.partner
    assert mixup.identity_at_zero
    assert mixup.values([0, 0.25, 1]).tolist() == [0, 0.25, 1]


@pytest.mark.parametrize("path", [apply, apply_reference])
def test_its_value_is_the_share_of_the_partner(path) -> None:  # type: ignore[no-untyped-def]
    images = np.array([0, 40, 200], np.uint8).reshape(3, 1, 1, 1)
    space, stream = SearchSpace("one", (OPERATIONS["Mixup"],)), Stream(seed=2, index=[0, 1, 2])
    out = path(images, Sequences.of([[0]] * 3, 0.25), space, stream)
    others = images[partners(OPERATIONS["Mixup"], stream, 0, 3)]
    expected = np.trunc(0.75 * images + 0.25 * others)
    np.testing.assert_array_equal(out, expected)
