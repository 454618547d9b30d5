"""A search that a signal ends: it leaves the best policy so far, with its evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automorph.experiments import ExternalTask, Treatment, policy_of
from automorph.policies import Policy, save_policy
from automorph.processes import shielded
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.outlook import Outlook, Snapshot
from automorph.searchers.runner import SearchRunner
from automorph.training import Task, fitted

STATE = "interrupted: not tested on the test part"
"""How a policy file says that its search is not finished."""
SHOWN = 10
"""Most candidates in the evidence of a policy file."""


class SearchInterrupted(KeyboardInterrupt):
    """Ctrl-C during a search: ``policy`` is the best one so far; ``path`` its file, if any."""

    def __init__(self, policy: Treatment, outlook: Outlook, path: Path | None) -> None:
        super().__init__(f"the search was interrupted; {outlook}")
        self.policy, self.outlook, self.path = policy, outlook, path


@dataclass
class SoFar:
    """What an interrupted search would leave: how to name it, and where."""

    runner: SearchRunner
    task: Task | ExternalTask
    method: str
    post_policy: Policy
    folder: Path | None

    def leave(self, now: Snapshot) -> SearchInterrupted:
        """Write the policy file, unless there is no folder or its search is finished."""
        policy = with_post_policy(now.leader, self.post_policy)
        path = None
        if self.folder is not None and not (self.folder / "search.json").exists():
            content = policy_of(
                fitted(policy, self.task) if isinstance(self.task, Task) else policy
            )
            path = save_policy(
                content, self.folder / "policy.json", provenance=self.evidence(policy, now)
            )
        return SearchInterrupted(policy, now.outlook, path)

    def evidence(self, policy: Treatment, now: Snapshot) -> dict[str, Any]:
        """Return why this policy leads, as plain data; of the validation part alone."""
        origin = (
            {"command": self.task.text} if isinstance(self.task, ExternalTask)
            else {"data": self.task.name, "data_hash": self.task.data.hash}
        )  # fmt: skip
        finals = sum(job.kind == "final" for job in self.runner.record.finished)
        return {
            "state": STATE,
            "found_by": self.method,
            "trained_with": policy.name,
            **origin,
            "trials": len(self.runner.record.finished) - finals,
            "final_trainings": finals,
            "sure": now.outlook.sure,
            "candidates": [
                {
                    "policy": one.treatment.name,
                    "estimate": one.estimate,
                    "error": one.error if math.isfinite(one.error) else None,
                }
                for one in now.standing[:SHOWN]
                if math.isfinite(one.estimate)
            ],
        }


@contextmanager
def leaving(so_far: SoFar, first_guess: Callable[[], Treatment]) -> Iterator[None]:
    """Turn Ctrl-C within the block into `SearchInterrupted`, and leave the policy so far.

    Before the search has begun that is ``first_guess()``.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        with shielded():
            now = so_far.runner.now or Snapshot(first_guess())
            raise so_far.leave(now) from stop


def forget(folder: Path) -> None:
    """Remove the policy file of an interruption: the search that it belonged to is finished."""
    path = folder / "policy.json"
    if path.exists() and STATE in path.read_text("utf-8", errors="replace"):
        path.unlink()
