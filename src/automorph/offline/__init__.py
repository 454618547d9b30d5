"""Methods that search for a policy before it is used, and the race between all methods."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.offline.children import Train as Train
    from automorph.offline.method import Job as Job
    from automorph.offline.method import Method as Method
    from automorph.offline.method import Outcome as Outcome
    from automorph.offline.method import Setting as Setting
    from automorph.offline.names import list_searches as list_searches
    from automorph.offline.names import load_method as load_method
    from automorph.offline.result import SearchResult as SearchResult
    from automorph.offline.searching import search as search

# Imported when first used: workers need the jobs alone, not what plans and judges.
_HOMES = {
    "Job": "method",
    "Method": "method",
    "Outcome": "method",
    "SearchResult": "result",
    "Setting": "method",
    "Train": "children",
    "list_searches": "names",
    "load_method": "names",
    "search": "searching",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"automorph.offline.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'automorph.offline' has no attribute {name!r}")
