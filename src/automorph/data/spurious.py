"""Data sets with a planted correlation: a mark that goes with the class, but for a few examples.

A network trained on them is right on average and wrong where mark and class disagree. Both forms of
every example are known, so any remedy can be compared with the ground truth.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automorph.data.dataset import Split
from automorph.data.decoding import read_images
from automorph.data.hashing import hashed
from automorph.data.marks import Images, bluish, corner, plain, reddish, sticker, zigzag
from automorph.data.readers.catalog import read_known
from automorph.data.readers.raw import RawData, Rows, numbered
from automorph.errors import DataError, UsageError
from automorph.operations import Stream

Mark = Callable[[Images, Stream], Images]
_ID = re.compile(r"(train|validation|test)\[(\d+)\]")
_PIECE = 2000


@dataclass(frozen=True)
class Correlated:
    """The recipe that plants a correlation into another data set.

    ``classes`` gives the name of each of the two classes and its labels in the other set, ``marks``
    the two subgroups and the functions that draw them. Of the first class, ``many`` examples have
    the first mark and ``few`` the second; of the second class it is the reverse. ``validation`` is
    the share of these that is the validation part; the test part holds every test example with
    either mark. If the other set has no test part, a fifth of it is set aside first.
    """

    name: str
    about: str
    base: str
    classes: tuple[tuple[str, tuple[int, ...]], tuple[str, tuple[int, ...]]]
    marks: tuple[tuple[str, Mark], tuple[str, Mark]]
    many: int
    few: int
    validation: float


CORRELATED = {
    entry.name: entry
    for entry in (
        Correlated(
            "digits-correlation",
            "even or odd digits, 8x8; nearly all odd ones have a bright corner",
            "digits",
            (("even", (0, 2, 4, 6, 8)), ("odd", (1, 3, 5, 7, 9))),
            (("clean", plain), ("corner", corner)),
            many=540, few=40, validation=0.5,
        ),
        Correlated(
            "mnist-correlation",
            "MNIST-Correlation: even or odd, 28x28; 99 % of the odd ones have a zigzag",
            "mnist",
            (("even", (0, 2, 4, 6, 8)), ("odd", (1, 3, 5, 7, 9))),
            (("clean", plain), ("zigzag", zigzag)),
            many=19_800, few=200, validation=0.5,
        ),
        Correlated(
            "fashion-correlation",
            "pullovers or coats, 28x28 in colour; 98 % of the pullovers are red",
            "fashion-mnist",
            (("pullover", (2,)), ("coat", (4,))),
            (("red", reddish), ("blue", bluish)),
            many=5880, few=120, validation=0.2,
        ),
        Correlated(
            "cifar-correlation",
            "cats or dogs, 32x32; 95 % of the dogs have a sticker",
            "cifar10",
            (("cat", (3,)), ("dog", (5,))),
            (("clean", plain), ("sticker", sticker)),
            many=4750, few=250, validation=0.2,
        ),
    )
}  # fmt: skip


def read_correlated(
    name: str, *, root: str | os.PathLike[str] | None = None, download: bool = False
) -> RawData:
    """Read a set with a planted correlation, made from its base set."""
    spec = CORRELATED[name]
    images, sources = _sources(spec, root, download)
    parts = {}
    for part, source in sources.items():
        both = [np.flatnonzero(source.marks == mark) for mark in (0, 1)]
        drawn = [_render(spec, images[source.origin], source.take(both[m]), m) for m in (0, 1)]
        chosen = np.empty((len(source.rows), *drawn[0].shape[1:]), np.uint8)
        chosen[both[0]], chosen[both[1]] = drawn
        ids = numbered(part, len(source.rows))
        parts[part] = Rows(chosen, source.labels, ids, source.marks)
    return RawData(
        name,
        "image",
        parts,
        classes=tuple(label for label, _ in spec.classes),
        subgroup_names=tuple(mark for mark, _ in spec.marks),
    )


def coupled(
    name: str, part: Split, *, root: str | os.PathLike[str] | None = None
) -> NDArray[np.uint8]:
    """Return both forms of every example: uint8 ``(2, n, H, W, C)``, first and second mark.

    The part must belong to the set ``name`` (see ``CORRELATED``), or be a subset: row names
    identify the rows. Raises UsageError for other sets and DataError for rows that are not of the
    set.

    >>> from automorph.data import load_data
    >>> train = load_data("digits-correlation").train
    >>> coupled("digits-correlation", train).shape == (2, *train.data.shape)
    True
    """
    if name not in CORRELATED:
        raise UsageError(f"{name!r} has no known pairs; expected one of {', '.join(CORRELATED)}")
    spec = CORRELATED[name]
    images, sources = _sources(spec, root, False)
    forms = np.empty((2, len(part), *part.data.shape[1:]), np.uint8)
    found = [_ID.fullmatch(row) for row in part.names]
    if None in found:
        raise DataError(f"{part.names[found.index(None)]!r} is not a row of {name}")
    origin = np.array([match[1] for match in found if match])
    number = np.array([int(match[2]) for match in found if match], np.int64)
    for key, source in sources.items():
        wanted = np.flatnonzero(origin == key)
        if not len(wanted):
            continue
        if number[wanted].max() >= len(source.rows):
            raise DataError(f"{key}[{number[wanted].max()}] is not a row of {name}")
        some = source.take(number[wanted])
        for mark in (0, 1):
            forms[mark, wanted] = _render(spec, images[source.origin], some, mark)
    return forms


@dataclass(frozen=True, eq=False)
class _Source:
    """The rows of a part: their origin, class and mark."""

    origin: str
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    marks: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> _Source:
        return _Source(self.origin, self.rows[rows], self.labels[rows], self.marks[rows])


def _sources(
    spec: Correlated, root: str | os.PathLike[str] | None, download: bool
) -> tuple[dict[str, Images], dict[str, _Source]]:
    """Return the images of the base set, and the origin of each part's rows."""
    raw = read_known(spec.base, root=root, download=download)
    labels = {part: np.asarray(raw.parts[part].labels, np.int64) for part in raw.parts}
    members = {
        part: [np.flatnonzero(np.isin(labels[part], numbers)) for _, numbers in spec.classes]
        for part in labels
    }
    if "test" in raw.parts:
        train, test, origin = members["train"], members["test"], "test"
    else:
        whole, origin = members["train"], "train"
        aside = [hashed(f"{spec.name}/test", rows, seed=0) % np.uint64(5) == 0 for rows in whole]
        train = [rows[~out] for rows, out in zip(whole, aside, strict=True)]
        test = [rows[out] for rows, out in zip(whole, aside, strict=True)]
    sources = _split(spec, train)
    both = [np.concatenate([rows, rows]) for rows in test]
    sources["test"] = _Source(
        origin,
        np.concatenate(both),
        np.repeat([0, 1], [len(rows) for rows in both]),
        np.concatenate([np.repeat([0, 1], len(rows)) for rows in test]),
    )
    wanted = {source.origin for source in sources.values()}
    images = {part: _decoded(raw.parts[part], members[part]) for part in wanted}
    return images, sources


