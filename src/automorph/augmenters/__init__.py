"""Methods that live inside training: they see the model, or learn from its losses."""

from automorph.augmenters.adversarial import Adversarial
from automorph.augmenters.api import compare, train
from automorph.augmenters.augmix_jsd import Consistency, consistency_loss
from automorph.augmenters.base import Method
from automorph.augmenters.batch_augmentation import JointViews
from automorph.augmenters.builtin import METHODS, as_arm, list_methods
from automorph.augmenters.policy_network import Controller
from automorph.augmenters.scoring import Scoring
from automorph.augmenters.transformation_regularisation import Regularised
from automorph.augmenters.uncertainty import Uncertainty

__all__ = [
    "METHODS",
    "Adversarial",
    "Consistency",
    "Controller",
    "JointViews",
    "Method",
    "Regularised",
    "Scoring",
    "Uncertainty",
    "as_arm",
    "compare",
    "consistency_loss",
    "list_methods",
    "train",
]
