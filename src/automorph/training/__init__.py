"""Task, recipe, the training loop, the augmenter protocol, checkpoints and runs on disk."""

from automorph.training.augmenter import Augmenter, AugmenterSpec, PolicyAugmenter, as_augmenter
from automorph.training.batch import Batch, Encoder, Normaliser, RawBatch, Units
from automorph.training.corpus import corpus_of, fitted
from automorph.training.evaluation import Evaluation, evaluate
from automorph.training.load_model import Trained, load_trained
from automorph.training.loss import soft_cross_entropy
from automorph.training.predictions import packed, unpacked
from automorph.training.recipe import Recipe, learning_rate
from automorph.training.recipes import recipe_for
from automorph.training.result import Epoch, RunResult
from automorph.training.task import Task, make_task
from automorph.training.task_defaults import as_task, default_model
from automorph.training.trainer import train

__all__ = [
    "Augmenter",
    "AugmenterSpec",
    "Batch",
    "Encoder",
    "Epoch",
    "Evaluation",
    "Normaliser",
    "PolicyAugmenter",
    "RawBatch",
    "Recipe",
    "RunResult",
    "Task",
    "Trained",
    "Units",
    "as_augmenter",
    "as_task",
    "corpus_of",
    "default_model",
    "evaluate",
    "fitted",
    "learning_rate",
    "load_trained",
    "make_task",
    "packed",
    "recipe_for",
    "soft_cross_entropy",
    "train",
    "unpacked",
]
