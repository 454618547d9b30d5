"""The instant policy: from closed-form diagnostics of the data alone, without any training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from automorph.diagnostics import explain, instant_policy
from automorph.policies import Policy
from automorph.searchers.base import Job, JobResult, SearchContext, Searcher


class Instant(Searcher):
    """A search that asks for nothing: features of the data say which operations to use.

    ``features`` are those of `automorph.explain`: ``random``, ``pixels`` or the name of a model.
    """

    def __init__(self, setting: SearchContext, *, features: str = "random") -> None:
        self.setting = setting
        self.features = features

    def ask(self) -> Sequence[Job]:
        """Nothing: there is nothing to train."""
        return ()

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Nothing was asked."""

    def result(self) -> Policy:
        """The policy of what the diagnostics find useful."""
        return self._policy

    @cached_property
    def _policy(self) -> Policy:
        setting = self.setting
        found = explain(setting.task, setting.space, features=self.features, seed=setting.seed)
        return instant_policy(found)
