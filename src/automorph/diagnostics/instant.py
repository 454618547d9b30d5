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
"""Candidate numbers of draws per example."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A policy and its diagnosis."""

    policy: Policy
    diagnosis: Diagnosis


def instant_policy(explanation: Explanation, *, label: str = "instant") -> Policy:
    """Return the policy of the useful operations; without any, the policy ``none``.

    Of its lengths (see `candidates`) it has the shortest whose predicted error is within a standard
    error of the least. If all useful operations together are predicted to harm beyond chance, it
    consists only of those that help on their own. ``label`` is its name.

    Using all useful operations, instead of those with the least predicted error, was decided on
    training images of Fashion-MNIST that no published figure uses: fixed features benefit less from
    variety than a network that learns.
    """
    useful = [finding for finding in explanation.findings if finding.harmless]
    for group in (useful, [finding for finding in useful if finding.best.helps]):
        tried = list(candidates(explanation.bench, group, label))
        if tried:
            best = min((one.diagnosis for one in tried), key=lambda one: one.change)
            if best.change <= 2 * best.change_se:
                bar = best.change + best.change_se
                return next(one.policy for one in tried if one.diagnosis.change <= bar)
    return load_policy("none")


def candidates(bench: Bench, findings: Sequence[Finding], label: str) -> Iterator[Candidate]:
    """Yield policies of one to three draws per example, the shortest first, with diagnoses.

    A policy is diagnosed like an operation: the change of the held-out ridge error in closed form,
    every other example augmented. The joint effect of operations is thus measured, not added up.
    """
    if findings:
        for length in LENGTHS:
            policy = _policy(findings, length, label)
            yield Candidate(policy, diagnose_policy(bench, policy))


def diagnose_policy(bench: Bench, policy: Policy) -> Diagnosis:
    """Diagnose a whole policy on the data of a bench; mixed labels are ignored."""

    def transform(images: Images, copy: int) -> Images:
        stream = Stream(seed=bench.seed, index=np.arange(len(images)), copy=copy)
        augmented: Images = policy.transform(images, stream)
        return augmented

    return bench.diagnose(transform)


def _policy(findings: Sequence[Finding], length: int, label: str) -> Policy:
    """Build ``length`` weighted draws at three strengths; symmetries fire half of the time."""
    symmetries = [finding for finding in findings if _is_symmetry(finding)]
    drawn = [finding for finding in findings if finding not in symmetries]
    first = tuple(Step(finding.operation.name, 0.5, 1.0) for finding in symmetries)
    if not drawn:
        return _mixture(findings, [first], [1.0], label)
    gains = np.maximum(0, [-finding.best.diagnosis.change for finding in drawn])
    # The best operation is drawn three times as often as one that is merely harmless.
    shares = 1 + 2 * gains / max(float(gains.max()), 1e-12)
    steps, weights = [], []
    for finding, share in zip(drawn, shares, strict=True):
        levels = (1.0,) if finding.operation.magnitude_free else LEVELS
        steps += [(Step(finding.operation.name, 1.0, level),) for level in levels]
        weights += [round(float(share) / len(levels), 4)] * len(levels)
    one = _mixture(findings, [first + step for step in steps], weights, label)
    others = _mixture(drawn, steps, weights, label)
    return chained(one, *[others] * (length - 1))


def _is_symmetry(finding: Finding) -> bool:
    """Return True for an operation without a strength, such as a flip, that helps.

    Its only parameter is whether it fires: it does so half of the time, as it was diagnosed, in
    addition to the other draws.
    """
    return finding.operation.magnitude_free and finding.best.helps


def _mixture(
    findings: Sequence[Finding],
    subpolicies: Sequence[tuple[Step, ...]],
    weights: Sequence[float],
    label: str,
) -> Policy:
    space = SearchSpace(
        label, tuple(narrowed(finding.operation, finding.useful) for finding in findings)
    )
    return Mixture(
        label=label, operations=space, subpolicies=tuple(subpolicies), weights=tuple(weights)
    )
