"""Usage of operations: how often a policy draws each one, and at which magnitudes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automorph.operations import NOTHING, Stream
from automorph.policies.base import Policy
from automorph.policies.chain import Chain
from automorph.policies.formatting import value_text
from automorph.policies.schedule import Schedule

BINS = 20
"""Bins of the histogram of magnitudes."""
_SEEDS, _DRAWS = 8, 512


@dataclass(frozen=True)
class Usage:
    """The usage of one operation: the share of examples that get it, and its magnitudes.

    ``magnitudes`` are the shares of `BINS` equal steps from 0 to 1, empty if the magnitude has no
    effect; ``values`` is the range of the operation's values as text.
    """

    operation: str
    share: float
    magnitudes: tuple[float, ...]
    values: str


def usage(policy: Policy, *, epoch: int = 0) -> tuple[Usage, ...]:
    """Estimate what a policy draws in an epoch, from 4,096 draws under eight seeds.

    Empty for policies that are not sequences (AugMix) and for those without operations.

    >>> from automorph import load_policy
    >>> crop, flip = usage(load_policy("flip-crop"))
    >>> flip.operation, round(flip.share, 1), flip.magnitudes
    ('HorizontalFlip', 0.5, ())
    """
    space = policy.space
    if not policy.is_sequence or not len(space):
        return ()
    counts, times = np.zeros((len(space), BINS)), np.zeros(len(space))
    for seed in range(_SEEDS):
        drawn = policy.sample(Stream(seed=seed, epoch=epoch, index=np.arange(_DRAWS)))
        row, position = np.nonzero(drawn.fire & (drawn.op != NOTHING))
        op = drawn.op[row, position].astype(np.int64)
        step = np.minimum((drawn.magnitude[row, position] * BINS).astype(np.int64), BINS - 1)
        np.add.at(counts, (op, step), 1)
        # An operation that comes twice in a sequence counts once for the example.
        times += np.bincount(np.unique(op * _DRAWS + row) // _DRAWS, minlength=len(space))
    share = times / (_SEEDS * _DRAWS)
    levels = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return tuple(
        Usage(
            one.name,
            float(share[number]),
            () if one.magnitude_free or not times[number] else tuple(levels[number].tolist()),
            value_text(one, 0.0, 1.0),
        )
        for number, one in enumerate(space)
    )


def changes_by_epoch(policy: Policy) -> bool:
    """Return whether the draws of a policy depend on the epoch."""
    stages = policy.stages if isinstance(policy, Chain) else (policy,)
    return any(isinstance(stage, Schedule) and len(stage.pieces) > 1 for stage in stages)
