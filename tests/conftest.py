"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import chromium


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Cached features of tests stay out of the user's cache, and those in it out of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOMORPH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data sets, named by ``AUTOMORPH_DATA``."""
    folder = os.environ.get("AUTOMORPH_DATA")
    if not folder:
        pytest.skip("AUTOMORPH_DATA names no folder of data sets")
    root = Path(folder).resolve()
    if not root.is_dir():
        pytest.skip(f"AUTOMORPH_DATA names {root}, which is no folder")
    return root


@pytest.fixture(scope="session")
def browser() -> Iterator[chromium.Browser]:
    """A real browser; see ``chromium.Browser`` for what it does."""
    path = chromium.find()
    if path is None:
        pytest.skip(f"no browser here: none of {', '.join(chromium.NAMES)} is installed")
    opened = chromium.Browser(path)
    yield opened
    opened.close()
