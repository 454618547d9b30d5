"""Several labels of one example: how they are read, what is noted, and what is refused."""

import json

import numpy as np
import pytest

from automorph.data import from_arrays, in_fold, load_data, split, with_folds
from automorph.errors import DataError

N = 60
RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (N, 8, 8), np.uint8)
LABELS = RANDOM.integers(0, 2, (N, 3))
NAMES = ("open", "short", "spur")


def names_of(row):
    return [name for name, has in zip(NAMES, row, strict=True) if has]


def texts(root, *columns, header, ending="csv"):
    """Write a table of texts with these columns, and return its source."""
    lines = [header, *(f"text {i},{','.join(row)}" for i, row in enumerate(zip(*columns)))]  # noqa: B905
    (root / f"t.{ending}").write_text("\n".join(lines))
    return f"csv:{root / 't.csv'}"


def as_columns(root):
    columns = [[str(v) for v in LABELS[:, k]] for k in range(3)]
    return load_data(
        texts(root, *columns, header="text,open,short,spur"), label="open, short,spur",
        target="labels",
    )  # fmt: skip


def as_truth_values(root):
    columns = [["true" if v else "False" for v in LABELS[:, k]] for k in range(3)]
    return load_data(
        texts(root, *columns, header="text,open,short,spur"), label="open,short,spur",
        target="labels",
    )  # fmt: skip


def as_separated(root, separator="|"):
    column = [separator.join(names_of(row)) for row in LABELS]
    return load_data(texts(root, column, header="text,label"), target="labels")


def as_json_lines(root):
    lines = [
        json.dumps({"text": f"text {i}", "label": names_of(row)}) for i, row in enumerate(LABELS)
    ]
    (root / "t.jsonl").write_text("\n".join(lines))
    return load_data(f"jsonl:{root / 't.jsonl'}", target="labels")


def as_parquet_of_numbers(root):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    lists = [np.flatnonzero(row).tolist() for row in LABELS]
    table = arrow.table({"text": [f"text {i}" for i in range(N)], "label": lists})
    parquet.write_table(table, root / "t.parquet")
    return load_data(f"parquet:{root / 't.parquet'}", target="labels")


def as_lists_in_text(root):
    column = ["\"['" + "', '".join(names_of(row)) + "']\"" if row.any() else "[]" for row in LABELS]
    return load_data(texts(root, column, header="text,label"), target="labels")


def as_huggingface(root):
    datasets = pytest.importorskip("datasets")
    from automorph.data import as_dataset

    several = getattr(datasets, "List", datasets.Sequence)(datasets.ClassLabel(names=list(NAMES)))
    lists = [np.flatnonzero(row).tolist() for row in LABELS]
    features = datasets.Features({"text": datasets.Value("string"), "label": several})
    table = datasets.Dataset.from_dict(
        {"text": [f"text {i}" for i in range(N)], "label": lists}, features=features
    )
    return as_dataset(table, target="labels")


def as_array(root):
    return from_arrays(IMAGES, LABELS, classes=NAMES, target="labels")


def as_lists_in_memory(root):
    return from_arrays(IMAGES, [names_of(row) for row in LABELS], target="labels")


@pytest.mark.parametrize(
    "read",
    [as_columns, as_truth_values, as_separated, as_json_lines, as_parquet_of_numbers,
     as_lists_in_text, as_huggingface, as_array, as_lists_in_memory],
)  # fmt: skip
def test_every_form_gives_the_same_labels(read, tmp_path):
    data = read(tmp_path)
    assert data.target == "labels"
    assert data.predicted in (NAMES, ("0", "1", "2"))
    assert data.train.annotations.dtype == np.uint8
    assert data.train.annotations.tolist() == LABELS.tolist()


def test_the_separator_is_noted(tmp_path):
    notes = "\n".join(as_separated(tmp_path).notes)
    assert "separator of labels: '|'" in notes
    assert "count as having none of the labels" in notes


def test_names_are_sorted_and_spellings_merged_are_noted():
    lists = [["b", "a"], ["a", "a"], [10], ["2", 2.0], []] * 12
    data = from_arrays(IMAGES, lists, target="labels")
    assert data.predicted == ("10", "2", "a", "b")
    notes = "\n".join(data.notes)
    assert "'2', '2.0' are '2'" in notes
    assert "24 examples name a label more than once" in notes


def test_vectors_are_named_by_their_places():
    data = from_arrays(IMAGES, LABELS.tolist(), target="labels")
    assert data.predicted == ("0", "1", "2")
    assert any("vectors of 3 entries 0 or 1" in note for note in data.notes)


