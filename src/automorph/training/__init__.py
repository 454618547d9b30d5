"""Task, recipe, the training loop, the augmenter protocol, checkpoints and runs on disk."""

from automorph.training.augmenter import Augmenter, AugmenterSpec, PolicyAugmenter, as_augmenter
from automorph.training.batch import Batch, Encoder, Normaliser, RawBatch, Units
from automorph.training.checkpoint import (
    fill,
    prefixed,
    read_checkpoint,
    read_facts,
    under,
    write_checkpoint,
)
from automorph.training.corpus import corpus_of, fitted
from automorph.training.device import find_machine, repeatable
from automorph.training.evaluation import Evaluation, evaluate
from automorph.training.identity import alike, differences
from automorph.training.load_model import (
    Trained,
    load_trained,
    trained_facts,
    trained_on,
    weights_file,
)
from automorph.training.loss import divergence, log_mean, soft_cross_entropy
from automorph.training.optimiser import Average, Optimiser, make_optimiser
from automorph.training.options import check_options
from automorph.training.precision import DTYPES, multiply_adds
from automorph.training.progress import OnEpoch
from automorph.training.recipe import Recipe, learning_rate, recipe_for
from automorph.training.result import Epoch, RunResult, packed, unpacked
from automorph.training.sampler import batches, order, steps_per_epoch
from automorph.training.task import Task, make_task, torch_seed
from automorph.training.task_defaults import as_task, default_model
from automorph.training.trainer import train
from automorph.training.workers import LostWorkerError, Workers

__all__ = [
    "DTYPES",
    "Augmenter",
    "AugmenterSpec",
    "Average",
    "Batch",
    "Encoder",
    "Epoch",
    "Evaluation",
    "LostWorkerError",
    "Normaliser",
    "OnEpoch",
    "Optimiser",
    "PolicyAugmenter",
    "RawBatch",
    "Recipe",
    "RunResult",
    "Task",
    "Trained",
    "Units",
    "Workers",
    "alike",
    "as_augmenter",
    "as_task",
    "batches",
    "check_options",
    "corpus_of",
    "default_model",
    "differences",
    "divergence",
    "evaluate",
    "fill",
    "find_machine",
    "fitted",
    "learning_rate",
    "load_trained",
    "log_mean",
    "make_optimiser",
    "make_task",
    "multiply_adds",
    "order",
    "packed",
    "prefixed",
    "read_checkpoint",
    "read_facts",
    "recipe_for",
    "repeatable",
    "soft_cross_entropy",
    "steps_per_epoch",
    "torch_seed",
    "train",
    "trained_facts",
    "trained_on",
    "under",
    "unpacked",
    "weights_file",
    "write_checkpoint",
]
