"""What a comparison measures: a name, a direction, and how values are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from automorph.experiments.statistics import Difference
from automorph.metrics import Scorer

_SHARES = ("accuracy", "acc", "top1", "top5", "top-1", "top-5")
"""Metrics that are written in percent if all values are between 0 and 1."""


@dataclass(frozen=True)
class Metric:
    """A metric: ``share`` is True for fractions, which are written in percent.

    ``part`` is the part of the data whose values the table shows: ``test``, ``validation`` if
    there are no test values, or ``out-of-fold`` of a cross-validation.
    """

    name: str = "accuracy"
    higher_is_better: bool = True
    share: bool = True
    part: Literal["test", "validation", "out-of-fold"] = "test"

    @property
    def sign(self) -> int:
        """1 if higher values are better, otherwise -1."""
        return 1 if self.higher_is_better else -1

    @property
    def unit(self) -> str:
        """The unit of differences in a sentence, with a leading space."""
        return " points" if self.share else ""

    def value(self, value: float) -> str:
        """Format a value for a sentence.

        >>> Metric().value(0.9134), Metric("loss", False, False).value(0.34567)
        ('91.3 %', '0.3457')
        """
        return f"{100 * value:.1f} %" if self.share else f"{value:.4g}"

    def difference(self, difference: float) -> str:
        """Format a difference of values, with its sign.

        >>> Metric().difference(0.0213), Metric("loss", False, False).difference(-0.0213)
        ('+2.1', '-0.0213')
        """
        return f"{100 * difference:+.1f}" if self.share else f"{difference:+.3g}"

    def interval(self, difference: Difference) -> str:
        """Format the interval of a difference; that of shares ends at 100 points.

        >>> Metric().interval(Difference(0.1, -1.2, 1.4))
        '-100.0 to +100.0'
        """
        if difference.low is None or difference.high is None:
            return "no interval"
        low, high = difference.low, difference.high
        if self.share:
            low, high = possible(low), possible(high)
        return f"{self.difference(low)} to {self.difference(high)}"

    def gain(self, difference: Difference) -> Difference:
        """Return the difference such that positive values are better."""
        if self.higher_is_better:
            return difference
        low, high = difference.low, difference.high
        return replace(
            difference,
            mean=-difference.mean,
            low=None if high is None else -high,
            high=None if low is None else -low,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; `metric_from` reads it."""
        return asdict(self)


def possible(difference: float) -> float:
    """Return an end of an interval of differences of shares, which lie between -1 and 1.

    >>> possible(1.4), possible(-0.2)
    (1.0, -0.2)
    """
    return min(1.0, max(-1.0, difference))


ACCURACY = Metric()
"""The metric of trainings by this package, evaluated on the test part."""


def metric_for(scorer: Scorer) -> Metric:
    """Return what a table says about a metric on the test part.

    >>> from automorph.metrics import load_metric
    >>> metric_for(load_metric("accuracy", ("cat", "dog"))) == ACCURACY
    True
    """
    return Metric(scorer.title, scorer.higher_is_better, scorer.share)


def metric_from(content: Mapping[str, Any] | None) -> Metric:
    """Read the plain data of a metric; None is accuracy on the test part.

    >>> metric_from(None) == metric_from(ACCURACY.to_dict()) == ACCURACY
    True
    """
    return ACCURACY if content is None else Metric(**content)


def reported_metric(
    name: str, higher_is_better: bool, values: Iterable[float], *, tested: bool
) -> Metric:
    """Return the metric of values that the user's code reported under a name.

    >>> reported_metric("accuracy", True, [0.91, 0.93], tested=True) == ACCURACY
    True
    >>> reported_metric("top1", True, [91.2], tested=False)
    Metric(name='top1', higher_is_better=True, share=False, part='validation')
    """
    named = name.lower().rpartition("_")[2] in _SHARES
    share = named and higher_is_better and all(0 <= value <= 1 for value in values)
    return Metric(name, higher_is_better, share, "test" if tested else "validation")