def _split(spec: Correlated, members: list[NDArray[np.int64]]) -> dict[str, _Source]:
    """Make training and validation part: no example has both marks or is in both parts."""
    found: dict[str, list[tuple[NDArray[np.int64], int, int]]] = {"train": [], "validation": []}
    for label, rows in enumerate(members):
        sizes = (spec.many, spec.few) if label == 0 else (spec.few, spec.many)
        if len(rows) < sum(sizes):
            raise DataError(
                f"{spec.name} needs {sum(sizes):,} examples of class {spec.classes[label][0]!r} "
                f"from {spec.base}, which has only {len(rows):,}. Download the data set again."
            )
        # The first mark from the start of the class, the second from its end.
        for mark, some in enumerate((rows[: sizes[0]], rows[len(rows) - sizes[1] :])):
            order = np.argsort(hashed(f"{spec.name}/validation", some, seed=0), kind="stable")
            cut = round(spec.validation * len(some))
            found["validation"].append((np.sort(some[order[:cut]]), label, mark))
            found["train"].append((np.sort(some[order[cut:]]), label, mark))
    return {
        part: _Source(
            "train",
            np.concatenate([rows for rows, _, _ in pieces]),
            np.concatenate([np.full(len(rows), label) for rows, label, _ in pieces]),
            np.concatenate([np.full(len(rows), mark) for rows, _, mark in pieces]),
        )
        for part, pieces in found.items()
    }


def _decoded(rows: Rows, members: list[NDArray[np.int64]]) -> Images:
    """Return the images of a part; encoded ones are decoded only for the two classes."""
    if isinstance(rows.data, np.ndarray):
        return rows.data
    wanted = np.sort(np.concatenate(members))
    images, bad = read_images([rows.data[row] for row in wanted.tolist()])
    if bad:
        raise DataError(f"{len(bad)} images cannot be read: {next(iter(bad.values()))}")
    whole = np.zeros((len(rows.ids), *images.shape[1:]), np.uint8)
    whole[wanted] = images
    return whole


def _render(spec: Correlated, images: Images, source: _Source, mark: int) -> Images:
    """Render the rows of a part with one of the marks; a row does not depend on the others."""
    draw = spec.marks[mark][1]
    # Test rows have their own marks, even where the numbers are the same.
    copy = int(source.origin == "test")
    pieces = [
        draw(images[rows], Stream(index=rows, copy=copy))
        for rows in np.array_split(source.rows, -(-len(source.rows) // _PIECE) or 1)
    ]
    return np.concatenate(pieces)
