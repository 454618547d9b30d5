"""The page of methods names every method, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "methods.md"


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if row[0] != "method" and set(row[0]) != {"-"}]


def test_every_row_is_complete() -> None:
    assert len(rows()) > 30
    for row in rows():
        assert len(row) == 6, row[0]
        assert all(row), row[0]


def test_every_named_method_has_a_row() -> None:
    from automorph.augmenters.builtin import METHODS as IN_TRAINING
    from automorph.policies.builtin import POLICIES
    from automorph.robustness.builtin import METHODS as OBJECTIVES
    from automorph.robustness.translators.builtin import TRANSLATORS
    from automorph.searchers.builtin import METHODS as SEARCHES

    first = " ".join(row[0] for row in rows())
    missing = [
        name
        for names in (POLICIES, IN_TRAINING, OBJECTIVES, TRANSLATORS, SEARCHES)
        for name in names
        if name not in ("none",) and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", first)
    ]
    assert not missing


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:40])
def test_the_tests_of_a_row_exist(row: list[str]) -> None:
    """A name is a path under the root, a test file with or without a test, or a pattern of tests.

    A test without a file is in the file named before it.
    """
    files = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    source = ""
    for named in re.findall(r"`([^`]+)`", row[5]):
        file, _, test = named.rpartition("::") if "::" in named else (named, "", "")
        if not file.endswith(".py") and "/" not in file:
            file, test = "", named
        if "/" in file:
            found = list(ROOT.glob(file)) or list((ROOT / "tests").glob(file))
            assert found, named
            source = "" if found[0].is_dir() else found[0].read_text()
        elif file:
            assert file in files, named
            source = files[file].read_text()
        if test:
            pattern = re.escape(test).replace(r"\*", r"\w*")
            assert re.search(rf"def {pattern}\b", source), named
