"""Networks by name: the small ones of the papers, and those of timm and transformers."""

from automorph.models.catalog import MODELS, build_model, build_text_model, check_model, list_models

__all__ = ["MODELS", "build_model", "build_text_model", "check_model", "list_models"]
