"""Policies in other people's training code: data sets, loaders, models and libraries.

Names are imported when they are first used, so that the room stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.adapters.collate import Collate as Collate
    from automorph.adapters.dataset import Augmented as Augmented
    from automorph.adapters.on_device import OnDevice as OnDevice

_HOMES = {
    "Augmented": "automorph.adapters.dataset",
    "Collate": "automorph.adapters.collate",
    "OnDevice": "automorph.adapters.on_device",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'automorph.adapters' has no attribute {name!r}")
