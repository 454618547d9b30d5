"""The parts of a policy: its stages, and the operations that it can draw."""

from __future__ import annotations

from collections.abc import Iterator

from automorph.operations import Operation
from automorph.policies.base import Policy
from automorph.policies.chain import Chain
from automorph.policies.schedule import Schedule


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
    return policy.drawable
