"""Notes of the integrations: made in one place, and shown in the main process."""

from __future__ import annotations

import ast
import gc
import warnings
from pathlib import Path

import pytest
import torch
from loader_data import Labelled
from torch.utils.data import DataLoader

import automorph.integrations
from automorph.integrations import Augmented, Collate, OnDevice
from automorph.integrations.notes import note

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*fork.*:DeprecationWarning", "ignore:This DataLoader will create"
)
POLICY = "flip-crop"
FOLDER = Path(automorph.integrations.__file__).parent
SHOWN = {"warnings", "logging", "print", "sys.stderr", "sys.stdout"}


def shown_in(source: str) -> set[str]:
    """Return the ways in which a module shows something to the user by itself."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            found |= {name.split(".")[0] for name in [getattr(node, "module", None) or "", *names]}
        elif isinstance(node, (ast.Name, ast.Attribute)):
            found.add(ast.unparse(node))
    return found & SHOWN


def test_notes_are_made_in_one_file() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py")}
    assert shown_in(files.pop("notes.py")) == {"warnings"}
    assert {name: shown for name, text in files.items() if (shown := shown_in(text))} == {}
    assert shown_in("from warnings import warn") == {"warnings"}
    assert shown_in("import sys\nprint(1, file=sys.stderr)") == {"print", "sys.stderr"}


def test_a_note_names_the_line_of_the_user() -> None:
    layer = OnDevice(POLICY)
    images = torch.zeros(2, 3, 8, 8)
    layer(images, index=[1, 2])
    layer(images, index=[1, 2])
    with pytest.warns(UserWarning, match="identically") as told:
        layer(images, index=[1, 2])
    assert [warning.filename for warning in told] == [__file__]
    with pytest.warns(UserWarning, match="^text$") as told:
        note("text")
    assert told[0].filename == __file__


def loader(part: str, *, context: str = "fork", persistent: bool = False) -> DataLoader:
    data = Augmented(Labelled(), POLICY) if part == "dataset" else Labelled()
    return DataLoader(
        data, 4, num_workers=2, multiprocessing_context=context, persistent_workers=persistent,
        collate_fn=Collate(POLICY) if part == "collate" else None,
    )  # fmt: skip


def heard(made: DataLoader, part: str, how: str) -> list[str]:
    """Return what the main process is told after two identical passes."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        list(made), list(made)
        counting = made.dataset if part == "dataset" else made.collate_fn
        if how == "next pass":
            next(iter(made))
        elif how == "set_epoch":
            counting.set_epoch(1), counting.set_epoch(2)
        del made, counting
        gc.collect()
    return [str(one.message) for one in told if "identically" in str(one.message)]


@pytest.mark.parametrize(("part", "how"), [
    ("dataset", "next pass"), ("dataset", "set_epoch"), ("dataset", "deletion"),
    ("collate", "set_epoch"), ("collate", "deletion"),
])  # fmt: skip
@pytest.mark.parametrize("persistent", [False, True])
def test_the_main_process_repeats_the_note_of_a_worker(
    part: str, how: str, persistent: bool
) -> None:
    [message] = heard(loader(part, persistent=persistent), part, how)
    assert "call set_epoch(epoch) before every pass" in message
    assert message.endswith("(from a worker of the loader)")


@pytest.mark.slow
def test_workers_that_are_spawned_are_heard() -> None:
    [message] = heard(loader("collate", context="spawn"), "collate", "set_epoch")
    assert message.endswith("(from a worker of the loader)")


def test_without_workers_nothing_is_repeated() -> None:
    made = DataLoader(Augmented(Labelled(), POLICY), 4)
    [message] = heard(made, "dataset", "next pass")
    assert "worker" not in message
