"""Comparisons of policies under paired seeds, and their statistics."""

from automorph import _moved
from automorph.experiments.command import Command
from automorph.experiments.conclusion import Kind, Verdict, interval, judge, points
from automorph.experiments.executor import Executor, task_without_test
from automorph.experiments.executors import check_executor, open_executor
from automorph.experiments.external import Budget, ExternalTask, Objective, external_task
from automorph.experiments.full_training import FullTraining
from automorph.experiments.job import (
    Job,
    JobResult,
    Treatment,
    digest,
    key_of,
    plain_treatment,
)
from automorph.experiments.json_lines import JsonLines
from automorph.experiments.metric import ACCURACY, Metric, metric_from, reported_metric
from automorph.experiments.progress import report
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
from automorph.experiments.store import FileLog, FinishedJob, Log, Store
from automorph.experiments.table import Cell, Row, curves_of, policy_of, predictions_of, rows_of

__all__ = [
    "ACCURACY",
    "Budget",
    "Cell",
    "Command",
    "Comparison",
    "Difference",
    "Executor",
    "ExternalTask",
    "FileLog",
    "FinishedJob",
    "FullTraining",
    "Job",
    "JobResult",
    "JsonLines",
    "Kind",
    "Log",
    "Metric",
    "Objective",
    "Row",
    "ScriptResult",
    "Store",
    "Summary",
    "Treatment",
    "Verdict",
    "check_executor",
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
    "open_executor",
    "paired_difference",
    "plain_treatment",
    "points",
    "policy_of",
    "predictions_of",
    "read_result",
    "report",
    "reported_metric",
    "rows_of",
    "summarise",
    "task_without_test",
    "write_result",
]

__getattr__ = _moved.old_names(__name__)
