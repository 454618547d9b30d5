"""Policies in other training code: data sets, loaders, models and libraries.

Names are imported on first use, so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.integrations.collate import Collate as Collate
    from automorph.integrations.dataset import Augmented as Augmented
    from automorph.integrations.estimator import AugmentedClassifier as AugmentedClassifier
    from automorph.integrations.layer import OnDevice as OnDevice
    from automorph.integrations.lightning import AugmentCallback as AugmentCallback
    from automorph.integrations.lightning import AugmentedDataModule as AugmentedDataModule
    from automorph.integrations.ray import RayMap as RayMap
    from automorph.integrations.repeats import count_repeats as count_repeats
    from automorph.integrations.transformers_callback import EpochCallback as EpochCallback

_HOMES = {
    "AugmentCallback": "automorph.integrations.lightning",
    "Augmented": "automorph.integrations.dataset",
    "AugmentedClassifier": "automorph.integrations.estimator",
    "AugmentedDataModule": "automorph.integrations.lightning",
    "Collate": "automorph.integrations.collate",
    "EpochCallback": "automorph.integrations.transformers_callback",
    "OnDevice": "automorph.integrations.layer",
    "RayMap": "automorph.integrations.ray",
    "count_repeats": "automorph.integrations.repeats",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'automorph.integrations' has no attribute {name!r}")
