"""Predictions of several labels: the table, and how they agree with known labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from automorph.inference.predictions import Predictions
from automorph.metrics import Scorer


@dataclass(frozen=True, eq=False, repr=False)
class LabelPredictions(Predictions):
    """Predicted labels uint8 ``(n, k)``; ``classes`` are the names of the labels.

    ``labels`` int8 ``(n, k)`` are -1 in rows whose labels are unknown. ``thresholds`` are those of
    the labels, which the training fixed on its validation part; empty if it had none.
    """

    kind: ClassVar[str] = "labels"
    shown: ClassVar[tuple[str, ...]] = ("mean-average-precision", "macro-f1", "exact-match")

    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"LabelPredictions({len(self):,} of {len(self.classes)} labels)"

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the labels of each example are known, ``(n,)``."""
        return np.asarray(self.labels[:, 0] >= 0)

    @property
    def decisions(self) -> NDArray[Any]:
        """The predicted labels, ``(n, k)``."""
        return self.predictions

    @property
    def accuracy(self) -> float | None:
        """The share of examples whose labels are exactly the predicted ones; None without any."""
        return self.figures.get("exact match")

    def _value(self, scorer: Scorer, labels: NDArray[Any]) -> float:
        at = np.array([self.thresholds.get(name, 0.5) for name in self.classes])
        chances = self.probabilities[self.known]
        return scorer.value(labels.astype(np.int64), chances, threshold=at)

    def columns(self) -> dict[str, Sequence[Any]]:
        """Return the table by column.

        ``example``, ``part`` (of data with several), ``label`` (the predicted labels, separated by
        ``|``), ``true`` and ``subgroup`` (where known), and ``probability_LABEL`` for each label.
        """
        table: dict[str, Sequence[Any]] = {"example": self.examples}
        if len(set(self.part_names)) > 1:
            table["part"] = self.part_names
        table["label"] = [self._words(row) for row in self.predictions]
        if self.known.any():
            table["true"] = [self._words(row) for row in self.labels]
        if any(self.subgroups):
            table["subgroup"] = self.subgroups
        for number, name in enumerate(self.classes):
            table[f"probability_{name}"] = self.probabilities[:, number].tolist()
        return table

    def _words(self, row: NDArray[Any]) -> str:
        return "|".join(name for name, has in zip(self.classes, row, strict=True) if has == 1)


def thresholds_in_words(thresholds: Mapping[str, float]) -> str:
    """Say by which thresholds labels are predicted.

    >>> thresholds_in_words({"open": 0.25})
    "labels are predicted from the probability on that the training fixed on its validation part: \
'open' 0.25"
    """
    if not thresholds:
        return "labels are predicted from a probability of 0.5 on: the training fixed no thresholds"
    shown = ", ".join(f"{name!r} {at:.3g}" for name, at in list(thresholds.items())[:10])
    more = f" and {len(thresholds) - 10} more" if len(thresholds) > 10 else ""
    return (
        "labels are predicted from the probability on that the training fixed on its validation "
        f"part: {shown}{more}"
    )
