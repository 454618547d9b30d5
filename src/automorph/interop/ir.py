"""An intermediate form of policies that libraries share: draws, options, operations with values.

A policy of sequences is a tuple of draws, made in order. A draw takes one of its options by weight;
an option is a sequence of acts; an act is an operation that is used with a probability, at a value
drawn uniformly from one of its stretches. Each library's forms of "one of these", "with this
probability" and "from this range" are written from this form, and read into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from automorph.errors import PolicyError
from automorph.operations import GREY, OPERATIONS, Operation
from automorph.policies import (
    AugMix,
    Chain,
    Fill,
    Generated,
    Interpolation,
    Mixed,
    Mixture,
    Policy,
    RandomPolicy,
    Schedule,
    Shuffled,
    Uniform,
    known_fill,
)

Stretch = tuple[float, float]

# Only these use pixels from outside the image, and an interpolation.
MOVED = (
    "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "PadCrop", "Affine", "Perspective",
    "GridDistortion", "OpticalDistortion", "ElasticTransform",
)  # fmt: skip


class NotExpressibleError(PolicyError):
    """A policy that another library cannot express: the reason, and what to do about it."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__("; ".join(filter(None, (what, todo))))
        self.what, self.todo = what, todo


class NoWordsError(Exception):
    """A library's limitation in a few words; `NotExpressibleError` adds the rest for the user."""


class NoSizeError(NoWordsError):
    """A limitation that disappears if the size of the images is given."""


@dataclass(frozen=True)
class Act:
    """An operation, the stretches its value comes from (equally likely), and its probability.

    Operations without a value have no stretches. With ``levels``, the value is one of that many
    equal steps of a stretch, ends included.
    """

    operation: Operation
    stretches: tuple[Stretch, ...] = ()
    probability: float = 1.0
    levels: int = 0

    @property
    def kernel(self) -> str:
        """The name of the operation in the catalogue."""
        return self.operation.kernel

    @property
    def is_constant(self) -> bool:
        """Whether every stretch is a single value."""
        return all(low == high for low, high in self.stretches)


@dataclass(frozen=True)
class Draw:
    """A choice among options by weight (weights sum to 1), with the rendering of moved images."""

    options: tuple[tuple[Act, ...], ...]
    weights: tuple[float, ...]
    fill: Fill = 0
    interpolation: Interpolation = "nearest"

    @property
    def even(self) -> bool:
        """Whether all options are equally likely."""
        return max(self.weights) - min(self.weights) < 1e-9


def terms_of(policy: Policy) -> tuple[Draw, ...]:
    """Convert a policy to draws.

    Raises `NotExpressibleError` for a policy that is not a sequence of independent draws.

    >>> from automorph import load_policy
    >>> [len(draw.options) for draw in terms_of(load_policy("flip-crop + randaugment(n=2,m=9)"))]
    [1, 14, 14]
    """
    if policy.space.domain != "image":
        raise NotExpressibleError(
            f"the policy {policy.name!r:.200} is for {policy.space.domain}s; other libraries "
            "support only policies for images"
        )
    if isinstance(policy, Chain):
        return tuple(draw for stage in policy.stages for draw in terms_of(stage))
    if isinstance(policy, RandomPolicy):
        return terms_of(seeded_mixture(policy))
    if isinstance(policy, Mixture):
        return _mixture(policy)
    if isinstance(policy, Uniform):
        return _uniform(policy)
    if isinstance(policy, Generated) and policy.network in ("mean-field", "per-position"):
        return _generated(policy)
    raise NotExpressibleError(
        f"the policy {policy.name!r:.200} is not a sequence of independent draws, which is all "
        f"that other libraries can express: {why_not(policy)}"
    )


def why_not(policy: Policy) -> str:
    """Return why a policy is not a sequence of independent draws, in a few words."""
    reasons: dict[type[Policy], str] = {
        Mixed: "it mixes examples and labels of a batch",
        AugMix: "it blends several chains of operations on one image",
        Generated: "a network makes each draw depend on the earlier ones",
        Schedule: "it changes with the epoch",
        Shuffled: "it shuffles its steps and limits how many fire",
    }
    found = (words for kind, words in reasons.items() if isinstance(policy, kind))
    return next(found, f"it is a {type(policy).__name__}")


def seeded_mixture(policy: RandomPolicy) -> Mixture:
    """Return the policy that the seed of a random policy draws."""
    if policy.seed is None:
        raise NotExpressibleError(
            f"the policy {policy.name!r:.200} is drawn anew in every training run",
            "fix it with a seed",
        )
    return policy.mixture(policy.seed)


