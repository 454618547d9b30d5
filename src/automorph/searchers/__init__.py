"""Methods that search for a policy before it is used, and the race between all methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automorph import _moved
from automorph._lazy import lazy_names

if TYPE_CHECKING:
    from automorph.experiments import Job as Job
    from automorph.experiments import JobResult as JobResult
    from automorph.searchers.base import SearchContext as SearchContext
    from automorph.searchers.base import Searcher as Searcher
    from automorph.searchers.base import Standing as Standing
    from automorph.searchers.budget import Plan as Plan
    from automorph.searchers.budget import read_budget as read_budget
    from automorph.searchers.builtin import METHODS as METHODS
    from automorph.searchers.builtin import SearchSpec as SearchSpec
    from automorph.searchers.builtin import check_space as check_space
    from automorph.searchers.builtin import list_searches as list_searches
    from automorph.searchers.builtin import load_method as load_method
    from automorph.searchers.child_training import TrainJob as TrainJob
    from automorph.searchers.defaults import begun_method as begun_method
    from automorph.searchers.defaults import default_post_policy as default_post_policy
    from automorph.searchers.defaults import default_space as default_space
    from automorph.searchers.defaults import space_of as space_of
    from automorph.searchers.interrupted import SearchInterrupted as SearchInterrupted
    from automorph.searchers.outlook import Outlook as Outlook
    from automorph.searchers.own_training import check_method as check_method
    from automorph.searchers.policy_search import Pick as Pick
    from automorph.searchers.policy_search import search_alone as search_alone
    from automorph.searchers.result import SearchResult as SearchResult
    from automorph.searchers.run_search import search as search
    from automorph.searchers.runner import Finished as Finished
    from automorph.searchers.runner import NestedPlace as NestedPlace
    from automorph.searchers.runner import SearchProgress as SearchProgress

# Imported on first use: workers need the jobs only, not the modules that plan and judge.
_HOMES = {
    "METHODS": "builtin",
    "Finished": "runner",
    "NestedPlace": "runner",
    "Outlook": "outlook",
    "Pick": "policy_search",
    "Plan": "budget",
    "SearchInterrupted": "interrupted",
    "SearchSpec": "builtin",
    "SearchProgress": "runner",
    "begun_method": "defaults",
    "check_method": "own_training",
    "check_space": "builtin",
    "read_budget": "budget",
    "space_of": "defaults",
    "default_post_policy": "defaults",
    "default_space": "defaults",
    "Job": "automorph.experiments",
    "Searcher": "base",
    "Standing": "base",
    "JobResult": "automorph.experiments",
    "SearchResult": "result",
    "SearchContext": "base",
    "TrainJob": "child_training",
    "list_searches": "builtin",
    "load_method": "builtin",
    "search": "run_search",
    "search_alone": "policy_search",
}

__all__ = [*_HOMES]


__getattr__ = lazy_names(__name__, _HOMES, _moved.old_names(__name__))
