"""Methods that live inside training: they see the model, or learn from its losses."""

from typing import TYPE_CHECKING

from automorph import _moved
from automorph.augmenters.adversarial import Adversarial
from automorph.augmenters.api import compare, train
from automorph.augmenters.augmix_jsd import Consistency, consistency_loss
from automorph.augmenters.base import InTrainingMethod
from automorph.augmenters.batch_augmentation import JointViews
from automorph.augmenters.builtin import METHODS, as_treatment, list_methods
from automorph.augmenters.policy_network import Controller, begun, inverse
from automorph.augmenters.regularised import Regularised, transformation_regularisation
from automorph.augmenters.scoring import Scoring, evaluating
from automorph.augmenters.uncertainty import Uncertainty

__all__ = [
    "METHODS",
    "Adversarial",
    "Consistency",
    "Controller",
    "InTrainingMethod",
    "JointViews",
    "Regularised",
    "Scoring",
    "Uncertainty",
    "as_treatment",
    "begun",
    "compare",
    "consistency_loss",
    "evaluating",
    "inverse",
    "list_methods",
    "train",
    "transformation_regularisation",
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = _moved.old_names(__name__)