def _mixture(policy: Mixture) -> tuple[Draw, ...]:
    if not any(policy.subpolicies):
        return ()
    options = tuple(
        tuple(
            _act(policy.operations[step.operation], step.magnitude, step.magnitude,
                 step.probability)
            for step in subpolicy
        )
        for subpolicy in policy.subpolicies
    )  # fmt: skip
    return (_draw(options, policy.weights, policy),)


def _uniform(policy: Uniform) -> tuple[Draw, ...]:
    if policy.spread:
        raise NotExpressibleError(
            f"the policy {policy.name!r:.200} adds normal noise to magnitudes (mstd), which "
            "the library cannot express"
        )
    options = tuple(
        (_act(operation, policy.low, policy.high, policy.probability, policy.levels),)
        for operation in policy.operations
    )
    return (_draw(options, None, policy),) * policy.length


def _generated(policy: Generated) -> tuple[Draw, ...]:
    options = tuple((_act(operation, 1.0, 1.0),) for operation in policy.operations)
    return tuple(_draw(options, tuple(shares), policy) for shares in policy.shares.tolist())


def _draw(
    options: tuple[tuple[Act, ...], ...],
    weights: tuple[float, ...] | None,
    policy: Mixture | Uniform | Generated,
) -> Draw:
    given = np.ones(len(options)) if weights is None else np.asarray(weights, np.float64)
    shares = tuple((given / given.sum()).tolist())
    return Draw(options, shares, known_fill(policy.fill), policy.interpolation)


def _act(
    operation: Operation, low: float, high: float, probability: float = 1.0, levels: int = 0
) -> Act:
    if takes_no_value(operation):
        return Act(operation, (), probability)
    if operation.drawn:
        return Act(operation, ((tidy(operation.low), tidy(operation.high)),), probability)
    if operation.magnitude_free:
        value = tidy(operation.low)
        return Act(operation, ((value, value),), probability)
    sides = (-1.0, 1.0) if operation.signed else (1.0,)
    stretches = []
    for side in sides:
        first, last = (tidy(v) for v in operation.values([low, high], side).tolist())
        stretches.append((min(first, last), max(first, last)))
    kept = levels if low < high else 0
    return Act(operation, joined(tuple(stretches), operation, kept), probability, kept)


def joined(
    stretches: tuple[Stretch, ...], operation: Operation, levels: int = 0
) -> tuple[Stretch, ...]:
    """Join two stretches of equal length that meet, if values are continuous."""
    if len(stretches) == 2 and not levels and not operation.whole:
        (low, middle), (other, high) = sorted(stretches)
        if middle == other and np.isclose(middle - low, high - other):
            return ((low, high),)
    return tuple(dict.fromkeys(stretches))


def colour_of(operation: Operation) -> int | tuple[int, ...]:
    """Return the colour that an operation paints with; the mean of unknown data is grey.

    Equal levels of all channels are one.
    """
    fill = operation.fill
    if not isinstance(fill, tuple):
        return fill if isinstance(fill, int) else GREY
    return fill[0] if len(set(fill)) == 1 else fill


def takes_no_value(operation: Operation) -> bool:
    """Return whether an operation of the catalogue has no value (``Invert``)."""
    base = OPERATIONS.get(operation.kernel)
    return base is not None and base.magnitude_free


def tidy(value: float) -> float:
    """Round a value to remove errors of float32 arithmetic.

    >>> tidy(8.999999731779099)
    9.0
    """
    return float(f"{value:.6g}")


def does_nothing(act: Act) -> bool:
    """Return whether an act leaves every image unchanged."""
    ends = {end for stretch in act.stretches for end in stretch}
    return (
        act.kernel == "Identity"
        or act.probability == 0
        or (bool(ends) and ends == {act.operation.identity})
    )


def without_levels(draws: Iterable[Draw]) -> tuple[tuple[Draw, ...], tuple[str, ...]]:
    """Replace steps by continuous values; return the draws, and a note if any changed."""
    steps: set[int] = set()

    def smooth(act: Act) -> Act:
        if not act.levels:
            return act
        steps.add(act.levels)
        stretches = joined(act.stretches, act.operation)
        return replace(act, stretches=stretches, levels=0)

    out = tuple(
        replace(draw, options=tuple(tuple(map(smooth, option)) for option in draw.options))
        for draw in draws
    )
    notes = tuple(f"values are continuous, not {count} steps" for count in sorted(steps))
    return out, notes
