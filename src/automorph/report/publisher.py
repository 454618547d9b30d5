"""Publish a report with its content beside it, so that a later version can rebuild it."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import DamagedError, UsageError
from automorph.files import atomic_write, read_json, write_json
from automorph.report.audit import audit_page
from automorph.report.comparison import compare_page
from automorph.report.explain import explain_page
from automorph.report.page import Page, write_report
from automorph.report.patch import patch_page
from automorph.report.search import search_page
from automorph.report.train import train_page
from automorph.report.window import with_window

PAGES: dict[str, Callable[[Any], Page]] = {
    name: with_window(page)
    for name, page in {
        "compare": compare_page,
        "search": search_page,
        "train": train_page,
        "explain": explain_page,
        "audit": audit_page,
        "patch": patch_page,
    }.items()
}
"""The page function of each verb."""
CONTENT, ARRAYS, REPORT = "report.json", "report.npz", "report.html"
_ARRAY = "an array in report.npz"
_MOST = 2**31
"""Maximum bytes of all arrays of a report, unpacked."""


def publish(folder: Path, kind: str, content: Mapping[str, Any]) -> Path:
    """Write ``report.html`` of a run, and its content for `read_kept`.

    ``content`` is the argument of the page function of the verb ``kind``: plain values and arrays.
    """
    page = PAGES[kind](content)
    arrays: dict[str, NDArray[Any]] = {}
    plain = _apart(content, arrays)
    report = write_report(folder / REPORT, page)
    with atomic_write(folder / ARRAYS) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
    write_json(folder / CONTENT, {"kind": kind, "content": plain})
    return report


def read_kept(folder: Path) -> tuple[str, dict[str, Any]]:
    """Read the verb of a run folder and the content of its page.

    Raises `UsageError` if the folder has no report content, and `DamagedError` if it is damaged.
    """
    try:
        record = read_json(folder / CONTENT)
    except FileNotFoundError:
        raise UsageError(
            f"{folder} has no {CONTENT}; expected the folder of a finished run (of "
            f"{', '.join(PAGES)}), such as runs/compare-digits-1a2b3c4d. If an older version "
            "wrote it, rerun the original command with another --out"
        ) from None
    kind, content = record.get("kind"), record.get("content")
    if kind not in PAGES or not isinstance(content, dict):
        raise DamagedError(
            f"{folder / CONTENT} is not the content of a report; expected a file written by "
            "automorph. Rerun the original command with another --out"
        )
    whole = _together(content, _arrays(folder / ARRAYS))
    return kind, whole


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as file:
            if sum(member.file_size for member in file.infolist()) > _MOST:
                raise ValueError(f"its arrays exceed {_MOST:,} bytes")
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedError(
            f"{path} cannot be read ({str(error)[:200]}); expected the arrays of a report. Rerun "
            "the original command with another --out"
        ) from error


def _apart(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """Convert to plain JSON, moving numeric arrays to ``arrays`` and leaving their names."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            return value.tolist()
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, np.generic):
        return _apart(value.item(), arrays)
    if isinstance(value, Mapping):
        return {str(key): _apart(one, arrays) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_apart(one, arrays) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float)) or value is None else str(value)


def _together(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            if value[_ARRAY] not in arrays:
                raise DamagedError(
                    f"{CONTENT} refers to the array {value[_ARRAY]!r:.80}; expected it in "
                    f"{ARRAYS}. Rerun the original command with another --out"
                )
            return arrays[value[_ARRAY]]
        return {key: _together(one, arrays) for key, one in value.items()}
    return [_together(one, arrays) for one in value] if isinstance(value, list) else value
