"""Policies in the words of other libraries: torchvision, albumentations, kornia, timm and Python.

Names are imported when they are first used, and a library only when it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph._lazy import lazy_names

if TYPE_CHECKING:
    from automorph.interop.export import FIDELITY as FIDELITY
    from automorph.interop.export import PEERS as PEERS
    from automorph.interop.export import convert_policy as convert_policy
    from automorph.interop.export import differences as differences
    from automorph.interop.export import export_policy as export_policy
    from automorph.interop.fidelity import Fidelity as Fidelity
    from automorph.interop.importing import DifferenceWarning as DifferenceWarning
    from automorph.interop.importing import import_policy as import_policy
    from automorph.interop.in_training import policy_to_export as policy_to_export
    from automorph.interop.operations import peer_operation as peer_operation

_HOMES = {
    "DifferenceWarning": "automorph.interop.importing",
    "FIDELITY": "automorph.interop.export",
    "PEERS": "automorph.interop.export",
    "Fidelity": "automorph.interop.fidelity",
    "convert_policy": "automorph.interop.export",
    "differences": "automorph.interop.export",
    "export_policy": "automorph.interop.export",
    "import_policy": "automorph.interop.importing",
    "peer_operation": "automorph.interop.operations",
    "policy_to_export": "automorph.interop.in_training",
}

__all__ = [*_HOMES]


__getattr__ = lazy_names(__name__, _HOMES)
