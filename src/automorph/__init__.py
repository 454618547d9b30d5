"""Automorph: automatic data augmentation for images and texts, explained, and used to mend models.

The public names are imported when they are first used, so that ``import automorph`` stays light:

>>> import automorph
>>> automorph.__version__
'0.1.0'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from automorph.adapters import AugmentCallback as AugmentCallback
    from automorph.adapters import Augmented as Augmented
    from automorph.adapters import AugmentedClassifier as AugmentedClassifier
    from automorph.adapters import Collate as Collate
    from automorph.adapters import OnDevice as OnDevice
    from automorph.data import from_arrays as from_arrays
    from automorph.data import load_data as load_data
    from automorph.offline import search as search
    from automorph.online import compare as compare
    from automorph.online import train as train
    from automorph.patching import audit as audit
    from automorph.patching import patch as patch
    from automorph.peers import export_policy as export_policy
    from automorph.peers import import_policy as import_policy
    from automorph.peers import peer_operation as peer_operation
    from automorph.policies import follow as follow
    from automorph.policies import load_policy as load_policy
    from automorph.policies import save_policy as save_policy
    from automorph.space import operation as operation
    from automorph.theory import explain as explain

_HOMES = {
    "AugmentCallback": "automorph.adapters",
    "Augmented": "automorph.adapters",
    "AugmentedClassifier": "automorph.adapters",
    "Collate": "automorph.adapters",
    "OnDevice": "automorph.adapters",
    "audit": "automorph.patching",
    "compare": "automorph.online",
    "explain": "automorph.theory",
    "export_policy": "automorph.peers",
    "follow": "automorph.policies",
    "from_arrays": "automorph.data",
    "import_policy": "automorph.peers",
    "load_data": "automorph.data",
    "load_policy": "automorph.policies",
    "operation": "automorph.space",
    "patch": "automorph.patching",
    "peer_operation": "automorph.peers",
    "save_policy": "automorph.policies",
    "search": "automorph.offline",
    "train": "automorph.online",
}

__all__ = ["__version__", *_HOMES]


if not TYPE_CHECKING:  # A checker would take every name for one that is there.

    def __getattr__(name: str) -> Any:
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module 'automorph' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
