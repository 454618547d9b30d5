"""Apply sequences to a torch batch on its own device (needs torch)."""

from automorph.engine.torch.apply import apply_on_device
from automorph.engine.torch.transfer import send

__all__ = ["apply_on_device", "send"]
