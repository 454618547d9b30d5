"""A policy from the diagnostics alone: which operations, which ranges, how often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from automorph.diagnostics.diagnosis import Bench, Diagnosis
from automorph.diagnostics.explain_result import Explanation, Finding
from automorph.diagnostics.features import Images
from automorph.diagnostics.prune_space import narrowed
from automorph.operations import SearchSpace, Stream
from automorph.policies import Mixture, Policy, Step, chained, load_policy

LEVELS = (1 / 3, 2 / 3, 1.0)
"""Magnitudes of each operation, as shares of its useful range."""
LENGTHS = (1, 2, 3)
"""Draws an example that are tried."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A policy and what the diagnostics say of it."""

    policy: Policy
    diagnosis: Diagnosis


def instant_policy(explanation: Explanation, *, label: str = "instant") -> Policy:
    """The policy of the useful operations; it does nothing if none was found. ``label``: its name.

    Of its lengths (`candidates`) the shortest is taken whose predicted error is within a standard
    error of the least. If all useful operations together are predicted to harm beyond chance, it is
    made of those alone that help each by itself.

    That all useful operations take part, instead of those with the least predicted error, was
    chosen on training images of Fashion-MNIST that no figure is told of: fixed features see less
    of what variety brings than a network that learns.
    """
    useful = [found for found in explanation.findings if found.verdict in ("keep", "keep mild")]
    for group in (useful, [found for found in useful if found.best.helps]):
        tried = list(candidates(explanation.bench, group, label))
        if tried:
            best = min((one.diagnosis for one in tried), key=lambda one: one.change)
            if best.change <= 2 * best.change_se:
                bar = best.change + best.change_se
                return next(one.policy for one in tried if one.diagnosis.change <= bar)
    return load_policy("none")


def candidates(bench: Bench, findings: Sequence[Finding], label: str) -> Iterator[Candidate]:
    """One to three draws an example, each policy diagnosed as a whole, the shortest first.

    A policy is diagnosed as an operation is: the change of the held-out ridge error in closed form,
    every other example augmented. What operations do together is so measured, not added up.
    """
    if findings:
        for length in LENGTHS:
            policy = _policy(findings, length, label)
            yield Candidate(policy, diagnose_policy(bench, policy))


def diagnose_policy(bench: Bench, policy: Policy) -> Diagnosis:
    """What a whole policy does to the data of a bench; labels that it mixes are not looked at."""

    def transform(images: Images, copy: int) -> Images:
        stream = Stream(seed=bench.seed, index=np.arange(len(images)), copy=copy)
        found: Images = policy.transform(images, stream)
        return found

    return bench.diagnose(transform)


def _policy(findings: Sequence[Finding], length: int, label: str) -> Policy:
    """``length`` draws an example, by weight, at three strengths; symmetries every other time."""
    symmetries = [found for found in findings if _is_symmetry(found)]
    drawn = [found for found in findings if found not in symmetries]
    first = tuple(Step(found.operation.name, 0.5, 1.0) for found in symmetries)
    if not drawn:
        return _mixture(findings, [first], [1.0], label)
    gains = np.maximum(0, [-found.best.diagnosis.change for found in drawn])
    # The best operation comes three times as often as one that only does no harm.
    shares = 1 + 2 * gains / max(float(gains.max()), 1e-12)
    steps, weights = [], []
    for found, share in zip(drawn, shares, strict=True):
        levels = (1.0,) if found.operation.magnitude_free else LEVELS
        steps += [(Step(found.operation.name, 1.0, level),) for level in levels]
        weights += [round(float(share) / len(levels), 4)] * len(levels)
    one = _mixture(findings, [first + step for step in steps], weights, label)
    others = _mixture(drawn, steps, weights, label)
    return chained(one, *[others] * (length - 1))


def _is_symmetry(found: Finding) -> bool:
    """Whether the operation has no strength, such as a flip, and helps.

    Such a one leaves nothing to be drawn but whether it comes at all: it does every other time,
    which is how it was diagnosed, besides what else is drawn.
    """
    return found.operation.magnitude_free and found.best.helps


def _mixture(
    findings: Sequence[Finding],
    subpolicies: Sequence[tuple[Step, ...]],
    weights: Sequence[float],
    label: str,
) -> Policy:
    space = SearchSpace(label, tuple(narrowed(found.operation, found.useful) for found in findings))
    return Mixture(
        label=label, operations=space, subpolicies=tuple(subpolicies), weights=tuple(weights)
    )
