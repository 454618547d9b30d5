"""Paired statistics and honest comparisons of policies."""

from automorph.compare.cells import Cell
from automorph.compare.comparison import Comparison, Row, compare, fingerprint, hardware
from automorph.compare.statistics import Difference, Summary, holm, paired_difference, summarise
from automorph.compare.verdict import Verdict, judge

__all__ = [
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
    "summarise",
]
