"""All kinds of sources by name, and whether they are on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from automorph.data.readers.catalog import KNOWN, candidate_folders, read_known
from automorph.data.readers.columns import Columns, raw_from_tables
from automorph.data.readers.folders import read_any_folder, read_folder, read_images_of
from automorph.data.readers.hub import download_raw
from automorph.data.readers.in_memory import read_npz
from automorph.data.readers.mask_folders import read_mask_folder
from automorph.data.readers.raw import RawData
from automorph.data.readers.tables import TABLES, read_tables
from automorph.data.spurious import CORRELATED, read_correlated
from automorph.registry import Entry, Registry


@dataclass(frozen=True)
class Source(Entry[RawData]):
    """A data set by name, or a kind of source that takes a path.

    ``endings`` are those of its files, none for folders, and None where nothing is read from a
    path; the columns of a source that is ``tabular`` can be chosen. The factory takes a `Request`.
    """

    given: int = field(default=1, kw_only=True)
    endings: tuple[str, ...] | None = None
    tabular: bool = False

    @property
    def takes_path(self) -> bool:
        """Whether the user gives a path, or a name on the Hub, after a colon."""
        return ":" in self.name


@dataclass(frozen=True)
class Request:
    """A request to read: the source as typed, its path or name, and the options of reading."""

    source: str
    path: str
    columns: Columns
    root: str | os.PathLike[str] | None = None
    download: bool = False


def _read_named(request: Request) -> RawData:
    read = read_correlated if request.source in CORRELATED else read_known
    return read(request.source, root=request.root, download=request.download)


def _read_folder(request: Request) -> RawData:
    if request.columns.target == "masks":
        return read_mask_folder(request.path, optional=request.columns.optional)
    if request.columns.optional:
        return read_any_folder(request.path)
    read = read_folder if request.columns.labelled else read_images_of
    return read(request.path)


def _read_table(request: Request) -> RawData:
    kind = request.source.partition(":")[0]
    return raw_from_tables(request.source, read_tables(kind, request.path), request.columns)


DIGITS = "1,797 grey digits, 8x8, 10 classes"
SOURCES = Registry(
    "data source",
    Source("digits", _read_named, DIGITS),
    *(Source(one.name, _read_named, one.about) for one in KNOWN.values()),
    *(Source(one.name, _read_named, one.about) for one in CORRELATED.values()),
    Source(
        "folder:PATH",
        _read_folder,
        "class folders of images, with or without train, validation, test",
        endings=(),
    ),
    *(
        Source(table.name, _read_table, table.summary, table.endings, tabular=True)
        for table in TABLES.values()
    ),
    Source(
        "numpy:PATH.npz",
        lambda request: read_npz(
            request.path,
            labelled=request.columns.labelled,
            optional=request.columns.optional,
            target=request.columns.target,
        ),
        "arrays: images, labels, and optionally x_test, y_test",
        endings=(".npz",),
    ),
    Source(
        "hub:NAME",
        lambda request: download_raw(request.path, columns=request.columns),
        "a data set on the Hugging Face Hub, hub:NAME:CONFIG for one configuration",
        tabular=True,
    ),
    example="folder:photos",
    listing="data",
)


@dataclass(frozen=True)
class SourceInfo:
    """A line of ``automorph list data``; ``found`` is None where the user gives the path."""

    name: str
    about: str
    where: tuple[str, ...]
    found: bool | None


def list_sources(*, root: str | os.PathLike[str] | None = None) -> tuple[SourceInfo, ...]:
    """List every kind of source: name, description, search paths, and whether it was found.

    >>> [source.name for source in list_sources()][:4]
    ['digits', 'mnist', 'fashion-mnist', 'cifar10']
    """
    digits = SourceInfo("digits", DIGITS, ("scikit-learn",), True)
    known = []
    for entry in KNOWN.values():
        folders = candidate_folders(entry, root)
        where = tuple(str(folder) for folder in folders)
        found = any(folder.is_dir() for folder in folders)
        known.append(SourceInfo(entry.name, entry.about, where, found))
    named = {source.name: source for source in (digits, *known)}
    planted = (
        SourceInfo(entry.name, entry.about, named[entry.base].where, named[entry.base].found)
        for entry in CORRELATED.values()
    )
    given = (
        SourceInfo(one.name, one.about, (), None) for one in SOURCES.values() if one.takes_path
    )
    return (*named.values(), *planted, *given)