def test_rows_without_labels_are_bad_rows_and_empty_lists_are_not():
    lists = [names_of(row) for row in LABELS]
    lists[3], lists[5] = [], None
    with pytest.raises(DataError, match=r"train\[5\]: no label"):
        from_arrays(IMAGES, lists, target="labels")
    data = from_arrays(IMAGES, lists, target="labels", skip_bad=True)
    assert len(data.train) == N - 1
    assert data.train.annotations[3].tolist() == [0, 0, 0]


def changed(row, column, value):
    labels = LABELS.astype(object)
    labels[row, column] = value
    return labels


CONSTANT = np.concatenate([np.ones((N, 1), int), LABELS[:, 1:]], axis=1)
BAD = {
    "unknown": (changed(4, 1, -1), ("train[4]", "'-1'", "'short'", "expected 0 or 1")),
    "uncertain": (changed(2, 0, 0.5), ("train[2]", "'0.5'", "expected 0 or 1")),
    "a word": (changed(2, 0, "maybe"), ("'maybe'", "for the label 'open'")),
    "NaN": (changed(4, 1, float("nan")), ("train[4]: no entry for the label 'short'",)),
    "all negative": (LABELS * [1, 0, 1], ("no training example has the label 'short'",)),
    "one label": (LABELS[:, :1], ("expected at least two", "--target classes")),
    "one name": ([["open"], []] * 30, ("expected at least two", "--target classes")),
    "classes": ([0, 1] * 30, ("expected a list of labels", "--target classes")),
    "single words": (["open", "short"] * 30, ("no label cell holds several", "--target classes")),
    "two separators": (["a;b", "a,b"] * 30, ("contains ; and ,", "each may separate")),
    "negative numbers": ([[1, -1], [2]] * 30, ("has the label -1", "expected numbers from 0")),
    "None in a list": ([["a", None], ["b"]] * 30, ("train[0]", "the label None")),
    "broken list": (["['a', b]", "['b']"] * 30, ("is no list",)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_labels_are_refused_with_what_to_do(name):
    labels, words = BAD[name]
    wide = isinstance(labels, np.ndarray) and labels.shape[1] == 3
    with pytest.raises(DataError) as caught:
        from_arrays(IMAGES, labels, classes=NAMES if wide else None, target="labels")
    for word in words:
        assert word in str(caught.value)


def test_labels_that_only_the_test_part_has_are_refused():
    with pytest.raises(DataError, match="no training example has the label 'spur'"):
        from_arrays(
            IMAGES[:40], [["open"], ["open", "short"]] * 20, test=(IMAGES[40:], [["spur"]] * 20),
            target="labels",
        )  # fmt: skip


def test_a_label_that_all_have_is_noted():
    data = from_arrays(IMAGES, CONSTANT, classes=NAMES, target="labels")
    assert any("all training examples have 'open'" in note for note in data.notes)


def rare(n=1000, seed=0):
    """Labels of which the rarest is on 1 % of the examples, and one on most rare ones, too."""
    random = np.random.default_rng(seed)
    labels = (random.random((n, 5)) < [0.5, 0.3, 0.1, 0.03, 0.01]).astype(int)
    labels[labels[:, 4] == 1, 3] = 1
    images = random.integers(0, 256, (n, 4, 4), np.uint8)
    return images, labels


def test_every_part_gets_its_share_of_rare_labels():
    images, labels = rare()
    data = split(from_arrays(images, labels, target="labels"))
    for part in data.parts.values():
        shares = part.annotations.mean(axis=0)
        assert (np.abs(shares / labels.mean(axis=0) - 1) < [0.15, 0.2, 0.2, 0.6, 0.6]).all(), shares


def test_folds_and_limits_keep_rare_labels():
    images, labels = rare()
    data = from_arrays(images, labels, target="labels", hold_out=False)
    folded = with_folds(data, 4, repeats=1)
    for cell in range(4):
        parts = in_fold(folded, cell)
        assert all(part.annotations.any(axis=0).all() for part in parts.parts.values())
    limited = from_arrays(images, labels, target="labels", limit=200)
    assert limited.train.annotations.any(axis=0).all()


def test_rows_that_belong_together_stay_in_one_part():
    images, labels = rare()
    groups = np.arange(1000) // 4
    data = split(from_arrays(images, labels, target="labels", groups=groups))
    seen = [set(part.metadata["groups"].tolist()) for part in data.parts.values()]
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_added_rows_move_no_earlier_one():
    images, labels = rare()
    more = np.concatenate([images, np.roll(images, 1, axis=1)])
    first = split(from_arrays(images, labels, target="labels"))
    second = split(from_arrays(more, np.concatenate([labels, labels]), target="labels"))
    assert set(first.train.names) <= set(second.train.names)


def test_copies_with_other_labels_are_noted():
    images = IMAGES.copy()
    images[1] = images[0]
    labels = LABELS.copy()
    labels[1] = 1 - labels[0]
    data = from_arrays(images, labels, target="labels")
    assert any("under more than one set of labels" in note for note in data.notes)
