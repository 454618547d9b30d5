"""Subgroups from several columns, and columns stored with the examples."""

import numpy as np
import pytest
from PIL import Image

from automorph.data import load_data, split
from automorph.errors import DataError, UsageError


@pytest.fixture
def table(tmp_path):
    """40 pictures with a label, two subgroup columns, a number and a missing value."""
    rng = np.random.default_rng(0)
    lines = ["image,label,site,device,age"]
    for i in range(40):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / f"{i}.png")
        site, device = "north" if i % 4 < 2 else "south", i % 3
        lines.append(f"{i}.png,{'ab'[i % 2]},{site},{device},{'' if i == 3 else 20 + i / 4}")
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    return f"csv:{tmp_path}/table.csv"


def test_several_columns_make_subgroups_of_their_combinations(table):
    data = load_data(table, subgroup=("site", "device"))

    assert data.subgroup_names[0] == "site=north, device=0"
    assert len(data.subgroup_names) == 6
    assert data.train.metadata["site"][:4].tolist() == ["north", "north", "south", "south"]
    assert list(data.train.metadata) == ["site", "device"]


def test_one_column_is_as_before(table):
    assert load_data(table, subgroup="site").subgroup_names == ("north", "south")
    assert load_data(table, subgroup=("site",)).subgroup_names == ("north", "south")
    assert load_data(table).train.metadata == {}


def test_metadata_goes_where_its_rows_go(table):
    data = split(load_data(table, metadata=None, seed=3))

    assert list(data.train.metadata) == ["site", "device", "age"]
    for part in data.parts.values():
        for name, age in zip(part.names, part.metadata["age"].tolist(), strict=True):
            row = int(name.removeprefix("train[").removesuffix("]"))
            assert age == ("" if row == 3 else str(20 + row / 4))


def test_columns_that_are_missing(table):
    with pytest.raises(DataError, match=r"'siet'.*subgroup.*Did you mean 'site'"):
        load_data(table, subgroup="siet")
    with pytest.raises(DataError, match="metadata"):
        load_data(table, metadata=["colour"])
    with pytest.raises(UsageError, match="columns to choose: subgroup='site' cannot"):
        load_data("digits", subgroup=("site",))


def test_a_measurement_is_no_subgroup(table):
    with pytest.raises(DataError, match="measurement"):
        load_data(table, subgroup="age", skip_bad=True)
