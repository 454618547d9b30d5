"""Examples in memory or memory-mapped, and a data set of their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.data.annotation import Annotation, TargetKind
from automorph.data.array_checks import check_images, check_range
from automorph.data.chosen import Chosen
from automorph.data.folds import Folds
from automorph.data.notes import Notes
from automorph.data.resizing import Resizing
from automorph.data.window_record import WindowRecord
from automorph.errors import DataError
from automorph.operations import Stream

Domain = Literal["image", "text"]
PARTS = ("train", "validation", "test")
_EXAMPLE = [("content", "S16"), ("label", "<i8"), ("group", "<i8")]  # the fields that are hashed


def strings(values: Any) -> NDArray[Any]:
    """Make an array of strings of any length (NumPy's ``StringDType``).

    >>> strings(["a", "long text"]).dtype.kind
    'T'
    """
    return np.array(values, dtype=np.dtypes.StringDType())


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """The examples of one part: data, labels, names, and subgroups if any.

    - ``data``: images, uint8 (n, H, W, C), C-contiguous, C in {1, 3, 4}; or texts,
      ``StringDType`` (n,). May be a read-only memory map, or read rows on demand
      (`automorph.data.image_files.ImageFiles`, `automorph.data.lazy_texts.ArrowTexts`).
    - ``labels``: int64 (n,), positions in the data set's ``classes``.
    - ``subgroups``: int64 (n,), positions in ``subgroup_names``, or None.
    - ``ids``: strings (n,), unique names for messages and for the hashes of splits: a file's
      path, or part and row as in ``train[17]``; ``row[17]`` when not given.
    - ``metadata``: further columns, strings (n,) by name, empty where a value is missing.
    - ``annotations``: what a network learns if that is not one class per example, (n, ..) (see
      `automorph.data.Annotation`). ``labels`` are then strata, by which examples are split.

    Raises DataError when a shape, dtype or length does not fit.

    >>> part = Split(np.zeros((3, 8, 8, 1), np.uint8), np.array([0, 1, 0]))
    >>> len(part), part.domain, part.take([2]).ids.tolist()
    (3, 'image', ['row[2]'])
    """

    data: NDArray[Any]
    labels: NDArray[np.int64]
    ids: NDArray[Any] | None = None
    subgroups: NDArray[np.int64] | None = None
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    annotations: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.annotations is not None and len(self.annotations) != len(self.data):
            raise DataError(
                f"annotations have shape {self.annotations.shape}: expected ({len(self.data)}, ..),"
                " one for each example."
            )
        if self.ids is None:
            object.__setattr__(self, "ids", strings([f"row[{i}]" for i in range(len(self.data))]))
        if self.data.dtype.kind != "T" and not self.on_demand:
            check_images(self.data)
        known = {name: getattr(self, name) for name in ("labels", "ids", "subgroups")}
        for name, column in {**known, **self.metadata}.items():
            if column is not None and column.shape != (len(self.data),):
                raise DataError(
                    f"{name} have shape {column.shape}: expected ({len(self.data)},), "
                    "one for each example."
                )
            wanted = name in ("labels", "subgroups") and name not in self.metadata
            if wanted and column is not None and column.dtype != np.int64:
                raise DataError(f"{name} have dtype {column.dtype}: expected int64.")

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.data.shape[1:])) or "texts"
        return f"Split({len(self):,} of {shape})"

    @property
    def expected(self) -> NDArray[Any]:
        """What a network should predict: the annotations or, where there are none, the labels."""
        return self.labels if self.annotations is None else self.annotations

    @property
    def domain(self) -> Domain:
        """``image`` or ``text``."""
        return "text" if self.data.dtype.kind == "T" else "image"

    @property
    def on_demand(self) -> bool:
        """Whether rows are read on demand and not kept in memory."""
        return not isinstance(self.data, np.ndarray)

    def drawn(
        self,
        rows: NDArray[np.int64],
        *,
        seed: int,
        epoch: int,
        numbers: NDArray[np.int64] | None = None,
    ) -> NDArray[Any]:
        """Return rows as training sees them: with random crops if configured.

        ``numbers`` are those under which the rows draw (default: ``rows``).
        """
        if hasattr(self.data, "drawn"):
            stream = Stream(seed=seed, epoch=epoch, index=rows if numbers is None else numbers)
            return np.asarray(self.data.drawn(rows, stream))
        return np.asarray(self.data[rows])

    @cached_property
    def names(self) -> list[str]:
        """The ids as a list of Python strings."""
        assert self.ids is not None
        return [str(name) for name in self.ids]

    @cached_property
    def digests(self) -> NDArray[np.bytes_]:
        """Hash the content of every example: S16 (n,), BLAKE2b of pixels or UTF-8 text.

        For images that are decoded on demand, it is the hash of their files' bytes.
        """
        if hasattr(self.data, "digests"):
            return np.asarray(self.data.digests())
        if self.domain == "text":
            contents: Any = (str(text).encode() for text in self.data)
        else:
            contents = self.data
        found = [blake2b(content, digest_size=16).digest() for content in contents]
        return np.array(found, dtype="S16")

    def take(self, rows: ArrayLike) -> Split:
        """Copy the given rows (positions or a mask) into memory, in the order given."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.intp)
        if hasattr(self.data, "take") and self.on_demand:
            return self.with_data(self.data.take(rows), rows)
        return self.with_data(np.ascontiguousarray(self.data[rows]), rows)

    def with_data(self, data: NDArray[Any], rows: NDArray[np.intp]) -> Split:
        """Combine ``data``, already taken, with everything else of the given rows."""
        assert self.ids is not None
        subgroups = None if self.subgroups is None else self.subgroups[rows]
        metadata = {name: column[rows] for name, column in self.metadata.items()}
        annotations = None if self.annotations is None else self.annotations[rows]
        taken = Split(data, self.labels[rows], self.ids[rows], subgroups, metadata, annotations)
        if "digests" in self.__dict__:  # hashing is the slow part of every check: reuse it
            taken.__dict__["digests"] = self.digests[rows]
        return taken


@dataclass(frozen=True)
class BadRow:
    """An example that was skipped, and the reason."""

    id: str
    reason: str


def left_out(rows: Sequence[BadRow]) -> str:
    """Return a note on examples that were left out.

    >>> left_out([BadRow("cats/1.png", "zero bytes")])
    '1 example cannot be used and was left out (skip_bad): cats/1.png: zero bytes'
    """
    shown = "; ".join(f"{row.id}: {row.reason}" for row in rows[:3])
    more = f"; and {len(rows) - 3:,} more" if len(rows) > 3 else ""
    what = (
        "1 example cannot be used and was"
        if len(rows) == 1
        else (f"{len(rows):,} examples cannot be used and were")
    )
    return f"{what} left out (skip_bad): {shown}{more}"


def check_alike(unlabelled: Split, train: Split, *, data: str) -> None:
    """Raise DataError unless unlabelled examples have the kind and size of the training part."""
    if unlabelled.domain != train.domain:
        raise DataError(
            f"the unlabelled examples are {unlabelled.domain}s, but {data} contains "
            f"{train.domain}s; expected the same kind: choose another source, or another column "
            "with image=... (--image) or text=... (--text)"
        )
    given, wanted = unlabelled.data.shape[1:], train.data.shape[1:]
    if given != wanted:
        shown = ["x".join(map(str, shape)) for shape in (given, wanted)]
        raise DataError(
            f"the unlabelled images are {shown[0]}, but those of {data} are {shown[1]}; expected "
            f"the same size: resize both, as with size={max(wanted[:2])} (--size {wanted[0]}"
            f"{'' if wanted[0] == wanted[1] else f'x{wanted[1]}'})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A named source with its parts; ``validation`` and ``test`` are None until they are made.

    ``skipped`` lists the bad rows that the user allowed to be skipped, ``notes`` describes in short
    sentences what was done to the source (rows limited, duplicates dropped, files ignored).
    ``keep_together`` is a column of ``metadata`` whose equal values stay in one part when the data
    set is split; ``window`` records how images of more than 8 bits were mapped to 8, ``resizing``
    how images were brought to one size, if not in the usual way, ``chosen`` what was chosen for
    photographs.
    ``unlabelled`` are further training examples, whose labels are -1 (see
    :func:`automorph.data.with_unlabelled`). ``folds`` divide the train part for cross-validation
    (see :func:`automorph.data.with_folds`). Raises DataError when the parts do not fit together.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split | None = None
    test: Split | None = None
    subgroup_names: tuple[str, ...] = ()
    skipped: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()
    keep_together: str | None = None
    window: WindowRecord | None = None
    resizing: Resizing | None = None
    chosen: Chosen | None = None
    unlabelled: Split | None = None
    folds: Folds | None = None
    annotation: Annotation | None = None

    def __post_init__(self) -> None:
        kind, shape = self.train.domain, self.train.data.shape[1:]
        for name, part in self.parts.items():
            if (part.domain, part.data.shape[1:]) != (kind, shape):
                raise DataError(
                    f"{self.name}: the {name} split contains {part!r}, but the train split "
                    f"contains {self.train!r}: expected the same kind and size in every split."
                )
            if self.keep_together not in (None, *part.metadata):
                raise DataError(
                    f"{self.name}: the {name} split has no metadata {self.keep_together!r}: "
                    "expected the column keep_together in every split."
                )
            check_range(part.labels, len(self.classes), f"{self.name}: labels of {name}")
            if self.annotation is not None:
                self.annotation.check(part.annotations, where=f"{self.name}, {name} part")
            if part.subgroups is not None:
                known = len(self.subgroup_names)
                check_range(part.subgroups, known, f"{self.name}: subgroups of {name}")
        if self.unlabelled is not None:
            check_alike(self.unlabelled, self.train, data=self.name)
        if self.folds is not None and self.folds.of_row.shape[1] != len(self.train):
            raise DataError(
                f"{self.name} has folds of {self.folds.of_row.shape[1]:,} rows, but the train "
                f"split contains {len(self.train):,}: expected a fold for every row."
            )

    def __repr__(self) -> str:
        pool = {} if self.unlabelled is None else {"unlabelled": self.unlabelled}
        parts = ", ".join(f"{name}={part!r}" for name, part in {**self.parts, **pool}.items())
        return f"Dataset({self.name!r}, {self.in_words}, {parts})"

    @property
    def target(self) -> TargetKind:
        """The kind of what a network predicts: ``classes``, ``labels``, ``values`` or ``masks``."""
        return "classes" if self.annotation is None else self.annotation.kind

    @property
    def predicted(self) -> tuple[str, ...]:
        """The names of what a network predicts: classes, labels, values, or classes of pixels."""
        return self.classes if self.annotation is None else self.annotation.names

    @property
    def in_words(self) -> str:
        """What a network predicts, in words: ``10 classes``, ``6 labels``."""
        what = "classes of pixels" if self.target == "masks" else self.target
        one = {"labels": "label", "values": "value"}
        count = len(self.predicted)
        return f"{count} {one.get(what, what) if count == 1 else what}"

    @property
    def domain(self) -> Domain:
        """``image`` or ``text``."""
        return self.train.domain

    @property
    def parts(self) -> Mapping[str, Split]:
        """The parts that exist, by name, in the order train, validation, test."""
        found = {name: getattr(self, name) for name in PARTS}
        return {name: part for name, part in found.items() if part is not None}

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of examples of every part that exists, by name; this opens no part."""
        return {name: len(part) for name, part in self.parts.items()}

    @cached_property
    def hash(self) -> str:
        """Hash what the data set holds: 32 hexadecimal digits.

        The hash does not depend on the order of the labelled examples or on how they are split
        (splits have their own: :func:`automorph.data.split_hashes`); it changes with any pixel,
        label, subgroup or class name, and with any example added or removed.
        """
        rows = np.empty(sum(map(len, self.parts.values())), dtype=_EXAMPLE)
        start = 0
        for part in self.parts.values():
            row = rows[start : start + len(part)]
            row["content"], row["label"] = part.digests, label_keys(part)
            row["group"] = -1 if part.subgroups is None else part.subgroups
            start += len(part)
        rows.sort()  # In place: for a large set, these rows take most of the memory.
        total = blake2b(digest_size=16)
        shape = self.train.data.shape[1:]
        total.update(repr((self.domain, shape, self.classes, self.subgroup_names)).encode())
        if self.annotation is not None:
            total.update(repr(self.annotation).encode())
        total.update(rows.data.cast("B"))
        return total.hexdigest()

    def without_test(self) -> Dataset:
        """Hide the test part; every search and every choice works on what this returns.

        Its counterpart is :func:`open_test`, the only way to the test part from other packages.
        """
        if self.folds is not None and not self.folds.sealed:
            return self.replace(folds=self.folds.sealing())
        return self if self.test is None else self.replace(test=None)

    def noting(self, line: str) -> Dataset:
        """Copy the data set with one more note, if it has not got it."""
        notes = Notes(self.notes)
        notes.add(line)
        return self if notes.lines == self.notes else self.replace(notes=notes.lines)

    def replace(self, **changes: Any) -> Dataset:
        """Copy the data set with some fields changed; the hash is computed again."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        return Dataset(**{**kept, **changes})


def label_keys(part: Split) -> NDArray[np.int64]:
    """Return one number for what each example is labelled with, int64 ``(n,)``."""
    if part.annotations is None:
        return part.labels
    rows = (np.ascontiguousarray(row).tobytes() for row in part.annotations)
    return np.frombuffer(b"".join(blake2b(row, digest_size=8).digest() for row in rows), "<i8")


def open_test(data: Dataset) -> Split:
    """Open the test part: the only way to its examples and labels outside `automorph.data`.

    Call it to measure, or to show examples of, a model whose epoch, policy, objective and seed do
    not depend on the figures you get; never in code that a search, an objective or an early choice
    runs (that works on `Dataset.without_test`). Of a cross-validated data set, these are all
    examples: each is tested by the trainings that have not seen it. A new caller must be added,
    with its reason, to the list in ``tests/data/test_seal.py``.

    Raises DataError when the data set has no test part.
    """
    if data.folds is not None and not data.folds.sealed:
        return data.train  # Every example is tested once in each repeat.
    if data.test is None:
        raise DataError(
            f"{data.name} has no test part; expected one to evaluate on: create one with "
            "automorph.data.split(data)"
        )
    return data.test


def open_part(data: Dataset, name: str) -> Split:
    """Return the named part; for the test part, the rules of :func:`open_test` apply."""
    return open_test(data) if name in ("test", "out-of-fold") else data.parts[name]
