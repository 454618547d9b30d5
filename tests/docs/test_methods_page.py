"""The page of methods names every method, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "methods.md"


FIELDS = ["Paper", "Code read", "Same", "Differs", "Test"]


def sections() -> list[tuple[str, dict[str, str]]]:
    """The heading of every method, and its fields."""
    found = []
    for part in re.split(r"^### ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        text = text.partition("\n## ")[0]
        pieces = re.split(r"^- \*\*([\w ]+)\*\*: ", text, flags=re.MULTILINE)
        values = (" ".join(value.split()) for value in pieces[2::2])
        found.append((heading, dict(zip(pieces[1::2], values, strict=True))))
    return found


def test_every_section_is_complete() -> None:
    assert len(sections()) > 30
    for heading, fields in sections():
        assert list(fields) == FIELDS, heading
        assert all(fields.values()), heading


def test_every_named_method_has_a_section() -> None:
    from automorph.augmenters.builtin import METHODS as IN_TRAINING
    from automorph.policies.builtin import POLICIES
    from automorph.robustness.builtin import METHODS as OBJECTIVES
    from automorph.robustness.translators.builtin import TRANSLATORS
    from automorph.searchers.builtin import METHODS as SEARCHES

    first = " ".join(heading for heading, _ in sections())
    missing = [
        name
        for names in (POLICIES, IN_TRAINING, OBJECTIVES, TRANSLATORS, SEARCHES)
        for name in names
        if name not in ("none",) and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", first)
    ]
    assert not missing


@pytest.mark.parametrize(
    ("heading", "fields"), sections(), ids=[heading[:40] for heading, _ in sections()]
)
def test_the_tests_of_a_section_exist(heading: str, fields: dict[str, str]) -> None:
    """A name is a path under the root, a test file with or without a test, or a pattern of tests.

    A test without a file is in the file named before it.
    """
    files = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    source = ""
    for named in re.findall(r"`([^`]+)`", fields["Test"]):
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
