"""Rows of one lesion, person or drive stay on one side of every split."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automorph.data import as_dataset, from_arrays, load_data, split, split_hashes
from automorph.data.together import joined, representatives
from automorph.errors import DataError, UsageError


def images(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 4, 4, 1), np.uint8)


def table(path: Path, rows: list[tuple[Any, ...]], names: str = "text,label,lesion") -> str:
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([names, *lines]) + "\n")
    return f"csv:{path}"


@pytest.mark.parametrize("seed", range(12))
def test_no_group_is_in_two_parts(seed: int) -> None:
    draw = np.random.default_rng(seed)
    n = int(draw.integers(150, 300))
    groups, labels = draw.integers(0, 40, n), draw.integers(0, 3, n) > 1
    data = from_arrays(images(n), [f"c{v}" for v in labels], groups=groups)
    parts = split(data, seed=seed).parts
    seen = [set(part.metadata["groups"].tolist()) for part in parts.values()]
    assert sum(map(len, seen)) == len(set.union(*seen)) == len(set(groups.tolist()))
    assert sum(map(len, parts.values())) == n
    assert all(len(np.unique(part.labels)) == 2 for part in parts.values())


def test_groups_of_one_row_are_split_as_without_groups() -> None:
    x, y = images(90), np.arange(90) % 3
    plain, grouped = from_arrays(x, y), from_arrays(x, y, groups=np.arange(90))
    assert split_hashes(split(plain)) == split_hashes(split(grouped))
    assert plain.hash == grouped.hash


def test_parts_get_their_share_of_groups_and_of_rare_classes() -> None:
    groups = np.repeat(np.arange(100), 5)
    labels = np.where((groups % 10 == 0) & (np.arange(500) % 5 == 3), "rare", "common")
    parts = split(from_arrays(images(500), labels, groups=groups)).parts
    assert [len(part) for part in parts.values()] == [300, 100, 100]
    rare = [int((part.labels == 1).sum()) for part in parts.values()]
    assert rare == [6, 2, 2]  # one row of ten groups


def test_copies_join_the_groups_that_they_are_in() -> None:
    x = images(100)
    x[7] = x[93]
    parts = split(from_arrays(x, np.arange(100) % 2, groups=np.arange(100) // 2)).parts
    where = {id: name for name, part in parts.items() for id in part.names}
    assert len({where[f"train[{row}]"] for row in (6, 7, 92, 93)}) == 1


def test_one_value_written_in_two_ways_is_one_group(tmp_path: Path) -> None:
    rows = [
        (f"text {i}", "ab"[i % 2], f"{i // 4:03}" if i % 3 else f"{i // 4}.0") for i in range(80)
    ]
    data = split(load_data(table(tmp_path / "a.csv", rows), keep_together="lesion"))
    seen = [{int(float(v)) for v in part.metadata["lesion"]} for part in data.parts.values()]
    assert sum(map(len, seen)) == 20
    assert data.notes[-1] == (
        "rows with the same lesion stay in one part; values: train 12 (48 rows), validation 4 "
        "(16 rows), test 4 (16 rows)"
    )
    kept = load_data(table(tmp_path / "a.csv", rows), keep_together="lesion", limit=30)
    assert kept.test is not None
    known = {int(float(v)) for v in kept.train.metadata["lesion"]}
    assert not known & {int(float(v)) for v in kept.test.metadata["lesion"]}


def test_a_group_in_two_published_parts_is_a_leak(tmp_path: Path) -> None:
    for part, first in (("train", 0), ("test", 36)):
        rows = [(f"{part} {i}", "ab"[i % 2], f"L{i // 4}") for i in range(first, first + 40)]
        table(tmp_path / f"{part}.csv", rows)
    source = f"csv:{tmp_path}"
    load_data(source)
    with pytest.raises(DataError, match=r"same lesion are in more than one part.*\n.*test: 4 \("):
        load_data(source, keep_together="lesion")
    kept = load_data(source, keep_together="lesion", leakage="keep")
    assert "examples with the same lesion kept in two parts (leakage='keep'): 4" in kept.notes
    dropped = load_data(source, keep_together="lesion", leakage="drop")
    assert len(dropped.train) == 36
    assert any("share their lesion with a later part: 4" in note for note in dropped.notes)


def test_columns_that_cannot_be_kept_together(tmp_path: Path) -> None:
    rows = [(f"text {i}", "ab"[i % 2], f"L{i // 4}" if i != 7 else "") for i in range(40)]
    source = table(tmp_path / "a.csv", rows)
    with pytest.raises(DataError, match=r"no column 'lesoin'.*columns.*Expected"):
        load_data(source, keep_together="lesoin")
    with pytest.raises(UsageError, match="also the subgroup column"):
        load_data(source, keep_together="lesion", subgroup="lesion")
    with pytest.raises(UsageError, match="column of the labels"):
        load_data(source, keep_together="label")
    with pytest.raises(DataError, match=r"train\[7\]: no lesion"):
        load_data(source, keep_together="lesion")
    assert len(load_data(source, keep_together="lesion", skip_bad=True).train) == 39
    few = table(
        tmp_path / "b.csv", [(f"t {i}", "ab"[i % 2], f"L{i % 2}{i % 3}") for i in range(40)]
    )
    with pytest.raises(DataError, match="at least 5 different values of lesion of each class"):
        split(load_data(few, keep_together="lesion"))


def test_groups_of_arrays() -> None:
    x, y, groups = images(60), np.arange(60) % 2, np.arange(60) // 3
    data = as_dataset((x, y), groups=groups)
    assert data.keep_together == "groups"
    with pytest.raises(UsageError, match=r"not for test.*groups=\{"):
        from_arrays(x, y, groups=groups, test=(images(6, 1), [0, 1] * 3))
    both = {"train": groups, "test": np.arange(6) + 100}
    assert from_arrays(x, y, groups=both, test=(images(6, 1), [0, 1] * 3)).keep_together
    with pytest.raises(DataError, match=r"groups of train have shape \(59,\)"):
        from_arrays(x, y, groups=groups[1:])
    with pytest.raises(UsageError, match="groups=ARRAY"):
        as_dataset((x, y), keep_together="person")
    with pytest.raises(UsageError, match="keep_together=COLUMN"):
        as_dataset("digits", groups=groups)
    with pytest.raises(UsageError, match="already loaded: keep_together"):
        as_dataset(data, keep_together="person")


def test_units_and_their_representatives() -> None:
    columns = [np.array(list("abbcd"), "S"), np.array(list("vwxxy"), "S")]
    units = joined(columns)
    assert units.tolist() == [0, 1, 1, 1, 2]
    assert representatives(units, np.array([0, 0, 1, 0, 0])).tolist() == [0, 2, 4]
