"""The cost of a search: budgets such as ``30m``, and the numbers of trainings that they buy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from automorph.errors import UsageError

Controls = Literal["usual", "all"]
"""Which controls the final table has."""
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([hms])", re.IGNORECASE)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}

ONLINE_COST = 2.4
"""Approximate cost of an epoch of an in-training method, relative to that of a policy."""
RESERVE = 0.1
"""Share of a budget that no plan uses: start-up, evaluation, cores that wait for the last job."""
FINALS = ((5, 4), (5, 3), (5, 2), (4, 2), (3, 2), (2, 2))
"""Final tables, best first: paired seeds, and the epoch multiplier of the control."""


def read_budget(budget: str | float) -> float:
    """Return the seconds of a budget such as ``30m`` or ``1h30m``; numbers are seconds.

    >>> read_budget("1h30m"), read_budget("2.5m"), read_budget(90)
    (5400.0, 150.0, 90.0)
    """
    if isinstance(budget, str):
        text = budget.strip()
        complete = bool(text) and not _PART.sub("", text).strip()
        parts = _PART.findall(text) if complete else []
        seconds = sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts)
    else:
        seconds = float(budget)
    if not 0 < seconds < 1e9:
        raise UsageError(
            f"got the budget {budget!r}; expected a time above 0, such as 90s, 30m or 1h30m"
        )
    return seconds


@dataclass(frozen=True)
class Plan:
    """What a search will do, in counts: decided before it starts, and stored with its trials.

    A time budget is used only to choose these counts. From then on no clock decides anything, so
    the same counts give the same result on a slower machine, and after a resume.

    - ``trainings``: cost limit of the search, in plain trainings (None: only its trials count);
    - ``seeds``, ``epoch_multiplier``: paired seeds of the final table, and how many times the
      recipe's epochs its compute-matched control trains for;
    - ``seconds_per_run``: measured seconds of one plain training (None: not measured);
    - ``trials``: trials that the limit pays for (None: not limited by time, or planned by
      version 0.1), and ``passes``: their cost in passes of examples (of the user's own training:
      in passes over the training data).
    """

    trainings: float | None
    seeds: int
    epoch_multiplier: int
    seconds_per_run: float | None = None
    trials: int | None = None
    passes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the stored form, which keeps the field names of version 0.1."""
        return {stored: getattr(self, name) for name, stored in _STORED.items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Plan:
        """Read the stored form; the deadlines in plans of version 0.1 are ignored."""
        return cls(**{name: stored[key] for name, key in _STORED.items() if key in stored})


_STORED = {
    "trainings": "trainings",
    "trials": "trials",
    "passes": "passes",
    "seeds": "seeds",
    "epoch_multiplier": "longer",
    "seconds_per_run": "pace",
}
"""Fields of a `Plan`, and their names in the record of a search."""


def final_trainings(seeds: int, epoch_multiplier: int, controls: Controls = "all") -> float:
    """Return the cost of the final table in plain trainings, at most.

    It has three usual baselines and the winner of the search; with all controls, two more and the
    longer one. The winner may be a method that runs inside training, which costs more than one.
    """
    if controls == "usual":
        return seeds * (3 + ONLINE_COST)
    return seeds * (5 + ONLINE_COST + epoch_multiplier)


def plan_by_time(
    budget: float,
    *,
    seconds_per_run: float,
    jobs: int,
    clock: float,
    seeds: int,
    epoch_multiplier: int | None = None,
    at_once: int | None = None,
    controls: Controls = "all",
) -> Plan:
    """Divide ``budget`` seconds between search and final table.

    ``seconds_per_run`` is one training with ``jobs`` in parallel, ``clock`` the seconds already
    used; the search proposes ``at_once`` jobs together (None: at least ``jobs``). The final table
    gets as many seeds as fit into 70 % of the time (50 % if its control is more than twice as
    long); the search gets the rest. ``epoch_multiplier`` fixes the length of the control, which the
    ``usual`` controls lack. Raises `UsageError` if the budget is too short.

    >>> plan_by_time(1200, seconds_per_run=30, jobs=2, clock=10, seeds=5).seeds
    5
    """
    usable = (1 - RESERVE) * budget - clock
    for wanted, planned in FINALS:
        longer = 1 if controls == "usual" else epoch_multiplier or planned
        final = _final_seconds(min(wanted, seeds), longer, seconds_per_run, jobs, controls)
        if final <= usable * (0.5 if longer > 2 else 0.7):
            side_by_side = jobs if at_once is None else min(jobs, at_once)
            trainings = (usable - final) * side_by_side / seconds_per_run
            return Plan(trainings, min(wanted, seeds), longer, seconds_per_run)
    longer = 1 if controls == "usual" else epoch_multiplier or 2
    final = _final_seconds(min(2, seeds), longer, seconds_per_run, jobs, controls)
    needed = (final / (0.5 if longer > 2 else 0.7) + clock) / (1 - RESERVE)
    trainings = max(0.0, usable * jobs / seconds_per_run)
    raise UsageError(
        f"a budget of {budget:.0f} s allows {trainings:.0f} trainings here "
        f"({seconds_per_run:.1f} s each, {jobs} in parallel); a search with its final table needs "
        f"about {needed:.0f} s. Allow more time, or reduce --epochs or --limit"
    )


def _final_seconds(
    seeds: int, epoch_multiplier: int, seconds_per_run: float, jobs: int, controls: Controls
) -> float:
    """Return the seconds of the final table; it lasts at least as long as its longest training."""
    trainings = final_trainings(seeds, epoch_multiplier, controls)
    return seconds_per_run * max(trainings / jobs, epoch_multiplier)
