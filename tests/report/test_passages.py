"""Texts before and after: changes are complete, marked, and escaped."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from automorph.report import Page, Section, render
from automorph.report.text_examples import changes, marked, passages

TEXT = st.lists(
    st.sampled_from(["a", "good", "film", "don't", "🙂", "فيلم", "<b>", " ", "\n", "."])
)


@given(TEXT, TEXT)
def test_both_texts_can_be_read_from_the_changes(first, second):
    before, after = " ".join(first), " ".join(second)
    parts = changes(before, after)
    assert "".join(text for kind, text in parts if kind != "in") == before
    assert "".join(text for kind, text in parts if kind != "out") == after
    assert all(a != b for (a, _), (b, _) in pairwise(parts))


def test_texts_are_escaped():
    assert marked("a <b>", "a <i>&") == "a &lt;<del>b</del><ins>i</ins>&gt;<ins>&amp;</ins>"


def test_a_page_shows_them():
    rows = np.array([["<one> text", "<one> test", "<one>"]], np.dtypes.StringDType())
    part = passages("typos", rows, ["good & bad"], columns=["as B"])
    assert [label for label, _ in part.texts] == ["good & bad", "as B", "draw 2"]
    page = render(Page("T", "L", sections=[Section("S", [part])]))
    assert "&lt;one&gt; <del>text</del><ins>test</ins>" in page
    assert "good &amp; bad" in page
    assert 'dir="auto"' in page
    assert page.count('class="before"') == 1  # The original stands out.
