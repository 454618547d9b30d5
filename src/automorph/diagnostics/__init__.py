"""Explain what each operation does to the data before any training, and derive policies from it."""

from automorph.diagnostics.diagnosis import Bench, Diagnosis
from automorph.diagnostics.explain_result import Explanation, Finding, Point
from automorph.diagnostics.features import feature_map, random_convolutions, trained_features
from automorph.diagnostics.idle import idle_operations
from automorph.diagnostics.instant import diagnose_policy, instant_policy
from automorph.diagnostics.prune_space import explained_space, narrowed
from automorph.diagnostics.run_explain import default_space, explain, is_identity
from automorph.diagnostics.sweeper import transform_of
from automorph.diagnostics.text_features import hashed_words

__all__ = [
    "Bench",
    "Diagnosis",
    "Explanation",
    "Finding",
    "Point",
    "default_space",
    "diagnose_policy",
    "explain",
    "explained_space",
    "feature_map",
    "hashed_words",
    "idle_operations",
    "instant_policy",
    "is_identity",
    "narrowed",
    "random_convolutions",
    "trained_features",
    "transform_of",
]
