"""Networks by name: the papers' small ones, and any of timm's."""

from automorph.models.catalog import MODELS, build_model, build_text_model, check_model, list_models

__all__ = ["MODELS", "build_model", "build_text_model", "check_model", "list_models"]
