"""Rewrites by a language model behind the OpenAI-compatible protocol (needs the network)."""

from automorph.rewriting.budget import Budget, Cost
from automorph.rewriting.client import Client
from automorph.rewriting.run import Check, Rewritten, cost_of, rewrite

__all__ = ["Budget", "Check", "Client", "Cost", "Rewritten", "cost_of", "rewrite"]
