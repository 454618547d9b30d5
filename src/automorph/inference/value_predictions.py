"""Predictions of values: the table, and how far off they are where the values are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from automorph.inference.predictions import Predictions
from automorph.metrics import Scorer


@dataclass(frozen=True, eq=False, repr=False)
class ValuePredictions(Predictions):
    """Predicted values float64 ``(n, k)`` in the units of the training; ``classes`` name them.

    ``labels`` float64 ``(n, k)`` are the true values, NaN where they are unknown.
    """

    kind: ClassVar[str] = "values"
    shown: ClassVar[tuple[str, ...]] = ("mae", "rmse", "r2")

    def __repr__(self) -> str:
        return f"ValuePredictions({len(self):,} of {', '.join(self.classes)})"

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether the values of each example are known, ``(n,)``."""
        return np.asarray(~np.isnan(self.labels).any(axis=1))

    @property
    def decisions(self) -> NDArray[Any]:
        """The predicted values, ``(n, k)``."""
        return self.predictions

    @property
    def accuracy(self) -> float | None:
        """None: values are right in part (see `figures`)."""
        return None

    def _value(self, scorer: Scorer, labels: NDArray[Any]) -> float:
        return scorer.value(labels, self.probabilities[self.known])

    def columns(self) -> dict[str, Sequence[Any]]:
        """Return the table by column.

        ``example``, ``part`` (of data with several), ``predicted_NAME`` for each value, and where
        they are known ``true_NAME``, ``error_NAME`` (predicted minus true) and ``subgroup``.
        """
        table: dict[str, Sequence[Any]] = {"example": self.examples}
        if len(set(self.part_names)) > 1:
            table["part"] = self.part_names
        for number, name in enumerate(self.classes):
            table[f"predicted_{name}"] = self.predictions[:, number].tolist()
        for number, name in enumerate(self.classes if self.known.any() else ()):
            true: Any = self.labels[:, number]
            table[f"true_{name}"] = _blank(true)
            table[f"error_{name}"] = _blank(self.predictions[:, number] - true)
        if any(self.subgroups):
            table["subgroup"] = self.subgroups
        return table


def _blank(values: NDArray[np.float64]) -> list[float | None]:
    """Return values with None in place of NaN: an empty cell."""
    return [None if np.isnan(value) else value for value in values.tolist()]
