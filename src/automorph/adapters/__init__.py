"""Policies in other people's training code: data sets, loaders, models and libraries.

Names are imported when they are first used, so that the room stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.adapters.collate import Collate as Collate
    from automorph.adapters.dataset import Augmented as Augmented
    from automorph.adapters.estimator import AugmentedClassifier as AugmentedClassifier
    from automorph.adapters.lightning import AugmentCallback as AugmentCallback
    from automorph.adapters.lightning import AugmentedDataModule as AugmentedDataModule
    from automorph.adapters.on_device import OnDevice as OnDevice
    from automorph.adapters.ray import RayMap as RayMap
    from automorph.adapters.trainer import EpochCallback as EpochCallback

_HOMES = {
    "AugmentCallback": "automorph.adapters.lightning",
    "Augmented": "automorph.adapters.dataset",
    "AugmentedClassifier": "automorph.adapters.estimator",
    "AugmentedDataModule": "automorph.adapters.lightning",
    "Collate": "automorph.adapters.collate",
    "EpochCallback": "automorph.adapters.trainer",
    "OnDevice": "automorph.adapters.on_device",
    "RayMap": "automorph.adapters.ray",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'automorph.adapters' has no attribute {name!r}")
