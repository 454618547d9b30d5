"""Comparisons of policies under paired seeds, and their statistics."""

from automorph import _moved
from automorph.experiments.command import Command
from automorph.experiments.comparison import Comparison, is_control
from automorph.experiments.conclusion import Kind, Verdict, interval, judge, points
from automorph.experiments.executor import Executor, task_without_test
from automorph.experiments.executors import check_executor, open_executor
from automorph.experiments.external import Budget, ExternalTask, Objective, external_task
from automorph.experiments.external_table import external_rows, metric_of, remarks_of
from automorph.experiments.external_training import (
    PASS,
    check_external,
    checkpoint_of,
    job_folder,
    missing_checkpoint,
    remove_checkpoints,
    train_external,
)
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
    compare,
    fingerprint,
    hardware,
    identity_of,
    listed,
    the_task,
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
    "PASS",
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
    "check_external",
    "checkpoint_of",
    "compare",
    "curves_of",
    "digest",
    "external_rows",
    "external_task",
    "fingerprint",
    "hardware",
    "holm",
    "identity_of",
    "interval",
    "is_control",
    "job_folder",
    "judge",
    "key_of",
    "listed",
    "mean_difference",
    "metric_from",
    "metric_of",
    "missing_checkpoint",
    "open_executor",
    "paired_difference",
    "plain_treatment",
    "points",
    "policy_of",
    "predictions_of",
    "read_result",
    "remarks_of",
    "remove_checkpoints",
    "report",
    "reported_metric",
    "rows_of",
    "summarise",
    "task_without_test",
    "the_task",
    "train_external",
    "write_result",
]

__getattr__ = _moved.old_names(__name__)
