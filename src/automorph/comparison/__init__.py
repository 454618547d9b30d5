"""Paired statistics and honest comparisons of policies."""

from automorph.comparison.cells import Arm, Cell, cell_of, policy_of
from automorph.comparison.paired import Comparison, compare, fingerprint, hardware, is_control
from automorph.comparison.rows import Row, curves_of, predictions_of, rows_of
from automorph.comparison.statistics import Difference, Summary, holm, paired_difference, summarise
from automorph.comparison.verdict import Verdict, judge

__all__ = [
    "Arm",
    "Cell",
    "Comparison",
    "Difference",
    "Row",
    "Summary",
    "Verdict",
    "cell_of",
    "compare",
    "curves_of",
    "fingerprint",
    "hardware",
    "holm",
    "is_control",
    "judge",
    "paired_difference",
    "policy_of",
    "predictions_of",
    "rows_of",
    "summarise",
]
