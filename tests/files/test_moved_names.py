"""Every public name of version 0.1 is still importable, with a warning where its room moved."""

import importlib
import json
import warnings
from pathlib import Path

import pytest

from automorph import _moved

NAMES = json.loads(Path(__file__).with_name("public_names_0_1.json").read_text())
MOVED = [room for room in NAMES if _moved.renamed(f"automorph.{room}")]


@pytest.mark.parametrize("room", NAMES)
def test_public_names_of_the_last_version_are_there(room):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old = importlib.import_module(f"automorph.{room}")
        missing = [name for name in NAMES[room] if not hasattr(old, name)]
    assert not missing


@pytest.mark.parametrize("room", MOVED)
def test_an_old_room_warns_and_gives_the_same_objects(room, monkeypatch):
    import sys

    monkeypatch.delitem(sys.modules, f"automorph.{room}", raising=False)
    with pytest.warns(DeprecationWarning, match=rf"automorph\.{room} is now automorph\."):
        old = importlib.import_module(f"automorph.{room}")
    new = importlib.import_module(_moved.renamed(f"automorph.{room}"))
    for name in set(NAMES[room]) & set(new.__all__):
        assert getattr(old, name) is getattr(new, name)


def test_a_module_of_an_old_room_follows_it(monkeypatch):
    import sys

    for name in ("automorph.adapters", "automorph.adapters.huggingface"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.warns(DeprecationWarning, match="is now automorph") as warned:
        from automorph.adapters.huggingface import transform
    from automorph.integrations import huggingface

    assert "integrations.huggingface" in str(warned[-1].message)
    assert transform is huggingface.transform


def test_a_name_that_moved_between_rooms_warns():
    from automorph import diagnostics, theory

    with pytest.warns(DeprecationWarning, match=r"automorph\.diagnostics\.explain"):
        assert theory.explain is diagnostics.explain


def test_what_never_existed_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        importlib.import_module("automorph.adapters.no_such")
