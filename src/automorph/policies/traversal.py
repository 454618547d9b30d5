"""The parts of a policy: its stages, and the operations that it can draw."""

from __future__ import annotations

from collections.abc import Iterator

from automorph.operations import Operation
from automorph.policies.base import Policy
from automorph.policies.chain import Chain
from automorph.policies.pba_policy import Shuffled
from automorph.policies.random_policy import RandomPolicy
from automorph.policies.schedule import Schedule
from automorph.policies.subpolicies import Mixture


def stages_of(policy: Policy) -> Iterator[Policy]:
    """Yield the single policies within a policy: stages of chains, pieces of schedules.

    >>> from automorph import load_policy
    >>> [stage.name for stage in stages_of(load_policy("flip + schedule(5:none,5:crop)"))]
    ['flip', 'none', 'crop']
    """
    if isinstance(policy, Chain):
        for stage in policy.stages:
            yield from stages_of(stage)
    elif isinstance(policy, Schedule):
        for piece in policy.pieces:
            yield from stages_of(piece.policy)
    else:
        yield policy


def drawable(policy: Policy) -> tuple[Operation, ...]:
    """Return the operations that a policy can draw, each once; may be fewer than its space.

    >>> from automorph import load_policy
    >>> policy = load_policy("autoaugment:cifar10")
    >>> len(policy.space), len(drawable(policy))
    (16, 13)
    """
    found = [operation for stage in stages_of(policy) for operation in _drawable(stage)]
    return tuple(dict.fromkeys(found))


def _drawable(stage: Policy) -> Iterator[Operation]:
    if isinstance(stage, RandomPolicy) and stage.seed is not None:
        stage = stage.mixture(stage.seed)
    if isinstance(stage, Mixture):
        for subpolicy in stage.subpolicies:
            yield from (stage.operations[step.operation] for step in subpolicy)
    elif isinstance(stage, Shuffled):
        yield from (stage.operations[step.operation] for step in stage.steps)
    else:
        yield from stage.space
