"""A policy from the diagnostics alone: which operations, which ranges, how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from automorph.policies import Mixture, Policy, Step, chained, load_policy
from automorph.space import SearchSpace, Stream
from automorph.theory.diagnosis import Bench, Diagnosis
from automorph.theory.explanation import Explanation, Finding
from automorph.theory.features import Images
from automorph.theory.pruning import narrowed

LEVELS = (1 / 3, 2 / 3, 1.0)
"""Magnitudes of each operation, as shares of the way to its `strongest`."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A policy and what the diagnostics say of it."""

    policy: Policy
    diagnosis: Diagnosis


def instant_policy(explanation: Explanation, *, label: str = "instant") -> Policy:
    """The candidate of the least predicted error; see `candidates`.

    If nothing was found useful, it is the policy that does nothing. ``label`` is its title.
    """
    tried = candidates(explanation, label=label)
    if not tried:
        return load_policy("none")
    return min(tried, key=lambda one: one.diagnosis.change).policy


def candidates(explanation: Explanation, *, label: str = "instant") -> list[Candidate]:
    """Policies made of what was found useful, each diagnosed as a whole.

    One to three operations an example, of all that are useful or of the better half. A policy is
    diagnosed as an operation is: the change of the held-out ridge error in closed form, every other
    example augmented. What operations do together is so measured, not added up.
    """
    return [
        Candidate(policy, diagnose_policy(explanation.bench, policy))
        for policy in _proposed(explanation.findings, label)
    ]


def strongest(finding: Finding) -> float:
    """The largest useful magnitude whose predicted error is within a standard error of the best.

    Of magnitudes that cannot be told apart the stronger one is taken: fixed features see less of
    what a strong operation brings than a network that learns.
    """
    best = finding.best.diagnosis
    near = [
        point.magnitude
        for point in finding.points
        if point.magnitude <= finding.useful
        and point.diagnosis.change <= best.change + best.change_se
    ]
    return max(near, default=finding.useful)


def diagnose_policy(bench: Bench, policy: Policy) -> Diagnosis:
    """What a whole policy does to the data of a bench; labels that it mixes are not looked at."""

    def transform(images: Images, copy: int) -> Images:
        stream = Stream(seed=bench.seed, index=np.arange(len(images)), copy=copy)
        found: Images = policy.transform(images, stream)
        return found

    return bench.diagnose(transform)


def _proposed(findings: Sequence[Finding], label: str) -> Iterator[Policy]:
    useful = [found for found in findings if found.verdict in ("keep", "keep mild")]
    helpful = [found for found in useful if found.best.helps]
    for chosen in _distinct([useful, helpful, helpful[: (len(helpful) + 1) // 2]]):
        for length in (1, 2, 3):
            yield _policy(chosen, length, label)


def _distinct(groups: Sequence[list[Finding]]) -> list[list[Finding]]:
    seen = {tuple(id(found) for found in group): group for group in groups if group}
    return list(seen.values())


def _policy(findings: Sequence[Finding], length: int, label: str) -> Policy:
    """``length`` operations an example, drawn by weight, at three strengths."""
    space = SearchSpace(label, tuple(narrowed(found.operation, found.useful) for found in findings))
    gains = np.maximum(0, [-found.best.diagnosis.change for found in findings])
    # The best operation comes three times as often as one that only does no harm.
    shares = 1 + 2 * gains / max(float(gains.max()), 1e-12)
    steps, weights = [], []
    for found, share in zip(findings, shares, strict=True):
        levels = (1.0,) if found.operation.magnitude_free else LEVELS
        steps += [(Step(found.operation.name, 1.0, level),) for level in levels]
        weights += [round(float(share) / len(levels), 4)] * len(levels)
    one = Mixture(label=label, operations=space, subpolicies=tuple(steps), weights=tuple(weights))
    return chained(*[one] * length)
