"""Policies in other training code: data sets, loaders, models and libraries.

Names are imported on first use, so that importing the package stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph._lazy import lazy_names

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


__getattr__ = lazy_names(__name__, _HOMES)
