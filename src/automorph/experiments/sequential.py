"""Paired seeds in looks: when to stop adding them, and intervals that allow for it.

After each look the table may stop. Looking several times at a fixed level would find differences
that are not there more often than the level says, so every look has a level of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from automorph.errors import UsageError
from automorph.experiments.statistics import Difference, paired_difference

MOST = 20
"""Most seeds of a design with several looks."""
_CELLS = 200
"""Cells of the grid of p-values between 0.05 and 1; as many again below."""


@dataclass(frozen=True)
class Looks:
    """A design that looks after ``first`` paired seeds, and after each further one up to ``cap``.

    With ``first == cap`` there is a single look: the fixed design, with Student's interval. With
    several, the share of the error alpha that is spent after n of N seeds is that of O'Brien and
    Fleming's type (Lan and DeMets, Biometrika 70, 1983),

        alpha(n) = 2 - 2 Phi(z / sqrt(n / N)),  z = Phi^-1(1 - alpha / 2),

    and the level a(n) of each look solves, for Student's two-sided p-values of the paired
    differences under no difference,

        P(p(n) <= a(n), p(m) > a(m) for all looks m < n) = alpha(n) - alpha(n - 1).

    The interval after n seeds is Student's at the confidence 1 - a(n): a repeated confidence
    interval (Jennison and Turnbull, JRSS B 51, 1989). All looks together hold the true difference
    with probability 1 - alpha, so the interval is valid whatever made the table stop.

    >>> [round(level, 4) for level in Looks(2, 5).levels(0.05)]
    [0.0019, 0.0097, 0.0203, 0.0324]
    >>> Looks(5, 5).levels(0.05)
    (0.05,)
    """

    first: int
    cap: int

    def __str__(self) -> str:
        return str(self.cap) if self.fixed else f"{self.first}-{self.cap}"

    @property
    def fixed(self) -> bool:
        """True if there is one look only."""
        return self.first == self.cap

    @property
    def counts(self) -> range:
        """The numbers of seeds after which it looks."""
        return range(self.first, self.cap + 1)

    def at_most(self, cap: int) -> Looks:
        """Return the design with a smaller cap.

        >>> str(Looks(2, 5).at_most(3)), str(Looks(5, 5).at_most(3)), str(Looks(2, 5).at_most(2))
        ('2-3', '3', '2')
        """
        cap = min(cap, self.cap)
        return Looks(cap if self.fixed else min(self.first, cap), cap)

    def levels(self, alpha: float) -> tuple[float, ...]:
        """Return the two-sided level of each look; ``alpha`` is the error of all together."""
        return _levels(self.first, self.cap, alpha)

    def level(self, seeds: int, alpha: float) -> float:
        """Return the level of the look after ``seeds``."""
        return self.levels(alpha)[seeds - self.first]

    def difference(
        self, values: Sequence[float], baseline: Sequence[float], *, confidence: float = 0.95
    ) -> Difference:
        """Compare pair by pair after a look; interval and p-value allow for all looks.

        The p-value is the smallest alpha at which this look finds a difference.

        >>> d = Looks(2, 5).difference([0.82, 0.85, 0.84], [0.80, 0.81, 0.81])
        >>> round(d.low, 3), round(d.high, 3), round(d.p, 3)
        (-0.028, 0.088, 0.124)
        """
        seeds = len(values)
        if self.fixed or seeds not in self.counts:
            return paired_difference(values, baseline, confidence=confidence)
        level = self.level(seeds, 1 - confidence)
        found = paired_difference(values, baseline, confidence=1 - level)
        return found if found.p is None else replace(found, p=self._p(seeds, found.p))

    def _p(self, seeds: int, p: float) -> float:
        """Return the smallest alpha whose level at this look is ``p``."""

        def excess(logarithm: float) -> float:
            return self.level(seeds, float(np.exp(logarithm))) - p

        low, high = np.log(max(p, 1e-12)), np.log(0.999)
        if excess(high) <= 0:
            return 1.0
        return p if excess(low) >= 0 else float(np.exp(brentq(excess, low, high, xtol=1e-4)))


def read_looks(seeds: int | str | Looks) -> Looks:
    """Read a number of seeds, or a range such as ``2-5``: from 2, until it is clear, at most 5.

    Raises `UsageError` for anything else.

    >>> read_looks(5), read_looks("2-5")
    (Looks(first=5, cap=5), Looks(first=2, cap=5))
    """
    if isinstance(seeds, Looks):
        return seeds
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", str(seeds).strip())
    first, cap = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= cap or (first < cap and (first < 2 or cap > MOST)):
        raise UsageError(
            f"got seeds={seeds!r}; expected a number of 1 or more, or a range such as 2-5 (from 2, "
            f"until the decision is clear, at most 5) between 2 and {MOST}"
        )
    return Looks(first, cap)


def is_clear(
    looks: Looks, pick: Sequence[float], others: Sequence[Sequence[float]], *, alpha: float = 0.05
) -> bool:
    """Return whether a look tells the pick from each alternative, in either direction.

    Values are higher for better policies, one for each seed.

    >>> is_clear(Looks(2, 5), [0.82, 0.85, 0.84, 0.83], [[0.7, 0.73, 0.71, 0.715]])
    True
    """
    if not np.isfinite([pick, *others]).all():  # Some failed.
        return False
    level = looks.level(len(pick), alpha)
    found = [paired_difference(pick, other).p for other in others]
    return all(p is not None and p <= level for p in found)


def far_behind(
    looks: Looks, scores: Mapping[str, Sequence[float]], pick: str, *, alpha: float = 0.05
) -> list[str]:
    """Return who is behind the pick beyond the bound of this look, by a pooled spread.

    Two seeds give a single difference no usable spread; that of all policies together, without
    the effects of policies and seeds (randomised blocks, Fisher 1935), has (policies - 1) times
    (seeds - 1) degrees of freedom. It assumes that all policies vary alike, so no statement rests
    on it: it only says where further trainings would be wasted.

    >>> table = {"pick": [0.8, 0.82], "close": [0.79, 0.815], "far": [0.5, 0.525]}
    >>> far_behind(Looks(2, 5), table, "pick")
    ['far']
    """
    names, values = list(scores), np.array(list(scores.values()), np.float64)
    policies, seeds = values.shape
    freedom = (policies - 1) * (seeds - 1)
    if freedom < 1 or not np.isfinite(values).all():
        return []
    rest = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    spread = np.sqrt((rest**2).sum() / freedom)
    if spread < 1e-12:
        return []
    behind = values[names.index(pick)].mean() - values.mean(1)
    bound = stats.t.isf(looks.level(seeds, alpha) / 2, freedom) * spread * np.sqrt(2 / seeds)
    return [name for name, gap in zip(names, behind, strict=True) if gap > bound]


@cache
def _levels(first: int, cap: int, alpha: float) -> tuple[float, ...]:
    """Solve for the level of each look; see `Looks`."""
    if first == cap:
        return (alpha,)
    shares = np.arange(first, cap + 1) / cap
    spent = 2 * stats.norm.sf(stats.norm.isf(alpha / 2) / np.sqrt(shares))
    edges = _edges()
    mass = np.diff(edges)  # Of the p-value of the first look, by cell: it is uniform.
    levels: list[float] = []
    for seeds, more in zip(range(first, cap + 1), np.diff(spent, prepend=0.0), strict=True):
        if levels:
            mass = mass @ _transitions(seeds - 1)
        level = float(np.interp(more, np.concatenate([[0.0], np.cumsum(mass)]), edges))
        levels.append(level)
        # What crosses the bound stops; of the cell that it cuts, a share.
        mass = mass * np.clip((edges[1:] - level) / np.diff(edges), 0.0, 1.0)
    return tuple(levels)


@cache
def _edges() -> NDArray[np.float64]:
    """Return the edges of the cells of p-values, from 0 to 1."""
    small = np.geomspace(1e-12, 0.05, _CELLS, endpoint=False)
    return np.concatenate([[0.0], small, np.linspace(0.05, 1.0, _CELLS + 1)])


@cache
def _transitions(seeds: int) -> NDArray[np.float64]:
    """Return P(cell of p after one more seed | cell of p now), under no difference.

    With x the differences, S their sum and Q that of their squares, w = S / sqrt(Q) is a Markov
    chain: w' = w cos(u) + sin(u), where sqrt(n) tan(u) has Student's distribution with n degrees of
    freedom, because the direction of a normal vector is independent of its length. Student's
    statistic is w sqrt((n - 1) / (n - w^2)).
    """
    edges = _edges()
    now = _w_of((edges[:-1] + edges[1:]) / 2, seeds)
    bounds = _w_of(edges, seeds + 1)
    inside = _below(bounds, now, seeds) - _below(-bounds, now, seeds)  # P(|w'| <= bound).
    return np.asarray(-np.diff(inside, axis=1))


def _w_of(p: NDArray[np.float64], seeds: int) -> NDArray[np.float64]:
    """Return |w| of a two-sided p-value of Student's test."""
    with np.errstate(divide="ignore"):
        squared = 1 / stats.t.isf(p / 2, seeds - 1) ** 2
    return np.asarray(np.sqrt(seeds / (1 + (seeds - 1) * squared)))


def _below(
    bounds: NDArray[np.float64], now: NDArray[np.float64], seeds: int
) -> NDArray[np.float64]:
    """Return P(w' <= bound | w) as ``(now, bounds)``; w is not negative."""
    turn = np.arctan(now)[:, None]
    angle = np.arcsin(np.clip(bounds / np.sqrt(1 + now[:, None] ** 2), -1.0, 1.0))

    def share(u: NDArray[np.float64]) -> NDArray[np.float64]:
        inner = np.clip(u, -np.pi / 2, np.pi / 2)
        return np.asarray(stats.t.cdf(np.sqrt(seeds) * np.tan(inner), seeds))

    return share(angle - turn) + 1 - share(np.pi - angle - turn)
