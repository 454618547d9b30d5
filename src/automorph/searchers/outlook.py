"""What a running search would choose now, how sure that is, and what more time may change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import norm

from automorph.experiments import Treatment
from automorph.searchers.base import Searcher, Standing

LIKELY = 0.05
"""A candidate that is ahead of the leader with at least this probability may still win."""


@dataclass(frozen=True)
class Outlook:
    """The leader of a search, and the candidates that may still win, the likeliest first.

    ``sure`` is the probability that the leader is ahead of the closest of them, by the normal
    distribution; None before anything is compared.

    >>> print(Outlook("flip", 0.83, ("crop", "none")))
    now flip, 83 % sure; more time may still bring crop or none
    >>> print(Outlook("flip", None, ()))
    now flip, a guess: nothing is compared yet
    """

    policy: str
    sure: float | None = None
    rivals: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.sure is None:
            return f"now {self.policy}, a guess: nothing is compared yet"
        sure = f"now {self.policy}, {min(99, math.floor(100 * self.sure))} % sure"
        if not self.rivals:
            return f"{sure}; more time will hardly change it"
        more = "" if len(self.rivals) < 3 else f" or {len(self.rivals) - 1} others"
        named = self.rivals[:1] if more else self.rivals
        return f"{sure}; more time may still bring {' or '.join(named)}{more}"


def outlook_of(leader: Treatment, standing: Sequence[Standing]) -> Outlook:
    """Return the outlook of a search with this leader and these candidates, the leader first."""
    if len(standing) < 2:
        return Outlook(leader.name)
    first, *others = standing
    chances = sorted(
        ((_ahead(other, first), other.treatment.name) for other in others), key=lambda one: -one[0]
    )
    rivals = tuple(name for chance, name in chances if chance >= LIKELY)
    return Outlook(leader.name, 1 - chances[0][0], rivals)


def _ahead(candidate: Standing, leader: Standing) -> float:
    """Return the probability that a candidate is better than the leader."""
    gap = leader.estimate - candidate.estimate
    if math.isfinite(gap) and candidate.error > 0:
        return float(norm.sf(gap / candidate.error))
    return 0.0 if gap > 0 else 0.5


@dataclass(frozen=True)
class Snapshot:
    """What a searcher would return after a generation: a signal may come at any moment later."""

    leader: Treatment
    standing: tuple[Standing, ...] = ()

    @classmethod
    def of(cls, searcher: Searcher) -> Snapshot:
        """Ask a searcher that is between two generations."""
        return cls(searcher.result(), tuple(searcher.standing()))

    @property
    def outlook(self) -> Outlook:
        """Its words."""
        return outlook_of(self.leader, self.standing)
