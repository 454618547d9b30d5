"""Policies in the words of other libraries: torchvision, albumentations, kornia, timm and Python.

Names are imported when they are first used, and a library only when it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.peers.export import FIDELITY as FIDELITY
    from automorph.peers.export import PEERS as PEERS
    from automorph.peers.export import convert_policy as convert_policy
    from automorph.peers.export import differences as differences
    from automorph.peers.export import export_policy as export_policy
    from automorph.peers.fidelity import Fidelity as Fidelity
    from automorph.peers.importing import DifferenceWarning as DifferenceWarning
    from automorph.peers.importing import import_policy as import_policy
    from automorph.peers.online import policy_to_export as policy_to_export
    from automorph.peers.operations import peer_operation as peer_operation

_HOMES = {
    "DifferenceWarning": "automorph.peers.importing",
    "FIDELITY": "automorph.peers.export",
    "PEERS": "automorph.peers.export",
    "Fidelity": "automorph.peers.fidelity",
    "convert_policy": "automorph.peers.export",
    "differences": "automorph.peers.export",
    "export_policy": "automorph.peers.export",
    "import_policy": "automorph.peers.importing",
    "peer_operation": "automorph.peers.operations",
    "policy_to_export": "automorph.peers.online",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'automorph.peers' has no attribute {name!r}")
