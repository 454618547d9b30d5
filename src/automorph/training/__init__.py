"""Task, recipe, the training loop, the augmenter protocol, checkpoints and runs on disk."""

from automorph.training.augmenter import (
    Augmenter,
    AugmenterSpec,
    PolicyAugmenter,
    as_augmenter,
    check_augmenter,
    mixed_draw,
    uses_unlabelled,
)
from automorph.training.balance import Balance
from automorph.training.base import on_device
from automorph.training.batch import Batch, Encoder, Normaliser, RawBatch, Units
from automorph.training.checkpoint import (
    fill,
    prefixed,
    read_checkpoint,
    read_facts,
    under,
    write_checkpoint,
)
from automorph.training.convergence import fold_temperatures
from automorph.training.corpus import corpus_of, fitted, mean_colour, mean_of
from automorph.training.device import Machine, find_machine, repeatable
from automorph.training.ensemble_run import EnsembleRun, keep_networks
from automorph.training.evaluation import Evaluation, evaluate, evaluation_of
from automorph.training.frozen import check_frozen
from automorph.training.identity import alike, differences
from automorph.training.label_thresholds import thresholds_in
from automorph.training.load_model import (
    NETWORK,
    Trained,
    decoded_as,
    load_trained,
    operating_point_of,
    resized_as,
    sized_as,
    trained_facts,
    trained_from,
    trained_on,
    weights_file,
)
from automorph.training.loss import divergence, log_mean, soft_cross_entropy
from automorph.training.on_features import FeatureEncoder, head_task, whole_network
from automorph.training.one_label import as_two_classes
from automorph.training.optimiser import Average, Optimiser, make_optimiser
from automorph.training.options import check_options
from automorph.training.photographs import CORES, choose_setting
from automorph.training.precision import DTYPES, multiply_adds
from automorph.training.progress import OnEpoch
from automorph.training.recipe import BALANCES, Recipe
from automorph.training.recipe_table import check_defaults, recipe_for
from automorph.training.result import (
    Epoch,
    RunResult,
    packed,
    packed_floats,
    unpacked,
    unpacked_floats,
)
from automorph.training.run_defaults import decode_begun
from automorph.training.same_run import SameRun, check_same_run
from automorph.training.sampler import balanced_rows, batches, order, repeats, steps_per_epoch
from automorph.training.schedule import learning_rate, longest_stable
from automorph.training.task import Task, make_task, torch_seed, with_changes
from automorph.training.task_defaults import (
    as_task,
    check_repeats,
    default_model,
    refuse_folds,
    sizing_for,
)
from automorph.training.task_record import (
    from_version_1,
    installed,
    metrics_of,
    task_identity,
    versions_of,
)
from automorph.training.trainer import train

__all__ = [
    "BALANCES",
    "CORES",
    "DTYPES",
    "NETWORK",
    "Augmenter",
    "AugmenterSpec",
    "Average",
    "Balance",
    "Batch",
    "Encoder",
    "EnsembleRun",
    "Epoch",
    "Evaluation",
    "FeatureEncoder",
    "Machine",
    "Normaliser",
    "OnEpoch",
    "Optimiser",
    "PolicyAugmenter",
    "RawBatch",
    "Recipe",
    "RunResult",
    "SameRun",
    "Task",
    "Trained",
    "Units",
    "alike",
    "as_augmenter",
    "as_task",
    "as_two_classes",
    "balanced_rows",
    "batches",
    "check_augmenter",
    "check_defaults",
    "check_frozen",
    "check_options",
    "check_repeats",
    "check_same_run",
    "choose_setting",
    "corpus_of",
    "decode_begun",
    "decoded_as",
    "default_model",
    "differences",
    "divergence",
    "evaluate",
    "evaluation_of",
    "fill",
    "find_machine",
    "fitted",
    "fold_temperatures",
    "from_version_1",
    "head_task",
    "installed",
    "keep_networks",
    "learning_rate",
    "load_trained",
    "log_mean",
    "longest_stable",
    "make_optimiser",
    "make_task",
    "mean_colour",
    "mean_of",
    "metrics_of",
    "mixed_draw",
    "multiply_adds",
    "on_device",
    "operating_point_of",
    "order",
    "packed",
    "packed_floats",
    "prefixed",
    "read_checkpoint",
    "read_facts",
    "recipe_for",
    "refuse_folds",
    "repeatable",
    "repeats",
    "resized_as",
    "sized_as",
    "sizing_for",
    "soft_cross_entropy",
    "steps_per_epoch",
    "task_identity",
    "thresholds_in",
    "torch_seed",
    "train",
    "trained_facts",
    "trained_from",
    "trained_on",
    "under",
    "unpacked",
    "unpacked_floats",
    "uses_unlabelled",
    "versions_of",
    "weights_file",
    "whole_network",
    "with_changes",
    "write_checkpoint",
]
