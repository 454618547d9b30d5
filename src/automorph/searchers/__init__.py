"""Methods that search for a policy before it is used, and the race between all methods."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.searchers.base import Job as Job
    from automorph.searchers.base import Method as Method
    from automorph.searchers.base import Outcome as Outcome
    from automorph.searchers.base import Setting as Setting
    from automorph.searchers.budget import read_budget as read_budget
    from automorph.searchers.builtin import Named as Named
    from automorph.searchers.builtin import list_searches as list_searches
    from automorph.searchers.builtin import load_method as load_method
    from automorph.searchers.child_training import Train as Train
    from automorph.searchers.defaults import check_space as check_space
    from automorph.searchers.defaults import space_of as space_of
    from automorph.searchers.defaults import usual_tail as usual_tail
    from automorph.searchers.executors import check_engine as check_engine
    from automorph.searchers.result import SearchResult as SearchResult
    from automorph.searchers.run_search import search as search
    from automorph.searchers.runner import Finished as Finished
    from automorph.searchers.runner import Standing as Standing

# Imported when first used: workers need the jobs alone, not what plans and judges.
_HOMES = {
    "Finished": "runner",
    "Named": "builtin",
    "Standing": "runner",
    "check_engine": "executors",
    "check_space": "defaults",
    "read_budget": "budget",
    "space_of": "defaults",
    "usual_tail": "defaults",
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
