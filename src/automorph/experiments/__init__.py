"""Comparisons of policies under paired seeds, and their statistics."""

from automorph import _moved
from automorph.experiments.command import Command
from automorph.experiments.conclusion import Kind, Verdict, interval, judge, points
from automorph.experiments.external import Budget, ExternalTask, Objective, external_task
from automorph.experiments.job import Job, JobResult, digest, key_of, plain_treatment
from automorph.experiments.json_lines import JsonLines
from automorph.experiments.metric import ACCURACY, Metric, metric_from, reported_metric
from automorph.experiments.result_file import ScriptResult, read_result, write_result
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
from automorph.experiments.store import Cell, Treatment, cell_of, policy_of
from automorph.experiments.table import Row, curves_of, predictions_of, rows_of

__all__ = [
    "ACCURACY",
    "Budget",
    "Cell",
    "Command",
    "Comparison",
    "Difference",
    "ExternalTask",
    "Job",
    "JobResult",
    "JsonLines",
    "Kind",
    "Metric",
    "Objective",
    "Row",
    "ScriptResult",
    "Summary",
    "Treatment",
    "Verdict",
    "cell_of",
    "compare",
    "curves_of",
    "digest",
    "external_task",
    "fingerprint",
    "hardware",
    "holm",
    "interval",
    "is_control",
    "judge",
    "key_of",
    "listed",
    "mean_difference",
    "metric_from",
    "paired_difference",
    "plain_treatment",
    "points",
    "policy_of",
    "predictions_of",
    "read_result",
    "reported_metric",
    "rows_of",
    "summarise",
    "write_result",
]

__getattr__ = _moved.old_names(__name__)
