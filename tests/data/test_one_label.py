"""One of several labels as two classes, for verbs that take classes only."""

import json

import numpy as np
import pytest

from automorph.data import as_dataset, from_arrays, load_data
from automorph.errors import UsageError

TEXTS = [f"board number {i}" for i in range(12)]
LABELS = np.array([[i % 2, i % 3 == 0] for i in range(12)], int)


@pytest.fixture
def forms(tmp_path):
    lists = [[n for n, has in zip(("open", "short"), row, strict=True) if has] for row in LABELS]
    columns, words = ["text,open,short"], ["text,label"]
    for text, row, names in zip(TEXTS, LABELS.tolist(), lists, strict=True):
        columns.append(f"{text},{row[0]},{row[1]}")
        words.append(f"{text},{';'.join(names)}")
    (tmp_path / "columns.csv").write_text("\n".join(columns))
    (tmp_path / "words.csv").write_text("\n".join(words))
    rows = [{"text": t, "label": n} for t, n in zip(TEXTS, lists, strict=True)]
    (tmp_path / "lists.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return {
        "columns": (f"csv:{tmp_path}/columns.csv", "open,short"),
        "words": (f"csv:{tmp_path}/words.csv", "label"),
        "lists": (f"jsonl:{tmp_path}/lists.jsonl", "label"),
    }


@pytest.mark.parametrize("form", ["columns", "words", "lists"])
@pytest.mark.parametrize("target", ["classes", "labels"])
def test_every_form_of_labels_gives_two_classes_and_a_note(forms, form, target):
    source, label = forms[form]
    options = {"skip_bad": True} if form == "words" else {}
    data = load_data(source, label=label, label_of="short", target=target, **options)
    assert (data.target, data.classes) == ("classes", ("no short", "short"))
    names = dict(zip(data.train.data.tolist(), data.train.labels.tolist(), strict=True))
    expected = dict(zip(TEXTS, LABELS[:, 1].tolist(), strict=True))
    assert names == {text: expected[text] for text in names}
    assert any("one label as two classes: examples without 'short'" in n for n in data.notes)


def test_what_other_columns_lack_does_not_matter(tmp_path):
    rows = ["text,open,short", *(f"{t},,{i % 2}" for i, t in enumerate(TEXTS)), "last,1,"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    options = {"label": "open,short", "label_of": "short", "skip_bad": True}
    data = load_data(f"csv:{tmp_path}/a.csv", **options)
    assert len(data.train) == 12
    assert [row.reason for row in data.skipped] == ["no label"]


def test_arrays_have_their_columns():
    images = np.arange(12, dtype=np.uint8).repeat(64).reshape(12, 8, 8)
    data = from_arrays(images, LABELS, classes=["open", "short"], label_of="open")
    assert data.classes == ("no open", "open")
    np.testing.assert_array_equal(data.train.labels, LABELS[:, 0])
    assert as_dataset((images, LABELS), label_of="1").classes == ("no 1", "1")


def test_an_unknown_label_and_another_target_are_refused(forms):
    source, label = forms["lists"]
    with pytest.raises(UsageError, match=r"unknown label 'shrot'.*Did you mean 'short'"):
        load_data(source, label=label, label_of="shrot")
    with pytest.raises(UsageError, match=r"label_of='short' \(--label-of\).*'values'"):
        load_data(source, label=label, label_of="short", target="values")
