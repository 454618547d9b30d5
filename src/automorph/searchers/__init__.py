"""Methods that search for a policy before it is used, and the race between all methods."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.searchers.base import Job as Job
    from automorph.searchers.base import Method as Method
    from automorph.searchers.base import Outcome as Outcome
    from automorph.searchers.base import Setting as Setting
    from automorph.searchers.builtin import list_searches as list_searches
    from automorph.searchers.builtin import load_method as load_method
    from automorph.searchers.child_training import Train as Train
    from automorph.searchers.result import SearchResult as SearchResult
    from automorph.searchers.run_search import search as search

# Imported when first used: workers need the jobs alone, not what plans and judges.
_HOMES = {
    "Job": "base",
    "Method": "base",
    "Outcome": "base",
    "SearchResult": "result",
    "Setting": "base",
    "Train": "child_training",
    "list_searches": "builtin",
    "load_method": "builtin",
    "search": "run_search",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"automorph.searchers.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'automorph.searchers' has no attribute {name!r}")
