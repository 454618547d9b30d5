"""Tables as programs really write them: quotes, arrays, tensors, parts, guessed columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_files import encoded, noise

from automorph.data import Dataset, as_dataset, load_data
from automorph.errors import DataError

IMAGES = noise(5, 8, 4, 5, 3)
LABELS = [0, 1] * 4
COLUMNS: dict[str, Any] = {"text": "text", "label": "label"}


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def texts(data: Dataset) -> list[str]:
    found: list[str] = data.train.data.tolist()
    return found


# quotes


def table(mark: str, rows: dict[int, str]) -> list[str]:
    """Forty rows of text and label; some texts replaced as written."""
    return [
        mark.join(("text", "label")),
        *(f"{rows.get(i, f'text {i}')}{mark}{i % 2}" for i in range(40)),
    ]


@pytest.mark.parametrize("mark", ["\t", ","])
@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ({3: '"open'}, "5"),
        ({3: '"open', 4: 'the "best"'}, "5"),
        ({3: '"open', 9: '5"'}, "5"),  # the second quote closes the field properly
        ({3: '"open', 9: '"again'}, "5, 11"),
        ({3: '"a" word', 39: '"last'}, "5, 41"),
    ],
)
def test_a_quote_that_does_not_close_merges_no_rows(
    tmp_path: Path, mark: str, rows: dict[int, str], lines: str
) -> None:
    name = "a.tsv" if mark == "\t" else "a.csv"
    data = load_data(f"csv:{write(tmp_path / name, *table(mark, rows))}", **COLUMNS)
    assert texts(data) == [rows.get(i, f"text {i}") for i in range(40)]
    assert data.train.labels.tolist() == [0, 1] * 20
    assert data.notes == (f"quotes that do not close were read as text: {name}, lines {lines}",)


def test_labels_before_texts_and_other_columns(tmp_path: Path) -> None:
    rows = [f'{i % 2},id{i},{ {3: chr(34) + "open", 7: "5" + chr(34)}.get(i, f"text {i}") }'
            for i in range(40)]  # fmt: skip
    data = load_data(f"csv:{write(tmp_path / 'a.csv', 'label,id,text', *rows)}", **COLUMNS)
    assert len(data.train) == 40
    assert texts(data)[3] == '"open'


def test_quoted_fields_of_several_lines_stay_whole(tmp_path: Path) -> None:
    wanted = ["one, two\nthree, four", 'he said "hi"\n, he did', "\n\n", 'last "word"'] * 10
    wanted = [f"{text} {i}" for i, text in enumerate(wanted)]
    lines = ['"{}",{}'.format(text.replace('"', '""'), i % 2) for i, text in enumerate(wanted)]
    data = load_data(f"csv:{write(tmp_path / 'a.csv', 'text,label', *lines)}", **COLUMNS)
    assert texts(data) == wanted
    assert data.notes == ()


def test_other_fields_of_a_line_with_an_open_quote_keep_their_meaning(tmp_path: Path) -> None:
    rows = [f'"text {i}","{i % 2}"' for i in range(40)]
    rows[3] = '"text 3,"1"'
    data = load_data(f"csv:{write(tmp_path / 'a.csv', 'text,label', *rows)}", **COLUMNS)
    assert data.classes == ("0", "1")
    assert texts(data)[3] == '"text 3'


def test_an_open_quote_beside_separators_is_named(tmp_path: Path) -> None:
    rows = table(",", {3: '"open, twice', 20: 'a "quote"'})
    with pytest.raises(DataError) as error:
        load_data(f"csv:{write(tmp_path / 'a.csv', *rows)}", **COLUMNS)
    assert "1 of 40 rows" in str(error.value)
    assert "train[3]: line 5 of a.csv: a quote opens a field and does not close: 3 fields" in str(
        error.value
    )


def test_a_separator_with_a_rival_is_noted(tmp_path: Path) -> None:
    rows = [f"text {i};{i % 2};x" for i in range(8)]
    data = load_data(f"csv:{write(tmp_path / 'a.csv', 'text;label;a,b', *rows)}", **COLUMNS)
    assert "separated by ';', not by ','" in data.notes[0]


# JSON


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_a_json_array_is_read(tmp_path: Path, indent: int | None, name: str) -> None:
    rows = [{"text": f"text {i}", "label": i % 2} for i in range(8)]
    data = load_data(f"jsonl:{write(tmp_path / name, json.dumps(rows, indent=indent))}", **COLUMNS)
    assert texts(data) == [f"text {i}" for i in range(8)]


@pytest.mark.parametrize(
    "content",
    [
        {"data": [{"text": "a", "label": 0}], "version": 1},
        {"text": {"0": "a", "1": "b"}, "label": {"0": 0, "1": 1}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_one_json_object_is_explained(tmp_path: Path, content: Any, indent: int | None) -> None:
    file = write(tmp_path / "a.json", json.dumps(content, indent=indent))
    if indent is None and "version" in content:
        content.pop("version")
        file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"one JSON object with the keys .*orient='records'"):
        load_data(f"jsonl:{file}", **COLUMNS)


def test_a_key_given_twice_is_a_bad_row(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"t{i}", "label": i % 2}) for i in range(8)]
    lines[2] = '{"text": "t2", "label": 0, "label": 1}'
    with pytest.raises(DataError, match=r"line 3 of a\.jsonl: the key 'label' appears twice"):
        load_data(f"jsonl:{write(tmp_path / 'a.jsonl', *lines)}")


# images in Parquet


def column(kind: str) -> tuple[pa.Field, pa.Array]:
    """An Arrow column of images as a library writes it."""
    nested = pa.array(
        [image.tolist() for image in IMAGES], pa.list_(pa.list_(pa.list_(pa.uint8())))
    )
    flat = pa.array([image.ravel() for image in IMAGES], pa.large_list(pa.uint8()))
    if kind == "nested lists":
        return pa.field("image", nested.type), nested
    if kind == "int64 lists":
        longs = nested.cast(pa.list_(pa.list_(pa.list_(pa.int64()))))
        return pa.field("image", longs.type), longs
    if kind == "Polars array":
        of = pa.list_(pa.list_(pa.list_(pa.uint8(), 3), 5), 4)
        return pa.field("image", of), pa.array([image.tolist() for image in IMAGES], of)
    if kind == "Ray tensors":
        about = {"ARROW:extension:name": "ray.data.arrow_tensor_v2",
                 "ARROW:extension:metadata": "[4, 5, 3]"}  # fmt: skip
        return pa.field("image", flat.type, metadata=about), flat
    if kind == "Ray structs":
        cells = [{"data": image.ravel(), "shape": image.shape} for image in IMAGES]
        of = pa.struct([("data", pa.large_list(pa.uint8())), ("shape", pa.list_(pa.int64()))])
        about = {"ARROW:extension:name": "ray.data.arrow_variable_shaped_tensor",
                 "ARROW:extension:metadata": "3"}  # fmt: skip
        return pa.field("image", of, metadata=about), pa.array(cells, of)
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(IMAGES)
    return pa.field("image", tensors.type), tensors


def write_images(path: Path, *kinds: str) -> Path:
    """Write a file for each kind into a folder."""
    path.mkdir()
    for number, kind in enumerate(kinds):
        field, images = column(kind)
        rows = slice(number * 8 // len(kinds), (number + 1) * 8 // len(kinds))
        schema = pa.schema([field, pa.field("label", pa.int64())])
        part = pa.Table.from_arrays([images[rows], pa.array(LABELS[rows])], schema=schema)
        pq.write_table(part, path / f"{number}.parquet")
    return path


@pytest.mark.parametrize(
    "kinds",
    [["nested lists"], ["int64 lists"], ["Polars array"], ["Ray tensors"], ["Ray structs"],
     ["tensors"], ["Ray tensors", "Ray structs"]],
    ids="+".join,
)  # fmt: skip
def test_images_as_ray_and_polars_write_them(tmp_path: Path, kinds: list[str]) -> None:
    data = load_data(f"parquet:{write_images(tmp_path / 'set', *kinds)}")
    np.testing.assert_array_equal(data.train.data, IMAGES)
    assert data.train.labels.tolist() == LABELS
    assert "image column: 'image' (guessed by its type" in data.notes[0]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([[1, 2, 3]] * 8, "a flat list of 3 numbers without a shape"),
        ([[[1, 2], [3]]] * 8, "rows of different lengths"),
        ([[[300, 2], [3, 4]]] * 8, "array of int64: expected uint8"),
    ],
)
def test_lists_that_are_no_images_are_explained(tmp_path: Path, cells: Any, reason: str) -> None:
    pq.write_table(pa.table({"image": cells, "label": LABELS}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=reason):
        load_data(f"parquet:{tmp_path / 'a.parquet'}")


def test_files_as_lists_of_bytes_are_read(tmp_path: Path) -> None:
    files = pa.array([list(encoded(image)) for image in IMAGES], pa.list_(pa.uint8()))
    pq.write_table(pa.table({"image": files, "label": LABELS}), tmp_path / "a.parquet")
    data = load_data(f"parquet:{tmp_path / 'a.parquet'}")
    np.testing.assert_array_equal(data.train.data, IMAGES)


def test_arrays_of_hugging_face_are_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = {"image": datasets.Array3D((4, 5, 3), "uint8"), "label": datasets.Value("int64")}
    values = {"image": IMAGES, "label": LABELS}
    rows = datasets.Dataset.from_dict(values, features=datasets.Features(features))
    rows.to_parquet(str(tmp_path / "a.parquet"))
    for data in (as_dataset(rows), load_data(f"parquet:{tmp_path / 'a.parquet'}")):
        np.testing.assert_array_equal(data.train.data, IMAGES)


def test_labels_of_32_bits_are_as_short_as_in_text(tmp_path: Path) -> None:
    labels = pa.array([0.1, 2.0] * 4, pa.float32())
    pq.write_table(pa.table({"text": [f"t{i}" for i in range(8)], "label": labels}),
                   tmp_path / "a.parquet")  # fmt: skip
    assert load_data(f"parquet:{tmp_path / 'a.parquet'}").classes == ("0.1", "2")


# parts


def rows_of(n: int, start: int = 0, **columns: Any) -> list[str]:
    return [
        json.dumps({"text": f"text {start + i}", "label": i % 2}
                   | {name: values[i] for name, values in columns.items()})
        for i in range(n)
    ]  # fmt: skip


def sizes(data: Dataset) -> dict[str, int]:
    return {name: len(part) for name, part in data.parts.items()}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("split", ["train"] * 6 + ["val"] * 2 + ["test"] * 4),
        ("Part", ["Training"] * 6 + ["dev"] * 2 + ["TEST"] * 4),
        ("partition", [0] * 6 + [1] * 2 + [2] * 4),
        ("split", ["0"] * 6 + ["1.0"] * 2 + ["2"] * 4),
    ],
)
def test_a_column_of_parts_is_used(tmp_path: Path, column: str, values: list[Any]) -> None:
    file = write(tmp_path / "a.jsonl", *rows_of(12, **{column: values}))
    data = load_data(f"jsonl:{file}", **COLUMNS)
    assert sizes(data) == {"train": 6, "validation": 2, "test": 4}
    assert data.parts["test"].names == [f"test[{i}]" for i in range(8, 12)]
    assert data.notes[-1] == (
        f"parts read from the column {column!r}: train 6, validation 2, test 4 rows"
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["train"] * 6 + ["test"] * 5 + ["extra"], "'test', 'train'. but also holds 'extra'"),
        (["train"] * 6 + [None] * 6, "also holds 'nothing'"),
        (["val"] * 6 + ["test"] * 6, "no train part"),
    ],
)
def test_a_column_of_parts_with_other_values_is_refused(
    tmp_path: Path, values: list[Any], words: str
) -> None:
    file = write(tmp_path / "a.jsonl", *rows_of(12, split=values))
    with pytest.raises(DataError, match=words):
        load_data(f"jsonl:{file}", **COLUMNS)


def test_a_part_of_the_body_is_no_part_of_the_data(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *rows_of(12, part=["arm", "leg"] * 6, fold=[0, 1, 2] * 4))
    data = load_data(f"jsonl:{file}", **COLUMNS)
    assert sizes(data) == {"train": 12}
    assert data.notes == (
        "ignored column 'part': its values are no parts: arm, leg",
        "ignored column 'fold': its values are no parts: 0, 1, 2",
    )
    assert load_data(f"jsonl:{file}", subgroup="part", **COLUMNS).subgroup_names == ("arm", "leg")


def test_a_column_must_not_contradict_the_files(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", *rows_of(8, split=["train"] * 7 + ["test"]))
    write(tmp_path / "test.jsonl", *rows_of(4, 50, split=["test"] * 4))
    with pytest.raises(DataError, match="of the train files names the parts 'test', 'train'"):
        load_data(f"jsonl:{tmp_path}", **COLUMNS)
    write(tmp_path / "train.jsonl", *rows_of(8, split=["train"] * 8))
    assert sizes(load_data(f"jsonl:{tmp_path}", **COLUMNS)) == {"train": 8, "test": 4}


@pytest.mark.parametrize(
    ("train", "test"),
    [("train/0", "test/0"), ("split=train/0", "split=test/0"), ("x/my_train", "x/my_test"),
     ("training_set/0", "test_set/0")],
)  # fmt: skip
def test_parts_are_named_by_folders_too(tmp_path: Path, train: str, test: str) -> None:
    write(tmp_path / f"{train}.jsonl", *rows_of(8))
    write(tmp_path / f"{test}.JSONL", *rows_of(4, 50))
    for source in (tmp_path, f"{tmp_path}/**/*.[jJ]*"):
        assert sizes(load_data(f"jsonl:{source}", **COLUMNS)) == {"train": 8, "test": 4}


def test_files_of_two_parts_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "train" / "test_0.jsonl", *rows_of(8))
    write(tmp_path / "train" / "1.jsonl", *rows_of(8, 50))
    with pytest.raises(DataError, match="'test_0' names test but 'train' names train"):
        load_data(f"jsonl:{tmp_path}")


def test_files_that_name_no_part(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", *rows_of(8))
    write(tmp_path / "more.jsonl", *rows_of(8, 50))
    write(tmp_path / ".ipynb_checkpoints" / "train.jsonl", *rows_of(8, 90))
    write(tmp_path / "sheet.xlsx", "")
    data = load_data(f"jsonl:{tmp_path}", **COLUMNS)
    assert sizes(data) == {"train": 8}
    assert data.notes == (
        "ignored files of rows with another ending: 1 .xlsx",
        "ignored files that name no part: more.jsonl",
    )
    (tmp_path / "train.jsonl").rename(tmp_path / "test.jsonl")
    data = load_data(f"jsonl:{tmp_path}", **COLUMNS)
    assert sizes(data) == {"train": 8, "test": 8}
    assert "files that name no part are the train part: more.jsonl" in data.notes


@pytest.mark.parametrize(
    ("column", "expected"),
    [("is_valid", {"train": 8, "validation": 4}), ("is_test", {"train": 8, "test": 4})],
)
def test_flags_of_parts_are_used(tmp_path: Path, column: str, expected: dict[str, int]) -> None:
    flags = [i >= 8 for i in range(12)]
    file = write(tmp_path / "a.jsonl", *rows_of(12, **{column: flags}))
    assert sizes(load_data(f"jsonl:{file}", **COLUMNS)) == expected
    file = write(tmp_path / "b.jsonl", *rows_of(12, is_train=flags))
    with pytest.raises(DataError, match="is_train=False can be read as validation or as test"):
        load_data(f"jsonl:{file}", **COLUMNS)


def test_two_columns_of_parts_must_agree(tmp_path: Path) -> None:
    split = ["train"] * 8 + ["test"] * 4
    file = write(tmp_path / "a.jsonl", *rows_of(12, split=split, is_test=[0] * 8 + [1] * 4))
    assert sizes(load_data(f"jsonl:{file}", **COLUMNS)) == {"train": 8, "test": 4}
    file = write(tmp_path / "b.jsonl", *rows_of(12, split=split, is_test=[0] * 9 + [1] * 3))
    with pytest.raises(DataError, match="'split', 'is_test' name different parts"):
        load_data(f"jsonl:{file}", **COLUMNS)


def test_missing_files_of_a_set_are_noted(tmp_path: Path) -> None:
    for number in (0, 2):
        rows = {"text": [f"{number} {i}" for i in range(8)], "label": LABELS}
        pq.write_table(pa.table(rows), tmp_path / f"train-{number:05}-of-00003.parquet")
    data = load_data(f"parquet:{tmp_path}", **COLUMNS)
    assert data.notes == ("files missing: train has 2 of 3 files, without 00001",)


# columns


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_repeated_header_is_a_bad_row(tmp_path: Path, mark: str) -> None:
    rows = [f"text {i},{i % 2}" for i in range(20)]
    file = write(tmp_path / "a.csv", "text,label", *rows[:10], f"{mark}text,label", *rows[10:])
    with pytest.raises(DataError, match=r"line 12 of a\.csv: the header again"):
        load_data(f"csv:{file}")


def test_a_column_given_twice_in_parquet_is_refused(tmp_path: Path) -> None:
    columns = [pa.array([f"t{i}" for i in range(8)]), pa.array(LABELS), pa.array(LABELS)]
    pq.write_table(
        pa.Table.from_arrays(columns, ["text", "label", "label"]), tmp_path / "a.parquet"
    )
    with pytest.raises(DataError, match=r"columns \['label'\] appear twice"):
        load_data(f"parquet:{tmp_path / 'a.parquet'}")


def test_guessed_columns_are_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", *rows_of(8, review=["x"] * 8, target=list("ab") * 4))
    assert load_data(f"jsonl:{file}").notes == (
        "text column: 'text' (guessed by its name, not 'review'; choose with text=... (--text))",
        "label column: 'label' (guessed by its name, not 'target'; choose with label=... "
        "(--label))",
    )
    assert load_data(f"jsonl:{file}", **COLUMNS).notes == ()


def test_a_hub_column_of_parts_is_read_by_name() -> None:
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["training", "held back", "test"])
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.Value("int64"), "split": names}
    )
    values = {"text": [f"t{i}" for i in range(12)], "label": [0, 1] * 6,
              "split": [0] * 8 + [2] * 4}  # fmt: skip
    data = as_dataset(datasets.Dataset.from_dict(values, features=features), **COLUMNS)
    assert sizes(data) == {"train": 8, "test": 4}


def test_parts_of_a_hub_set_by_their_plain_names() -> None:
    datasets = pytest.importorskip("datasets")

    def rows(n: int, start: int) -> Any:
        values = {"text": [f"t{start + i}" for i in range(n)], "label": [i % 2 for i in range(n)]}
        return datasets.Dataset.from_dict(values)

    sets = {"train_extra": rows(6, 0), "train": rows(8, 20), "test_matched": rows(2, 40)}
    data = as_dataset(datasets.DatasetDict(sets), **COLUMNS)
    assert sizes(data) == {"train": 8, "test": 2}
    assert data.notes == ("test part: 'test_matched', by its name", "parts ignored: train_extra")


def test_arrays_that_are_not_used_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=LABELS, x_train=IMAGES, weights=LABELS)
    assert load_data(f"numpy:{tmp_path / 'a.npz'}").notes == ("ignored arrays: x_train, weights",)
