"""The threshold by which a trained network decides, fixed on its validation part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from automorph.metrics.scorer import Floats, Labels, decide


@dataclass(frozen=True)
class OperatingPoint:
    """``label`` is called if its probability is at least ``threshold`` (above 1: never).

    ``metric`` is the metric for which the threshold was fixed.
    """

    metric: str
    label: str
    threshold: float

    def decide(self, probabilities: Floats, classes: Sequence[str]) -> Labels:
        """Return the decided classes ``(n,)``; where the class is not called, the likeliest other.

        >>> import numpy as np
        >>> point = OperatingPoint("recall:b@precision=0.9", "b", 0.3)
        >>> point.decide(np.array([[0.6, 0.4], [0.8, 0.2]]), ["a", "b"]).tolist()
        [1, 0]
        """
        return decide(probabilities, list(classes).index(self.label), self.threshold)

    @property
    def words(self) -> str:
        """The rule in a sentence."""
        if self.threshold > 1:
            return (
                f"no threshold on the validation part of the training reaches {self.metric}, so "
                f"{self.label!r} is never called"
            )
        return (
            f"decisions call {self.label!r} from a probability of {self.threshold:.4g} on, the "
            f"threshold fixed on the validation part of the training for {self.metric}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def is_point(value: Any, classes: Sequence[str]) -> bool:
    """Whether plain data are an operating point of these classes, or None."""
    if value is None:
        return True
    if not isinstance(value, dict) or set(value) != {"metric", "label", "threshold"}:
        return False
    threshold = value["threshold"]
    known = isinstance(value["metric"], str) and value["label"] in classes
    return known and isinstance(threshold, int | float) and math.isfinite(threshold)
