"""Sequences applied to a torch batch where it lies, on any device (needs torch)."""

from automorph.engine.on_device.parcel import send
from automorph.engine.on_device.path import apply_on_device

__all__ = ["apply_on_device", "send"]
