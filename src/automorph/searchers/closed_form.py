"""The instant policy: from closed-form diagnostics of the data alone, without any training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from automorph.diagnostics import explain, instant_policy
from automorph.experiments import Job, JobResult
from automorph.policies import Policy
from automorph.searchers.base import SearchContext, Searcher
from automorph.training import fitted


class Instant(Searcher):
    """A search without jobs: diagnostics of the data decide which operations to use.

    ``features`` are those of `automorph.explain`: ``random``, ``pixels`` or the name of a model.
    """

    def __init__(self, setting: SearchContext, *, features: str = "random") -> None:
        self.setting = setting
        self.features = features

    def ask(self) -> Sequence[Job]:
        """Return no jobs: nothing is trained."""
        return ()

    def tell(self, outcomes: Sequence[JobResult]) -> None:
        """Do nothing: there are no jobs."""

    def result(self) -> Policy:
        """Return the policy of the operations that the diagnostics find useful."""
        return self._policy

    @cached_property
    def _policy(self) -> Policy:
        setting = self.setting
        name = f"instant policy, features {self.features}"
        # A stored policy does not hold the words of the data.
        found = fitted(setting.remember(name, self._diagnosed), setting.data_task)
        assert isinstance(found, Policy)
        return found

    def _diagnosed(self) -> Policy:
        setting = self.setting
        return instant_policy(
            explain(setting.data_task, setting.space, features=self.features, seed=setting.seed)
        )
