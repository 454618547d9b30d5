"""What names meant before they followed their papers, for run folders that were begun then."""

from __future__ import annotations

from dataclasses import replace

from automorph.operations import MEAN, SearchSpace, named_space
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy
from automorph.policies.chain import Chain
from automorph.policies.definitions import FIRST
from automorph.policies.schedule import Schedule
from automorph.policies.space_policy import SpacePolicy


def former(policy: Policy) -> Policy:
    """Return the policy that its name meant in version 0.1.

    Cutout was grey, AugMix nearest, with another Posterize, TANDA's operations were nearest, on
    black, and those on texts followed their first definition. Most policies are returned unchanged.

    >>> from automorph import load_policy
    >>> former(load_policy("augmix")).interpolation, former(load_policy("flip")).name
    ('nearest', 'flip')
    """
    if isinstance(policy, Chain):
        stages = tuple(map(former, policy.stages))
        return policy if stages == policy.stages else Chain(stages=stages)
    if isinstance(policy, Schedule):
        pieces = tuple(replace(piece, policy=former(piece.policy)) for piece in policy.pieces)
        return policy if pieces == policy.pieces else replace(policy, pieces=pieces)
    if not isinstance(policy, SpacePolicy):
        return policy
    changed = replace(policy, operations=_former_space(policy.operations))
    fill, interpolation = policy.default_rendering
    if isinstance(policy, AugMix) or fill == "edge":
        timm = fill == 128
        changed = replace(
            changed,
            fill=0 if policy.fill == fill and not timm else policy.fill,
            interpolation="nearest"
            if policy.interpolation == interpolation and not timm
            else policy.interpolation,
        )
    return policy if changed == policy else changed


def _former_space(space: SearchSpace) -> SearchSpace:
    if space == named_space("augmix"):
        return SearchSpace("augmix", named_space("augmix-0.1").operations)
    return space.painted(None, only=MEAN).defined_by(FIRST)
