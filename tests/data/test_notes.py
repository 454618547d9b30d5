"""Notes on data are made in one place: nothing else adds to them, warns or prints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import automorph
from automorph.data.notes import Notes

PACKAGE = Path(automorph.__file__).parent
DATA = sorted((PACKAGE / "data").rglob("*.py"))
OTHERS = [path for path in sorted(PACKAGE.rglob("*.py")) if path not in DATA]
HOLDERS = {"Dataset", "RawData", "RawTable", "replace"}
"""What keeps notes, as a tuple; any other call takes the `Notes` object itself."""
SPEAKING = {"print", "warn", "warn_explicit", "getLogger", "echo", "secho"}


def strays(source: str, *, inside: bool) -> Iterator[str]:
    """Yield what goes past `Notes`: notes put together by hand, warnings, prints and logs."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if inside and name in SPEAKING:
            yield f"line {node.lineno}: {name}()"
        values = [keyword.value for keyword in node.keywords if keyword.arg == "notes"]
        if name in HOLDERS:
            ours = inside or name != "replace" or isinstance(node.func, ast.Attribute)
            if any(not inside or not _lines(value) for value in values) and ours:
                yield f"line {node.lineno}: {ast.unparse(node)}"
        elif inside and any(not isinstance(value, ast.Name) for value in values):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _lines(value: ast.expr) -> bool:
    """Return whether a value is the ``lines`` of a `Notes` object."""
    return isinstance(value, ast.Attribute) and value.attr == "lines"


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_notes_are_made_in_one_place(path: Path) -> None:
    assert list(strays(path.read_text("utf-8"), inside=True)) == []


def test_no_other_package_adds_notes_on_data() -> None:
    found = {path.name: list(strays(path.read_text("utf-8"), inside=False)) for path in OTHERS}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "fault",
    [
        "dataset.replace(notes=(*dataset.notes, note))",
        "RawData(name, 'image', rows, notes=tuple(lines))",
        "replace(raw, notes=raw.notes + (note,))",
        "warnings.warn('rows were dropped', stacklevel=2)",
        "print('rows were dropped')",
        "logging.getLogger(__name__).warning('dropped')",
    ],
)
def test_strays_are_found(fault: str) -> None:
    assert len(list(strays(fault, inside=True))) == 1


def test_notes_made_anew_replace_the_former() -> None:
    notes = Notes(["a: 1", "b: 2"])
    notes.remove("a: ")
    notes.add("c: 3", "b: 2")
    assert notes.lines == ("b: 2", "c: 3")
