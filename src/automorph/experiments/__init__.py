"""Paired statistics and honest comparisons of policies."""

from automorph.experiments.conclusion import Kind, Verdict, interval, judge, points
from automorph.experiments.run_compare import (
    Comparison,
    compare,
    fingerprint,
    hardware,
    is_control,
    listed,
)
from automorph.experiments.statistics import (
    Difference,
    Summary,
    holm,
    mean_difference,
    paired_difference,
    summarise,
)
from automorph.experiments.store import Arm, Cell, cell_of, policy_of
from automorph.experiments.table import Row, curves_of, predictions_of, rows_of

__all__ = [
    "Arm",
    "Cell",
    "Comparison",
    "Difference",
    "Kind",
    "Row",
    "Summary",
    "Verdict",
    "cell_of",
    "compare",
    "curves_of",
    "fingerprint",
    "hardware",
    "holm",
    "interval",
    "is_control",
    "judge",
    "listed",
    "mean_difference",
    "paired_difference",
    "points",
    "policy_of",
    "predictions_of",
    "rows_of",
    "summarise",
]
