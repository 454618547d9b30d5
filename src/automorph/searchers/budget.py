"""The cost of a search: budgets such as ``30m``, and how their time is divided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automorph.errors import UsageError

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([hms])", re.IGNORECASE)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}

ONLINE_COST = 2.4
"""Approximate cost of an epoch of an in-training method, relative to that of a policy."""
RESERVE = 0.1
"""Share of a budget that no plan uses: start-up, evaluation, cores that idle at the end."""
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
    """What a search will do: decided before it starts, and stored with its trials.

    - ``trainings``: cost limit of the search, in plain trainings (None: only its trials count);
    - ``seeds``, ``epoch_multiplier``: paired seeds of the final table, and how many times the
      recipe's epochs its compute-matched control trains for;
    - ``seconds_per_run``: seconds of one plain training (None: not measured);
    - ``search_deadline``, ``deadline``: seconds on the search's clock at which the search, and
      everything, must end (None: no limit).
    """

    trainings: float | None
    seeds: int
    epoch_multiplier: int
    seconds_per_run: float | None = None
    search_deadline: float | None = None
    deadline: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the stored form, which keeps the field names of version 0.1."""
        return {stored: getattr(self, name) for name, stored in _STORED.items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Plan:
        """Read the stored form."""
        return cls(**{name: stored[key] for name, key in _STORED.items() if key in stored})


_STORED = {
    "trainings": "trainings",
    "seeds": "seeds",
    "epoch_multiplier": "longer",
    "seconds_per_run": "pace",
    "search_deadline": "search_until",
    "deadline": "until",
}
"""Fields of a `Plan`, and their names in the record of a search."""


def final_trainings(seeds: int, epoch_multiplier: int, winner_cost: float = 2.0) -> float:
    """Return the cost of the final table in plain trainings.

    It has five baselines, the winner of the search and the longer control. The winner costs
    ``winner_cost`` trainings: a method that runs inside training costs more than one.
    """
    return seeds * (5 + winner_cost + epoch_multiplier)


def plan_by_time(
    budget: float, *, seconds_per_run: float, jobs: int, clock: float, seeds: int
) -> Plan:
    """Divide ``budget`` seconds between search and final table.

    ``seconds_per_run`` is one training with ``jobs`` in parallel, ``clock`` the seconds already
    used. The final table gets as many seeds as fit into 70 % of the time (50 % if its control is
    more than twice as long); the search gets the rest. Raises `UsageError` if the budget is too
    short.

    >>> plan_by_time(1200, seconds_per_run=30, jobs=2, clock=10, seeds=5).seeds
    5
    """
    usable = (1 - RESERVE) * budget - clock
    trainings = usable * jobs / seconds_per_run
    for wanted, epoch_multiplier in FINALS:
        final = final_trainings(min(wanted, seeds), epoch_multiplier)
        if final <= trainings * (0.5 if epoch_multiplier > 2 else 0.7):
            last = RESERVE / 2 * budget + usable + clock
            return Plan(
                trainings - final, min(wanted, seeds), epoch_multiplier, seconds_per_run,
                search_deadline=last - final * seconds_per_run / jobs, deadline=last,
            )  # fmt: skip
    needed = (final_trainings(2, 2) / 0.7 * seconds_per_run / jobs + clock) / (1 - RESERVE)
    raise UsageError(
        f"a budget of {budget:.0f} s allows {max(0.0, trainings):.0f} trainings here "
        f"({seconds_per_run:.1f} s each, {jobs} in parallel); a search with its final table needs "
        f"about {needed:.0f} s. Allow more time, or reduce --epochs or --limit"
    )


def affordable(
    plan: Plan, *, jobs: int, clock: float, seeds: int, winner_cost: float
) -> tuple[int, int]:
    """Return seeds and epoch multiplier of the final table that fit into the remaining time.

    At most ``seeds``; ``winner_cost`` is the cost of training the winner once, in plain trainings.
    """
    if plan.seconds_per_run is None or plan.deadline is None:
        return plan.seeds, plan.epoch_multiplier
    trainings = (plan.deadline - clock) * jobs / plan.seconds_per_run
    for count, epoch_multiplier in FINALS:
        if final_trainings(min(count, seeds), epoch_multiplier, winner_cost) <= trainings:
            return min(count, seeds), epoch_multiplier
    return min(2, seeds), 2
