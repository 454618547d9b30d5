"""Comparisons of policies under paired seeds, and their statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph import _moved
from automorph._lazy import lazy_names

if TYPE_CHECKING:
    from automorph.experiments.advice import Advice as Advice
    from automorph.experiments.advice import advice_on_constant as advice_on_constant
    from automorph.experiments.advice import advice_on_few as advice_on_few
    from automorph.experiments.command import Command as Command
    from automorph.experiments.comparison import Comparison as Comparison
    from automorph.experiments.comparison import is_control as is_control
    from automorph.experiments.comparison import too_few as too_few
    from automorph.experiments.conclusion import Kind as Kind
    from automorph.experiments.conclusion import Verdict as Verdict
    from automorph.experiments.conclusion import interval as interval
    from automorph.experiments.conclusion import judge as judge
    from automorph.experiments.conclusion import points as points
    from automorph.experiments.cross_validated import pairs_in_words as pairs_in_words
    from automorph.experiments.cross_validated import seeds_of as seeds_of
    from automorph.experiments.dead_seed import repeated as repeated
    from automorph.experiments.dead_seed import train_alive as train_alive
    from automorph.experiments.executor import Executor as Executor
    from automorph.experiments.executor import task_without_test as task_without_test
    from automorph.experiments.executors import check_executor as check_executor
    from automorph.experiments.executors import open_executor as open_executor
    from automorph.experiments.external import Budget as Budget
    from automorph.experiments.external import ExternalTask as ExternalTask
    from automorph.experiments.external import Objective as Objective
    from automorph.experiments.external import external_task as external_task
    from automorph.experiments.external_table import external_rows as external_rows
    from automorph.experiments.external_table import metric_of as metric_of
    from automorph.experiments.external_table import remarks_of as remarks_of
    from automorph.experiments.external_training import PASS as PASS
    from automorph.experiments.external_training import check_external as check_external
    from automorph.experiments.external_training import checkpoint_of as checkpoint_of
    from automorph.experiments.external_training import job_folder as job_folder
    from automorph.experiments.external_training import missing_checkpoint as missing_checkpoint
    from automorph.experiments.external_training import remove_checkpoints as remove_checkpoints
    from automorph.experiments.external_training import train_external as train_external
    from automorph.experiments.full_training import NETWORKS as NETWORKS
    from automorph.experiments.full_training import FullTraining as FullTraining
    from automorph.experiments.full_training import cell_of as cell_of
    from automorph.experiments.full_training import score_of as score_of
    from automorph.experiments.job import Job as Job
    from automorph.experiments.job import JobResult as JobResult
    from automorph.experiments.job import Treatment as Treatment
    from automorph.experiments.job import digest as digest
    from automorph.experiments.job import key_of as key_of
    from automorph.experiments.job import plain_treatment as plain_treatment
    from automorph.experiments.json_lines import JsonLines as JsonLines
    from automorph.experiments.metric import ACCURACY as ACCURACY
    from automorph.experiments.metric import Metric as Metric
    from automorph.experiments.metric import metric_for as metric_for
    from automorph.experiments.metric import metric_from as metric_from
    from automorph.experiments.metric import possible as possible
    from automorph.experiments.metric import reported_metric as reported_metric
    from automorph.experiments.progress import report as report
    from automorph.experiments.remarks import NOT_CONVERGED as NOT_CONVERGED
    from automorph.experiments.remarks import always_one as always_one
    from automorph.experiments.remarks import base_rate as base_rate
    from automorph.experiments.remarks import changed_examples as changed_examples
    from automorph.experiments.remarks import constant_answers as constant_answers
    from automorph.experiments.remarks import idle_policies as idle_policies
    from automorph.experiments.remarks import idle_policy as idle_policy
    from automorph.experiments.remarks import never_called as never_called
    from automorph.experiments.remarks import not_converged as not_converged
    from automorph.experiments.remarks import repeated_trainings as repeated_trainings
    from automorph.experiments.remarks import unfinished_schedules as unfinished_schedules
    from automorph.experiments.remarks import unused_by_search as unused_by_search
    from automorph.experiments.remarks import use_of_unlabelled as use_of_unlabelled
    from automorph.experiments.result_file import ScriptResult as ScriptResult
    from automorph.experiments.result_file import read_result as read_result
    from automorph.experiments.result_file import write_result as write_result
    from automorph.experiments.run_compare import SEEDS as SEEDS
    from automorph.experiments.run_compare import compare as compare
    from automorph.experiments.run_compare import fingerprint as fingerprint
    from automorph.experiments.run_compare import hardware as hardware
    from automorph.experiments.run_compare import identity_of as identity_of
    from automorph.experiments.run_compare import listed as listed
    from automorph.experiments.run_compare import the_task as the_task
    from automorph.experiments.sequential import Looks as Looks
    from automorph.experiments.sequential import far_behind as far_behind
    from automorph.experiments.sequential import is_clear as is_clear
    from automorph.experiments.sequential import read_looks as read_looks
    from automorph.experiments.statistics import Difference as Difference
    from automorph.experiments.statistics import Summary as Summary
    from automorph.experiments.statistics import holm as holm
    from automorph.experiments.statistics import mean_difference as mean_difference
    from automorph.experiments.statistics import paired_difference as paired_difference
    from automorph.experiments.statistics import summarise as summarise
    from automorph.experiments.store import FileLog as FileLog
    from automorph.experiments.store import FinishedJob as FinishedJob
    from automorph.experiments.store import Log as Log
    from automorph.experiments.store import Store as Store
    from automorph.experiments.table import Cell as Cell
    from automorph.experiments.table import Row as Row
    from automorph.experiments.table import curves_of as curves_of
    from automorph.experiments.table import policy_of as policy_of
    from automorph.experiments.table import predictions_of as predictions_of
    from automorph.experiments.table import rows_of as rows_of

# Imported on first use: training scripts of the user's own call `write_result` without torch.
_HOMES = {
    "ACCURACY": "metric",
    "Advice": "advice",
    "Budget": "external",
    "Cell": "table",
    "Command": "command",
    "Comparison": "comparison",
    "Difference": "statistics",
    "Executor": "executor",
    "ExternalTask": "external",
    "FileLog": "store",
    "FinishedJob": "store",
    "FullTraining": "full_training",
    "NETWORKS": "full_training",
    "Job": "job",
    "JobResult": "job",
    "JsonLines": "json_lines",
    "Kind": "conclusion",
    "Log": "store",
    "Looks": "sequential",
    "Metric": "metric",
    "Objective": "external",
    "PASS": "external_training",
    "Row": "table",
    "SEEDS": "run_compare",
    "ScriptResult": "result_file",
    "Store": "store",
    "Summary": "statistics",
    "Treatment": "job",
    "Verdict": "conclusion",
    "NOT_CONVERGED": "remarks",
    "advice_on_constant": "advice",
    "advice_on_few": "advice",
    "always_one": "remarks",
    "base_rate": "remarks",
    "changed_examples": "remarks",
    "cell_of": "full_training",
    "check_executor": "executors",
    "check_external": "external_training",
    "checkpoint_of": "external_training",
    "compare": "run_compare",
    "constant_answers": "remarks",
    "never_called": "remarks",
    "not_converged": "remarks",
    "repeated_trainings": "remarks",
    "curves_of": "table",
    "digest": "job",
    "external_rows": "external_table",
    "external_task": "external",
    "far_behind": "sequential",
    "fingerprint": "run_compare",
    "hardware": "run_compare",
    "holm": "statistics",
    "identity_of": "run_compare",
    "idle_policies": "remarks",
    "unfinished_schedules": "remarks",
    "idle_policy": "remarks",
    "interval": "conclusion",
    "is_clear": "sequential",
    "is_control": "comparison",
    "seeds_of": "cross_validated",
    "too_few": "comparison",
    "job_folder": "external_training",
    "judge": "conclusion",
    "key_of": "job",
    "listed": "run_compare",
    "mean_difference": "statistics",
    "metric_for": "metric",
    "metric_from": "metric",
    "possible": "metric",
    "metric_of": "external_table",
    "missing_checkpoint": "external_training",
    "open_executor": "executors",
    "paired_difference": "statistics",
    "pairs_in_words": "cross_validated",
    "plain_treatment": "job",
    "points": "conclusion",
    "policy_of": "table",
    "predictions_of": "table",
    "read_looks": "sequential",
    "read_result": "result_file",
    "remarks_of": "external_table",
    "remove_checkpoints": "external_training",
    "report": "progress",
    "reported_metric": "metric",
    "repeated": "dead_seed",
    "rows_of": "table",
    "score_of": "full_training",
    "train_alive": "dead_seed",
    "summarise": "statistics",
    "task_without_test": "executor",
    "the_task": "run_compare",
    "train_external": "external_training",
    "unused_by_search": "remarks",
    "use_of_unlabelled": "remarks",
    "write_result": "result_file",
}

__all__ = [*_HOMES]

if not TYPE_CHECKING:  # A type checker would accept any name.
    __getattr__ = lazy_names(__name__, _HOMES, _moved.old_names(__name__))
