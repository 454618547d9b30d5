"""Labels as values: numbers in every form, words that look missing, one rule for every source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automorph.data import from_arrays, load_data
from automorph.data.labels import encode
from automorph.data.notes import Notes
from automorph.errors import DataError


def encoded(*labels: Any, names: tuple[str, ...] | None = None) -> tuple[Any, tuple[str, ...], str]:
    notes = Notes()
    numbers, classes = encode({"train": labels}, names=names, notes=notes)
    return numbers["train"].tolist(), classes, "; ".join(notes)


@pytest.mark.parametrize(
    "labels",
    [[1, 2, 3], [1.0, 2.0, 3.0], ["1", "2", "3"], ["1.0", "2.0", "3.0"], ["+1", "2.", " 3 "],
     list(np.array([1, 2, 3], np.uint8)), list(np.array([1, 2, 3], np.float32))],
)  # fmt: skip
def test_a_number_is_one_class_in_every_form(labels: list[Any]) -> None:
    assert encoded(*labels) == ([0, 1, 2], ("1", "2", "3"), "")


def test_forms_of_one_number_are_merged_with_a_note() -> None:
    numbers, classes, note = encoded("0", "1.0", "0.0", 1, "-0")
    assert (numbers, classes) == ([0, 1, 0, 1, 0], ("0", "1"))
    assert "'-0', '0', '0.0' are '0'; '1', '1.0' are '1' (compared as values)" in note


def test_numbers_too_large_for_floats_stay_apart() -> None:
    assert encoded(2**53, 2**53 + 1)[1] == (str(2**53), str(2**53 + 1))


def test_codes_are_words() -> None:
    numbers, classes, note = encoded("007", "7", "1e1", "10")
    assert len(classes) == 4
    assert numbers == [classes.index(code) for code in ("007", "7", "1e1", "10")]
    assert "look alike are different classes: '007' and '7'; '10' and '1e1'" in note


def test_accents_written_apart_are_the_same_name() -> None:
    numbers, classes, note = encoded("ca\u0301t", "c\u00e1t")
    assert (numbers, classes) == ([0, 0], ("c\u00e1t",))
    assert "written in different ways" in note


@pytest.mark.parametrize(
    ("name", "like"),
    [("Cat", "cat"), ("cat s", "cat  s"), ("cat", '"cat"'), ("\uff11", "1"), ("1,0", "1")],
)
def test_names_that_look_alike_are_noted(name: str, like: str) -> None:
    assert encoded(name, like)[0] in ([0, 1], [1, 0])
    assert "look alike are different classes" in encoded(name, like)[2]


def test_fractions_are_classes_with_a_note() -> None:
    numbers, classes, note = encoded(0.5, 1.0, "2.50")
    assert (numbers, classes) == ([0, 1, 2], ("0.5", "1", "2.50"))
    assert note == "labels with fractions are classes, not measurements: '0.5', '2.50'"
    with pytest.raises(DataError, match=r"'0\.5' and '0\.50' are the same number"):
        encoded("0.5", "0.50")


def test_a_class_called_none_is_a_class() -> None:
    numbers, classes, note = encoded("None", "Mild", None, "n/a")
    assert (numbers, classes) == ([1, 0, -1, 2], ("Mild", "None", "n/a"))
    assert "'None' is a class of its own, not a missing value" in note
    assert "'n/a' is a class" in note


def test_numbers_and_words_are_classes_with_a_note() -> None:
    expected = ([0, 1, 2], ("1", "2", "other"), "labels are numbers and words: '1', '2'; 'other'")
    assert encoded(1, 2.0, "other") == encoded("1", "2", "other") == expected


def test_truth_values_are_words() -> None:
    assert encoded(True, False, 1)[1] == ("1", "False", "True")


def test_declared_names() -> None:
    assert encoded(0, 1.0, "dog", None, -1, True, names=("cat", "dog"))[0] == [0, 1, 1, -1, -1, 1]
    assert encoded("1.0", "2", names=("1", "2"))[0] == [0, 1]
    numbers, _, note = encoded(0, 1, names=("1", "2"))
    assert numbers == [0, 1]
    assert note == "labels are positions among the declared names, not names: 1 is '2'"
    assert encoded(0, 1, names=("0", "1"))[2] == ""
    with pytest.raises(DataError, match="not among the 2 declared classes: '1'"):
        encoded("1", names=("cat", "dog"))


def test_a_list_is_not_converted_to_one_type() -> None:
    images = np.arange(8, dtype=np.uint8).repeat(16).reshape(8, 4, 4)
    with pytest.raises(DataError, match=r"2 of 8 rows.*\n.*no label"):
        from_arrays(images, ["a", None, "b", "a", "b", None, "a", "b"])
    data = from_arrays(images, [True, False, 2, 2, 2, 2, True, False])
    assert data.classes == ("2", "False", "True")


def test_notes_reach_the_data_set(tmp_path: Path) -> None:
    rows = [f"text {i},{i % 2}{'.0' if i > 9 else ''}" for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))
    data = load_data(f"csv:{tmp_path / 'a.csv'}")
    assert data.classes == ("0", "1")
    assert any("'0', '0.0' are '0'" in note for note in data.notes)
