"""From tables to rows: which column is the image, the text, the label, the subgroup."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from automorph.data.arrays import Domain
from automorph.data.rows import RawData, Rows, numbered
from automorph.data.tables import Table
from automorph.errors import DataError, UsageError

_IMAGES = (
    "image", "img", "picture", "image_path", "file_name", "filename", "filepath", "path", "file",
)  # fmt: skip
_TEXTS = ("text", "sentence", "content", "review", "question")
_LABELS = ("label", "labels", "class", "target", "category", "y")


@dataclass(frozen=True)
class Columns:
    """The columns that the user chose; None means: find it by its type or its usual name."""

    image: str | None = None
    text: str | None = None
    label: str | None = None
    subgroup: str | None = None

    def __post_init__(self) -> None:
        if self.image and self.text:
            raise UsageError(
                f"image={self.image!r} and text={self.text!r}: expected one of them; examples are "
                "images or texts."
            )

    def refuse(self, source: str) -> None:
        """Say that this source has no columns, if any was chosen."""
        chosen = [f"{k}={v!r}" for k, v in vars(self).items() if v is not None]
        if chosen:
            raise UsageError(
                f"{source} has no columns to choose: {', '.join(chosen)} cannot be used. Columns "
                "are chosen in parquet:, csv:, jsonl: and hub: sources."
            )


def raw_from_tables(name: str, tables: Mapping[str, Table], chosen: Columns) -> RawData:
    """Pick the columns of every part and name the rows ``part[row]``."""
    train = tables["train"]
    domain, data = _data_column(name, train, chosen)
    label = _one(name, train, chosen.label, "label", _typed(train, "ClassLabel"), _LABELS)
    subgroup = chosen.subgroup and _known(name, train, chosen.subgroup, "subgroup")
    wanted = [column for column in (data, label, subgroup) if column]
    for part, table in tables.items():
        lacking = [column for column in wanted if column not in table.names]
        if lacking:
            raise DataError(
                f"{name}: the {part} part lacks the columns {lacking}; it has {list(table.names)}. "
                "Expected the columns of the train part."
            )
        for column in (label, subgroup):
            if column and _names(table, column) != _names(train, column):
                raise DataError(
                    f"{name}: the {part} part declares other classes for {column!r} than the train "
                    "part. Expected the same classes in the same order."
                )
    parts = {
        part: Rows(
            data=[_cell(value, table.folder, domain) for value in table.column(data)],
            labels=table.column(label),
            ids=numbered(part, table.n),
            subgroups=table.column(subgroup) if subgroup else None,
            bad=table.bad,
        )
        for part, table in tables.items()
    }
    return RawData(
        name,
        domain,
        parts,
        classes=_names(train, label),
        subgroup_names=_names(train, subgroup) if subgroup else None,
    )


def _data_column(name: str, table: Table, chosen: Columns) -> tuple[Domain, str]:
    if chosen.image:
        return "image", _known(name, table, chosen.image, "image")
    if chosen.text:
        return "text", _known(name, table, chosen.text, "text")
    images = _typed(table, "Image") or [column for column in _IMAGES if column in table.names]
    if images:
        return "image", images[0]
    texts = [column for column in _TEXTS if column in table.names]
    if texts:
        return "text", texts[0]
    raise DataError(
        f"{name}: cannot tell which column holds the images or texts; it has {list(table.names)}. "
        "Name it with image=... (--image) or text=... (--text)."
    )


def _one(
    name: str, table: Table, chosen: str | None, what: str, typed: list[str], usual: tuple[str, ...]
) -> str:
    if chosen:
        return _known(name, table, chosen, what)
    found = [column for column in usual if column in table.names] or typed
    if found:
        return found[0]
    raise DataError(
        f"{name}: cannot tell which column holds the {what}s; it has {list(table.names)}. Name it "
        f"with {what}=... (--{what})."
    )


def _known(name: str, table: Table, column: str, what: str) -> str:
    if column in table.names:
        return column
    close = get_close_matches(column, table.names, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise DataError(
        f"{name}: no column {column!r} (asked for as {what}); it has {list(table.names)}.{hint}"
    )


def _typed(table: Table, kind: str) -> list[str]:
    return [column for column in table.names if _feature(table, column).get("_type") == kind]


def _names(table: Table, column: str) -> tuple[str, ...] | None:
    feature = _feature(table, column)
    return tuple(feature["names"]) if feature.get("_type") == "ClassLabel" else None


def _feature(table: Table, column: str) -> Mapping[str, Any]:
    feature = table.features.get(column)
    return feature if isinstance(feature, Mapping) else {}


def _cell(value: Any, folder: Path, domain: Domain) -> Any:
    """Bring a cell to bytes or a path (image), or leave it (text); None stays for a missing one."""
    if domain == "text" or value is None:
        return value
    if isinstance(value, Mapping):  # the Hugging Face image: bytes, or the path of a file
        data, path = value.get("bytes"), value.get("path")
        return data if data is not None else path and folder / path
    if isinstance(value, str):
        return folder / value.strip() if value.strip() else None
    return value
