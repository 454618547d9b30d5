"""DADA: a policy learned by gradients (Li et al. 2020)."""

from automorph.searchers.dada.searcher import Differentiable

__all__ = ["Differentiable"]
