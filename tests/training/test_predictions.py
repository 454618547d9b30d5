"""Predictions are stored with a training as compact strings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automorph.training import packed, unpacked


@given(st.lists(st.integers(0, 2**32 - 1), max_size=300))
def test_what_is_packed_comes_back(numbers):
    assert unpacked(packed(numbers)).tolist() == numbers
    assert unpacked(packed(numbers)).dtype == np.int64


def test_ten_thousand_of_ten_classes_are_short():
    numbers = np.random.default_rng(0).integers(0, 10, 10_000)
    assert len(packed(numbers)) < 10_000


@pytest.mark.parametrize("text", ["", "no text of ours", packed([1, 2, 3])[:-8], "AAAA"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"predictions|padding|base64|Incorrect|Invalid"):
        unpacked(text)
