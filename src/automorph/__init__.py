"""Automorph: learned data augmentation for images and texts, with explanations and model repair.

Public names are imported on first use, so that ``import automorph`` stays fast:

>>> import automorph
>>> automorph.__version__
'0.2.0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph import _moved
from automorph._lazy import lazy_names
from automorph._version import __version__

_moved.install()

if TYPE_CHECKING:
    from automorph.augmenters import compare as compare
    from automorph.augmenters import train as train
    from automorph.data import from_arrays as from_arrays
    from automorph.data import load_data as load_data
    from automorph.diagnostics import explain as explain
    from automorph.experiments import write_result as write_result
    from automorph.inference import export_model as export_model
    from automorph.inference import predict as predict
    from automorph.integrations import AugmentCallback as AugmentCallback
    from automorph.integrations import Augmented as Augmented
    from automorph.integrations import AugmentedClassifier as AugmentedClassifier
    from automorph.integrations import Collate as Collate
    from automorph.integrations import OnDevice as OnDevice
    from automorph.integrations import count_repeats as count_repeats
    from automorph.interop import export_policy as export_policy
    from automorph.interop import import_policy as import_policy
    from automorph.interop import peer_operation as peer_operation
    from automorph.operations import operation as operation
    from automorph.policies import follow as follow
    from automorph.policies import load_policy as load_policy
    from automorph.policies import save_policy as save_policy
    from automorph.robustness import audit as audit
    from automorph.robustness import patch as patch
    from automorph.searchers import search as search

_HOMES = {
    "AugmentCallback": "automorph.integrations",
    "Augmented": "automorph.integrations",
    "AugmentedClassifier": "automorph.integrations",
    "Collate": "automorph.integrations",
    "OnDevice": "automorph.integrations",
    "audit": "automorph.robustness",
    "compare": "automorph.augmenters",
    "count_repeats": "automorph.integrations",
    "explain": "automorph.diagnostics",
    "export_model": "automorph.inference",
    "export_policy": "automorph.interop",
    "follow": "automorph.policies",
    "from_arrays": "automorph.data",
    "import_policy": "automorph.interop",
    "load_data": "automorph.data",
    "load_policy": "automorph.policies",
    "operation": "automorph.operations",
    "patch": "automorph.robustness",
    "peer_operation": "automorph.interop",
    "predict": "automorph.inference",
    "save_policy": "automorph.policies",
    "search": "automorph.searchers",
    "train": "automorph.augmenters",
    "write_result": "automorph.experiments",
}

__all__ = ["__version__", *_HOMES]


if not TYPE_CHECKING:  # A type checker would accept any name.
    __getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
