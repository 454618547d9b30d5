"""Predictions made elsewhere are matched with classes by name, or refused."""

import numpy as np
import pytest

from automorph.data import from_arrays
from automorph.errors import DataError
from automorph.robustness.predictions import of_predictions

IMAGES = np.arange(6, dtype=np.uint8).repeat(16).reshape(6, 4, 4)


def read(classes, predictions):
    data = from_arrays(IMAGES, classes * 2)
    found = of_predictions(predictions, data, data.train, where="train")
    return [data.classes[number] for number in found.predictions], found.notes


@pytest.mark.parametrize(
    "predictions",
    [[1, 2, 2, 1, 2, 2], np.array([1, 2, 2] * 2, np.float32), ["1", "2.0", "2"] * 2,
     np.array(["1.0", "2.0", "2.0"] * 2), [1, "2", 2.0] * 2],
)  # fmt: skip
@pytest.mark.parametrize("classes", [["1.0", "2.0", "3.0"], [1, 2, 3], [1.0, 2.0, 3.0]])
def test_numbers_are_matched_as_values(classes, predictions):
    assert read(classes, predictions) == (["1", "2", "2"] * 2, ())


@pytest.mark.parametrize("classes", [[1, 2, 3], ["01", "02", "03"], [1, 2, "other"]])
def test_positions_are_refused_where_classes_are_numbers(classes):
    with pytest.raises(DataError, match=r"positions cannot be told from names.*data\.classes"):
        read(classes, [0, 1, 2] * 2)


def test_positions_among_words_are_noted():
    names, notes = read(["ant", "bee", "cat"], [0, 1, 2.0] * 2)
    assert names == ["ant", "bee", "cat"] * 2
    assert notes == ("Predictions were read as positions: 0 is 'ant', 2 is 'cat'.",)


def test_truth_values_are_names_or_numbers():
    flags = np.array([True, False, False] * 2)
    assert read([0, 1, 2], flags) == (["1", "0", "0"] * 2, ())
    assert read([False, True, "x"], flags) == (["True", "False", "False"] * 2, ())
    assert read(["ant", "bee", "cat"], flags)[0] == ["bee", "ant", "ant"] * 2


def test_a_class_called_none_can_be_predicted():
    assert read(["None", "Mild", "Bad"], ["None", "Mild", "Bad"] * 2)[0][0] == "None"
    with pytest.raises(DataError, match=r"no prediction .* 2 of 6 examples \(rows 0, 3\)"):
        read(["None", "Mild", "Bad"], [None, "Mild", "Bad"] * 2)


def test_unknown_predictions_are_refused():
    with pytest.raises(DataError, match=r"'3', '4', which are not classes.*positions from 0"):
        read(["ant", "bee", "cat"], [0, 3, 4] * 2)
    with pytest.raises(DataError, match=r"predictions '0', '0\.2'"):
        read(["ant", "bee", "cat"], [0.2, 0, 1] * 2)


def test_files_with_numbers_of_rows_must_be_in_order(tmp_path):
    file = tmp_path / "p.csv"
    order = [5, 0, 1, 2, 3, 4]
    file.write_text("\n".join(["id,prediction", *(f"{i},{'ab'[i % 2]}" for i in order)]))
    with pytest.raises(DataError, match=r"not in the order of the column 'id'.*sort the file"):
        read(["a", "b", "b"], str(file))
    file.write_text("\n".join(["file,prediction", *(f"{i}.png,{'ab'[i % 2]}" for i in order)]))
    assert "assigned to examples by their order" in read(["a", "b", "b"], str(file))[1][0]
