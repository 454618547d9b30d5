"""Values are read as numbers; what is no number, or says nothing, is refused with its reason."""

import numpy as np
import pytest

from automorph.data import as_dataset, from_arrays, load_data, split
from automorph.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 256, (80, 4, 4, 1), np.uint8)


def table(folder, header, *rows):
    """A CSV file of texts."""
    file = folder / "t.csv"
    file.write_text(
        "\n".join([f"text;{header}", *(f"text {i};{row}" for i, row in enumerate(rows))])
    )
    return f"csv:{file}"


def read(folder, rows, label="weight", **options):
    return load_data(table(folder, label.replace(",", ";"), *rows), label=label, target="values",
                     **options)  # fmt: skip


def test_values_of_arrays_and_of_columns(tmp_path):
    numbers = np.linspace(0, 1, 80)
    assert from_arrays(PIXELS, numbers, target="values").train.expected.shape == (80, 1)
    several = from_arrays(PIXELS, np.stack([numbers, -numbers], axis=1), target="values")
    assert several.predicted == ("value1", "value2")
    named = from_arrays(PIXELS, [[x, 2] for x in range(79)] + [[0, 3]], classes=["x", "y"],
                        target="values")  # fmt: skip
    assert named.predicted == ("x", "y")
    assert named.train.expected.dtype == np.float64

    data = read(tmp_path, [f"{i}.5;{-i}e-1" for i in range(40)], label="x,y")
    assert data.predicted == ("x", "y")
    assert data.train.expected[3].tolist() == [3.5, -0.3]
    assert (data.target, data.notes) == ("values", ("text column: 'text' (guessed by its name; "
                                                    "choose with text=... (--text))",))  # fmt: skip


def test_strata_are_bins_that_every_part_has():
    data = split(from_arrays(PIXELS, np.arange(80.0) ** 2, target="values"))
    assert len(data.classes) == 5
    for part in data.parts.values():
        assert set(part.labels) == set(range(5))
    few = from_arrays(PIXELS[:12], np.arange(12.0), target="values")
    assert few.classes == ("any value",)
    tied = from_arrays(PIXELS, [0.0] * 60 + [*range(1, 21)], target="values")
    assert tied.classes == ("value up to 0", "value over 0 to 4.2", "value over 4.2")


def test_a_decimal_comma_is_read_and_noted(tmp_path):
    data = read(tmp_path, [f"{i},25" for i in range(40)])
    assert data.train.expected[7, 0] == 7.25
    assert "the comma in values of 'weight' is a decimal comma, as in '0,25'" in data.notes


def test_missing_values_are_bad_rows(tmp_path):
    rows = [f"{i}" for i in range(37)] + ["", "NA", "nan"]
    with pytest.raises(DataError, match="3 of 40 rows cannot be used"):
        read(tmp_path, rows)
    data = read(tmp_path, rows, skip_bad=True)
    assert len(data.train) == 37
    assert np.isfinite(data.train.expected).all()
    assert any("no label" in note for note in data.notes)
    half = read(tmp_path, [f"{i};{i if i else ''}" for i in range(40)], label="x,y", skip_bad=True)
    assert len(half.train) == 39


def test_few_whole_numbers_may_be_classes(tmp_path):
    data = read(tmp_path, [i % 4 for i in range(40)])
    [note] = [one for one in data.notes if "whole numbers" in one]
    assert "only 4 different whole numbers (0, 1, 2, 3)" in note
    assert "--target classes" in note


BAD = {
    "words": ([*range(39), "heavy"], "1 values of the train part are no numbers, such as 'heavy' "
              "as 'weight' of train[39]; expected numbers. If it names classes, use "
              "target='classes' (--target classes)"),
    "a number with a unit": ([f"{i} g" for i in range(40)], "40 values of the train part are no "),
    "infinite": ([*range(39), "inf"], "infinite or too large, such as 'weight' of train[39]"),
    "too large": ([*range(39), "1e999"], "infinite or too large"),
    "constant": ([3.5] * 40, "all 40 training values of 'weight' are 3.5; expected different"),
    "thousands": ([f"{i},234" for i in range(40)], "may separate decimals or thousands"),
    "comma and point": ([f"{i},5" for i in range(39)] + ["1.5"], "may separate decimals or"),
    "nothing": ([""] * 40, "no example with values of weight"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_values_are_refused_with_their_reason(name, tmp_path):
    rows, words = BAD[name]
    with pytest.raises(DataError) as error:
        read(tmp_path, rows)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([True, False] * 40, "are no numbers, such as True"),
        (["cat", "dog"] * 40, "are no numbers, such as 'cat'"),
        ([[1.0, 2.0]] * 79 + [[1.0]], "1, 2 entries; expected the same number"),
        ([np.inf, 1.0] * 40, "infinite"),
    ],
)
def test_bad_values_of_arrays(labels, words):
    with pytest.raises(DataError) as error:
        from_arrays(PIXELS, labels, target="values")
    assert words in str(error.value)


def test_names_of_classes_are_no_values():
    with pytest.raises(DataError, match=r"classes that the source names, such as '0', .*--target"):
        load_data("digits", target="values")
    data = as_dataset((PIXELS, np.arange(80)), target="values")
    assert data.target == "values"
