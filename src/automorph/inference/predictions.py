"""Predictions as a table: one row per example, written as CSV or Parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.files import atomic_write, make_folder
from automorph.metrics import OperatingPoint, Scorer, load_metric
from automorph.targets import Classes

TABLE_ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """Predicted classes int64 ``(n,)`` and ``probabilities`` float64 ``(n, k)``.

    ``examples`` are paths of files, or numbers of rows. ``labels`` int64 ``(n,)`` are -1 where
    unknown, and ``losses`` ``(n,)`` count only where there is a label. ``part_names`` and
    ``subgroups`` are words by row, empty without any. ``views`` is how many augmented views were
    averaged (None: the example itself), and ``notes`` state what was guessed, left out and chosen.
    ``predictions`` are the likeliest classes; a network with an ``operating_point`` decides by it.
    ``metrics`` are the names of those that the training was judged by.
    """

    kind: ClassVar[str] = "classes"
    shown: ClassVar[tuple[str, ...]] = ()
    """Metrics that are computed whatever the training was judged by."""

    classes: tuple[str, ...]
    examples: Sequence[str]
    predictions: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    losses: NDArray[Any]
    part_names: Sequence[str] = ()
    subgroups: Sequence[str] = ()
    views: int | None = None
    notes: tuple[str, ...] = ()
    operating_point: OperatingPoint | None = None
    metrics: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.predictions)

    def __repr__(self) -> str:
        return f"Predictions({len(self):,} of {len(self.classes)} classes)"

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the true class of each example is known, ``(n,)``."""
        return self.labels >= 0

    @property
    def decisions(self) -> NDArray[np.int64]:
        """The classes decided by the operating point, ``(n,)``; without one, the predictions."""
        if self.operating_point is None:
            return self.predictions
        return self.operating_point.decide(self.probabilities, self.classes)

    @property
    def accuracy(self) -> float | None:
        """The share of right predictions among examples with a label; None without any."""
        if not self.known.any():
            return None
        target = Classes(len(self.classes))
        return target.score(self.predictions[self.known], self.labels[self.known])

    @property
    def loss(self) -> float | None:
        """The mean log-loss of examples with a label; None without any."""
        if not self.known.any():
            return None
        return float(self.losses[self.known].mean(dtype=np.float64))

    @property
    def figures(self) -> dict[str, float]:
        """The values of metrics, by title, on examples with a label (classes: besides accuracy).

        No threshold is fixed anew: a metric is left out whose threshold the training did not fix,
        or that has no value on these examples.
        """
        return {scorer.title: value for scorer, value in self._measured}

    @property
    def summary(self) -> str:
        """The figures in words, of classes after accuracy and loss; empty without known labels."""
        words = [
            f"{one.title} {value:.2%}" if one.share else f"{one.title} {value:.4g}"
            for one, value in self._measured
        ]
        if self.kind == "classes" and self.accuracy is not None:
            words = [f"Accuracy {self.accuracy:.2%}", f"log-loss {self.loss:.4f}", *words]
        return ", ".join(words)

    @cached_property
    def _measured(self) -> list[tuple[Scorer, float]]:
        labels, found = self.labels[self.known], []
        for name in dict.fromkeys((*self.shown, *self.metrics)):
            scorer = load_metric(name, self.classes, self.kind)
            if not scorer.undefined(labels) and (value := self._value(scorer, labels)) is not None:
                found.append((scorer, value))
        return found

    def _value(self, scorer: Scorer, labels: NDArray[Any]) -> float | None:
        """Compute a metric from the labels of the known examples; None leaves it out."""
        point = self.operating_point
        fixed = point.threshold if point is not None and point.metric == scorer.name else None
        if scorer.name == "accuracy" or (scorer.point is not None and fixed is None):
            return None
        return scorer.value(labels, self.probabilities[self.known], threshold=fixed)

    def columns(self) -> dict[str, Sequence[Any]]:
        """Return the table by column.

        ``example``, ``part`` (of data with several), ``label`` (the predicted class),
        ``decision`` (by the operating point, if the training fixed one), ``true`` and ``subgroup``
        (where known), and ``probability_CLASS`` for each class.
        """
        names = [*self.classes, ""]  # -1 is the last one.
        table: dict[str, Sequence[Any]] = {"example": self.examples}
        if len(set(self.part_names)) > 1:
            table["part"] = self.part_names
        table["label"] = [names[number] for number in self.predictions.tolist()]
        if self.operating_point is not None:
            table["decision"] = [names[number] for number in self.decisions.tolist()]
        if self.known.any():
            table["true"] = [names[number] for number in self.labels.tolist()]
        if any(self.subgroups):
            table["subgroup"] = self.subgroups
        for number, name in enumerate(self.classes):
            table[f"probability_{name}"] = self.probabilities[:, number].tolist()
        return table

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the table to a new ``.csv`` or ``.parquet`` file, atomically.

        Raises `UsageError` if the file exists or has another ending.
        """
        file = check_new_file(path, TABLE_ENDINGS)
        make_folder(file.parent)
        with atomic_write(file) as temporary:
            if file.suffix == ".csv":
                _write_csv(temporary, self.columns())
            else:
                _write_parquet(temporary, self.columns())
        return file


def check_new_file(path: str | os.PathLike[str], endings: Sequence[str]) -> Path:
    """Return the path of a file to write. Raises `UsageError` if it exists or ends otherwise."""
    file = Path(path).expanduser()
    if file.suffix not in endings:
        raise UsageError(
            f"got the file {file}; expected a name that ends in {' or '.join(endings)}: choose "
            "another one with --out"
        )
    if file.exists():
        raise UsageError(
            f"{file} exists and is not overwritten; expected the name of a new file: choose one "
            "with --out, or delete that file"
        )
    return file


def _write_csv(file: Path, table: dict[str, Sequence[Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(table)
        # Python writes the shortest digits that read back as the same float.
        writer.writerows(zip(*table.values(), strict=True))


def _write_parquet(file: Path, table: dict[str, Sequence[Any]]) -> None:
    # By name: pyarrow has no types.
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    parquet.write_table(arrow.table({name: list(one) for name, one in table.items()}), file)
