"""The names of online methods, as people type them among the names of policies.

``flip-crop + uncertainty(c=4,s=1,rule=top,n=2) + cutout(16)``: one stage is the method, the others
are done to every view before and after its own draw.
"""

from __future__ import annotations

from typing import Any

from automorph.augmenters.adversarial import Adversarial
from automorph.augmenters.augmix_jsd import Consistency
from automorph.augmenters.base import InTrainingMethod
from automorph.augmenters.batch_augmentation import JointViews
from automorph.augmenters.scoring import Scoring
from automorph.augmenters.uncertainty import Uncertainty, default_draws
from automorph.errors import PolicyError
from automorph.operations import named_space
from automorph.policies import POLICIES, Policy, load_policy
from automorph.registry import Entry, Registry
from automorph.training import AugmenterSpec


def uncertainty(
    c: int = 4, s: int = 1, rule: str = "proportional", n: int = 2, space: str = "randaugment",
    policy: str = "", tail: str = "", every: int = 1, size: float = 1.0, precision: str = "",
    frozen: int = 0, probe: int = 0,
) -> InTrainingMethod:  # fmt: skip
    """Uncertainty-based sampling (Wu et al. 2020): s of c candidates, chosen by their loss."""
    draws = load_policy(policy) if policy else default_draws(rule, n, space)
    scoring = Scoring(every=every, size=size, precision=precision, frozen=frozen, probe=probe)
    method = Uncertainty(
        draws=draws, candidates=c, selected=s, rule=rule, scoring=scoring,  # type: ignore[arg-type]
    )  # fmt: skip
    return method.surrounded(before=(), after=(load_policy(tail),) if tail else ())


def adversarial(
    m: int = 8, n: int = 2, every: int = 0, count: int = 5, levels: int = 10, lr: float = 3.5e-4,
    entropy: float = 1e-5, space: str = "autoaugment",
) -> InTrainingMethod:  # fmt: skip
    """Adversarial AutoAugment (Zhang et al. 2020): m policies a batch, to raise the loss."""
    return Adversarial(
        operations=named_space(space), count=m, length=n, every=every, subpolicies=count,
        levels=levels, rate=lr, entropy=entropy,
    )  # fmt: skip


def views(m: int = 8, policy: str = "composition(n=2)") -> InTrainingMethod:
    """m random views of every example in the same batch, nothing learned: the control."""
    return JointViews(draws=load_policy(policy), count=m)


def augmix_jsd(weight: float = 12, m: int = 2, policy: str = "augmix") -> InTrainingMethod:
    """AugMix with its Jensen-Shannon loss (Hendrycks et al. 2020); policy: any other views."""
    return Consistency(draws=load_policy(policy), count=m, weight=weight)


METHODS = Registry(
    "in-training method",
    Entry("uncertainty", uncertainty),
    Entry("adversarial", adversarial),
    Entry("views", views),
    Entry("augmix-jsd", augmix_jsd),
    example="views(m=8)",
    error=PolicyError,
    listing="methods",
)


def list_methods() -> dict[str, str]:
    """The online methods, each with a line about it."""
    return METHODS.about()


def as_treatment(thing: Any) -> Policy | AugmenterSpec:
    """What can be compared: a policy, or an online method, from a name, a file or itself.

    >>> as_treatment("flip-crop").name
    'flip-crop'
    >>> as_treatment("crop + uncertainty(c=4,rule=top) + cutout(16)").name
    'crop + uncertainty(c=4,s=1,rule=top,n=2) + cutout(16)'
    """
    if isinstance(thing, AugmenterSpec):
        return thing
    if not isinstance(thing, str):
        return load_policy(thing)
    stages = [word.strip() for word in POLICIES.split(thing, "+")]
    found = [place for place, word in enumerate(stages) if METHODS.has(word)]
    if not found:
        return load_policy(thing)
    if len(found) > 1:
        raise PolicyError(
            f"got {len(found)} online methods in {thing!r}; expected one, and policies around it"
        )
    place = found[0]
    before, after = (
        (load_policy(" + ".join(part)),) if part else ()
        for part in (stages[:place], stages[place + 1 :])
    )
    method: InTrainingMethod = METHODS.build(stages[place])
    return method.surrounded(before=before, after=after)
