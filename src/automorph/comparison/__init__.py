"""Paired statistics and honest comparisons of policies."""

from automorph.comparison.cells import Arm, Cell, policy_of
from automorph.comparison.paired import Comparison, Row, compare, fingerprint, hardware, rows_of
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
    "compare",
    "fingerprint",
    "hardware",
    "holm",
    "judge",
    "paired_difference",
    "policy_of",
    "rows_of",
    "summarise",
]
