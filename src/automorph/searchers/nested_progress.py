"""The progress of a nested cross-validation over all its searches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from automorph.searchers.runner import NestedPlace, SearchProgress
from automorph.searchers.search_phase import SearchSetup
from automorph.training import Task

Report = Callable[[SearchProgress], None]
TESTS = 4
"""Trainings that test a pick: its own, none, the post-policy, and with what usually helps."""


class NestedProgress:
    """Turns the progress of each search into that of all of them.

    Costs are plain trainings: those of a search, by its number of trials, and `TESTS` that test
    what it picks. With a budget of time they are known once the first search has its plan.
    """

    def __init__(self, report: Report | None, searches: int) -> None:
        self.report, self.searches = report, searches
        self.began: tuple[float, float] | None = None
        """The clock and the finished share when the first job of this call ended."""
        self.before = self.done = 0
        """Jobs of the searches before the present one, and all that are done."""

    def of(self, number: int, setup: SearchSetup, task: Task) -> Report | None:
        """Return the progress of one search; the last one is on all examples."""
        report = self.report
        if report is None:
            return None
        self.before = self.done

        def tell(progress: SearchProgress) -> None:
            planned = None if progress.plan is None else progress.plan.trials
            known = setup.seconds is None or planned is not None
            price = setup.method.entry.price(planned or setup.usual_trials, task)
            total = self.searches * (price + TESTS) - TESTS
            inner = {"measure": 0.0, "search": price * progress.share}
            made = inner.get(progress.phase, price + TESTS * progress.share)
            share = (number * (price + TESTS) + made) / total if known else 0.0
            if progress.phase == "search":
                self.done = self.before + progress.done
            place = NestedPlace(number + 1, self.searches, total if known else None)
            report(
                replace(
                    progress, done=self.done, share=min(1.0, share),
                    seconds_left=self._left(share, progress), nested=place,
                )
            )  # fmt: skip

        return tell

    def _left(self, share: float, progress: SearchProgress) -> float | None:
        """Estimate the seconds left by the work of this call."""
        if progress.last is None:
            return None
        now = time.monotonic()
        self.began = self.began or (now, share)
        began, first = self.began
        return (now - began) / (share - first) * (1 - share) if share > first else None
