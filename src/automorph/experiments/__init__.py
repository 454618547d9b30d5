"""Paired statistics and honest comparisons of policies."""

from automorph.experiments.conclusion import Verdict, judge
from automorph.experiments.run_compare import Comparison, compare, fingerprint, hardware, is_control
from automorph.experiments.statistics import Difference, Summary, holm, paired_difference, summarise
from automorph.experiments.store import Arm, Cell, cell_of, policy_of
from automorph.experiments.table import Row, curves_of, predictions_of, rows_of

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
