"""Methods that run inside training: they see the model, or learn from its losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph import _moved
from automorph._lazy import lazy_names

if TYPE_CHECKING:
    from automorph.augmenters.adversarial import Adversarial as Adversarial
    from automorph.augmenters.api import compare as compare
    from automorph.augmenters.api import train as train
    from automorph.augmenters.augmix_jsd import Consistency as Consistency
    from automorph.augmenters.augmix_jsd import consistency_loss as consistency_loss
    from automorph.augmenters.base import InTrainingMethod as InTrainingMethod
    from automorph.augmenters.batch_augmentation import JointViews as JointViews
    from automorph.augmenters.builtin import METHODS as METHODS
    from automorph.augmenters.builtin import as_treatment as as_treatment
    from automorph.augmenters.builtin import list_methods as list_methods
    from automorph.augmenters.policy_network import Controller as Controller
    from automorph.augmenters.policy_network import begun as begun
    from automorph.augmenters.policy_network import inverse as inverse
    from automorph.augmenters.regularised import Regularised as Regularised
    from automorph.augmenters.regularised import (
        transformation_regularisation as transformation_regularisation,
    )
    from automorph.augmenters.scoring import Scoring as Scoring
    from automorph.augmenters.uncertainty import Uncertainty as Uncertainty
    from automorph.augmenters.unlabelled_consistency import (
        UnlabelledConsistency as UnlabelledConsistency,
    )
    from automorph.augmenters.unlabelled_consistency import (
        annealing_threshold as annealing_threshold,
    )
    from automorph.models import evaluating as evaluating

# Imported when first used: names are looked up, and completed, without torch.
_HOMES = {
    "METHODS": "builtin",
    "Adversarial": "adversarial",
    "Consistency": "augmix_jsd",
    "Controller": "policy_network",
    "InTrainingMethod": "base",
    "JointViews": "batch_augmentation",
    "Regularised": "regularised",
    "Scoring": "scoring",
    "Uncertainty": "uncertainty",
    "UnlabelledConsistency": "unlabelled_consistency",
    "annealing_threshold": "unlabelled_consistency",
    "as_treatment": "builtin",
    "begun": "policy_network",
    "compare": "api",
    "consistency_loss": "augmix_jsd",
    "evaluating": "automorph.models",
    "inverse": "policy_network",
    "list_methods": "builtin",
    "train": "api",
    "transformation_regularisation": "regularised",
}

__all__ = [*_HOMES]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = lazy_names(__name__, _HOMES, _moved.old_names(__name__))
