"""Networks by name: the small ones of the papers, and those of timm and transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph._lazy import lazy_names
from automorph.models.catalog import (
    MODELS,
    build_model,
    build_text_model,
    check_model,
    check_output,
    list_models,
)
from automorph.models.weights import (
    Weights,
    is_pretrained,
    tensors_in,
    weights_for,
    without_weights,
)

if TYPE_CHECKING:
    from automorph.models.ensemble import Ensemble as Ensemble
    from automorph.models.from_timm import preprocessing_of as preprocessing_of
    from automorph.models.frozen import FrozenFeatures as FrozenFeatures
    from automorph.models.frozen import content_of as content_of
    from automorph.models.modes import Modes as Modes
    from automorph.models.modes import begin_training as begin_training
    from automorph.models.modes import evaluating as evaluating
    from automorph.models.modes import held_in_evaluation as held_in_evaluation
    from automorph.models.modes import hold_statistics as hold_statistics
    from automorph.models.modes import modes_kept as modes_kept
    from automorph.models.preparation import resizing_of as resizing_of

# Imported when first used: networks are looked up by name without torch.
_HOMES = {
    "Ensemble": "ensemble",
    "FrozenFeatures": "frozen",
    "Modes": "modes",
    "begin_training": "modes",
    "content_of": "frozen",
    "evaluating": "modes",
    "held_in_evaluation": "modes",
    "hold_statistics": "modes",
    "modes_kept": "modes",
    "preprocessing_of": "from_timm",
    "resizing_of": "preparation",
}

__all__ = [
    "MODELS",
    "Weights",
    "build_model",
    "build_text_model",
    "check_model",
    "check_output",
    "is_pretrained",
    "list_models",
    "tensors_in",
    "weights_for",
    "without_weights",
    *_HOMES,
]

if not TYPE_CHECKING:  # A checker would take every name for one that exists.
    __getattr__ = lazy_names(__name__, _HOMES)
