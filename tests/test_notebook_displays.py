"""What results show of themselves in notebooks."""

from __future__ import annotations

from html import escape
from io import BytesIO

import numpy as np
from PIL import Image

import automorph
from automorph.diagnostics import explain
from automorph.notebook import Preview, table_html
from automorph.operations import named_space
from automorph.policies import as_texts
from automorph.robustness import audit


def test_policies_show_their_table() -> None:
    page = automorph.load_policy("autoaugment:cifar10")._repr_html_()
    assert page.startswith("<p><strong>autoaugment:cifar10</strong></p><div ")
    assert "<table>" in page
    assert "Posterize" in page


def test_previews_are_arrays_that_show_as_pictures() -> None:
    images = np.arange(2 * 8 * 8, dtype=np.uint8).reshape(2, 8, 8, 1)
    shown = automorph.load_policy("crop").preview(images, draws=3)
    assert isinstance(shown, np.ndarray)
    assert shown.shape == (2, 4, 8, 8, 1)
    content, metadata = shown._repr_png_()
    assert metadata == {"alt": "2 examples, each beside 3 augmented ones"}
    picture = Image.open(BytesIO(content))
    assert picture.size == (4 * 100 + 12, 2 * 100)
    assert np.asarray(picture)[0, 0].tolist() == [0, 0, 0, 255]
    assert shown._repr_html_() is None
    assert shown[0]._repr_png_() is None


def test_previews_of_texts_show_as_tables() -> None:
    shown = automorph.load_policy("aeda").preview(as_texts(["a <good> film with words"]), draws=2)
    page = shown.view(Preview)._repr_html_() or ""
    assert "a &lt;good&gt; film with words" in page
    assert shown.view(Preview)._repr_png_() is None


def test_explanations_and_audits_show_their_rows() -> None:
    space = named_space("augmix").without("Solarize", "Posterize", "TranslateX", "TranslateY")
    page = explain("digits", space, limit=60)._repr_html_()
    assert page.count("<tr>") == 1 + len(space)
    found = audit(
        "digits-correlation", model="cnn:4", recipe={"epochs": 1}, limit=80, progress=False
    )
    page = found._repr_html_()
    assert escape(found.verdict) in page
    assert page.count("<tr>") == 1 + len(found.groups)


def test_comparisons_show_verdict_and_rows() -> None:
    result = automorph.compare(
        "digits", ["none", "crop"], seeds=2, limit=60, model="cnn:4", recipe={"epochs": 1}
    )
    page = result._repr_html_()
    assert page.count("<tr>") == 3
    assert "difference from none" in page
    for row in result.rows:  # The verdict is about these.
        assert f"<td>{result.metric.value(row.validation.mean)}</td>" in page


def test_nothing_is_markup() -> None:
    assert "<script>" not in table_html(["<script>"], [["<script>"]], title="<script>", note="<b>")
