"""How a page writes the values of a metric: fractions in percent, others as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automorph.experiments import metric_from, possible
from automorph.report import formatting


class MetricWords:
    """Words and numbers for a metric; ``content`` is the entry ``metric`` of a result, or None.

    >>> words = MetricWords(None)
    >>> words.title, words.axis, words.value(0.9134), words.difference(0.0213)
    ('Test accuracy', 'Test accuracy, %', '91.34%', '+2.13')
    >>> loss = MetricWords(
    ...     {"name": "loss", "higher_is_better": False, "share": False, "part": "validation"}
    ... )
    >>> loss.axis, loss.value(0.34567), loss.difference(-0.0213), loss.points
    ('Validation loss, lower is better', '0.3457', '−0.0213', '')
    """

    def __init__(self, content: Mapping[str, Any] | None) -> None:
        metric = metric_from(content)
        self.name, self.share, self.part = metric.name, metric.share, metric.part
        self.sign = metric.sign
        self.title = f"{metric.part.capitalize()} {metric.name}"
        self.axis = self.axis_of(self.title)
        self.points = "points" if metric.share else ""
        self.factor = 100 if metric.share else 1

    def axis_of(self, title: str) -> str:
        """Return a title with the unit and direction of the metric."""
        return f"{title}, %" if self.share else title + self.direction

    @property
    def direction(self) -> str:
        """The direction of the metric, where it is not the usual one, after a comma."""
        return "" if self.sign > 0 else ", lower is better"

    @property
    def in_points(self) -> str:
        """The unit of differences, after a comma or space."""
        return " in points" if self.share else ""

    def value(self, value: float | None) -> str:
        """Format a value; a missing one as a dash."""
        if self.share or value is None or formatting.absent(value):
            return formatting.percent(value)
        return f"{value:.4g}".replace("-", formatting.MINUS)

    def spread(self, value: float) -> str:
        """Format a standard error."""
        return f"{100 * value:.2f}" if self.share else f"{0.0 if value < 1e-12 else value:.2g}"

    def difference(self, value: float | None) -> str:
        """Format a difference with its sign; a missing one as a dash."""
        if self.share or value is None or formatting.absent(value):
            return formatting.points(value)
        return f"{value:+.3g}".replace("-", formatting.MINUS)

    def interval(self, low: float | None, high: float | None) -> str:
        """Format an interval of differences; a missing one as a dash."""
        if self.share:
            return formatting.interval(low, high)
        if formatting.absent(low) or formatting.absent(high):
            return formatting.NOTHING
        return f"{self.difference(low)} to {self.difference(high)}"

    def end(self, value: float) -> float:
        """Return an end of an interval for a figure; differences of shares end at 100 points."""
        return 100 * possible(value) if self.share else value

    def of_score(self, score: float | None) -> str:
        """Format the score of a trial, which is higher for better trials, as a value."""
        return self.value(None if score is None else self.sign * score)
