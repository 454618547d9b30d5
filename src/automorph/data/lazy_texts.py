"""Texts in a memory-mapped Arrow file, read on demand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.data.dataset import Dataset, Split, strings
from automorph.errors import UsageError
from automorph.files import atomic_write, make_folder

_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class ArrowTexts:
    """Texts ``(n,)`` in a memory-mapped file that behave like an array when rows are read."""

    path: Path
    rows: NDArray[np.int64]
    dtype: np.dtypes.StringDType = field(default_factory=np.dtypes.StringDType, init=False)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def shape(self) -> tuple[int]:
        """``(n,)``."""
        return (len(self),)

    def __getitem__(self, rows: Any) -> Any:
        """Return rows as ``StringDType``; a single row as a string."""
        if isinstance(rows, int | np.integer):
            return str(self[np.array([rows])][0])
        return strings(_mapped(self.path).take(self.rows[rows]).to_pylist())

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _CHUNK):
            yield from self[start : start + _CHUNK].tolist()

    def tolist(self) -> list[str]:
        """Load all texts into memory."""
        return list(self)

    def take(self, rows: ArrayLike) -> ArrowTexts:
        """Return a subset of the rows, without a copy."""
        return ArrowTexts(self.path, self.rows[np.asarray(rows)])


def mapped_texts(dataset: Dataset, folder: str | os.PathLike[str] | None) -> Dataset:
    """Move the data set's texts to an Arrow file in the folder."""
    if folder is None:
        raise UsageError(
            "texts read on demand are kept in an Arrow file: pass its folder, cache=FOLDER"
        )
    parts = {name: _part(part, Path(folder)) for name, part in dataset.parts.items()}
    return dataset.replace(**parts)


def _part(part: Split, folder: Path) -> Split:
    content = blake2b(part.digests.tobytes(), digest_size=16).hexdigest()
    path = make_folder(folder) / f"{content}.arrow"
    if not path.exists():
        _write(path, part.data)
    rows = np.arange(len(part))
    kept: Any = ArrowTexts(path, rows)
    return part.with_data(kept, rows)


def _write(path: Path, texts: NDArray[Any]) -> None:
    arrow = import_module("pyarrow")
    schema = arrow.schema([("text", arrow.large_string())])
    with (
        atomic_write(path) as temporary,
        arrow.OSFile(str(temporary), "wb") as file,
        arrow.ipc.new_file(file, schema) as writer,
    ):
        for start in range(0, len(texts), _CHUNK):
            some = arrow.array(texts[start : start + _CHUNK].tolist(), arrow.large_string())
            writer.write_batch(arrow.record_batch([some], schema=schema))


@lru_cache(maxsize=32)
def _mapped(path: Path) -> Any:
    """Map the column of a file, once in each process."""
    arrow = import_module("pyarrow")
    source = arrow.memory_map(str(path), "r")
    return arrow.ipc.open_file(source).read_all().column("text")
