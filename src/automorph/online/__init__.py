"""Methods that live inside training: they see the model, or learn from its losses."""

from automorph.online.adversarial import Adversarial
from automorph.online.calls import compare, train
from automorph.online.consistency import Consistency, consistency_loss
from automorph.online.controller import Controller
from automorph.online.joint import JointViews
from automorph.online.method import Method
from automorph.online.names import METHODS, as_arm, list_methods
from automorph.online.scoring import Scoring
from automorph.online.uncertainty import Uncertainty

__all__ = [
    "METHODS",
    "Adversarial",
    "Consistency",
    "Controller",
    "JointViews",
    "Method",
    "Scoring",
    "Uncertainty",
    "as_arm",
    "compare",
    "consistency_loss",
    "list_methods",
    "train",
]
