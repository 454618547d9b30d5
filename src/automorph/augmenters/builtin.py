"""In-training methods by name, as users type them among the names of policies.

``flip-crop + uncertainty(c=4,s=1,rule=top,n=2) + cutout(16)``: one stage is the method; the others
are applied to every view before and after its own draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from automorph.errors import PolicyError
from automorph.policies import POLICIES, Policy, is_timm, load_policy
from automorph.registry import Entry, Registry, closest

if TYPE_CHECKING:
    from automorph.augmenters.base import InTrainingMethod
    from automorph.training import AugmenterSpec

METHODS = Registry(
    "in-training method",
    Entry["InTrainingMethod"](
        "uncertainty",
        "automorph.augmenters.uncertainty:build",
        "Uncertainty-based sampling (Wu et al. 2020): s of c candidates, chosen by their loss.",
    ),
    Entry["InTrainingMethod"](
        "adversarial",
        "automorph.augmenters.adversarial:build",
        "Adversarial AutoAugment (Zhang et al. 2020): m policies per batch that raise the loss.",
    ),
    Entry["InTrainingMethod"](
        "views",
        "automorph.augmenters.batch_augmentation:build",
        "m random views of every example in one batch, without learning: the control.",
    ),
    Entry["InTrainingMethod"](
        "augmix-jsd",
        "automorph.augmenters.augmix_jsd:build",
        "AugMix with its Jensen-Shannon loss (Hendrycks et al. 2020); policy sets other views.",
    ),
    Entry["InTrainingMethod"](
        "tanda-tr",
        "automorph.augmenters.regularised:build",
        "Transformation regularisation (Ratner et al. 2017): the logits of views must agree; uses "
        "unlabelled examples.",
    ),
    Entry["InTrainingMethod"](
        "consistency",
        "automorph.augmenters.unlabelled_consistency:build",
        "UDA (Xie et al. 2019): predictions on unlabelled examples must stay the same under "
        "policy.",
    ),
    Entry["InTrainingMethod"](
        "balance",
        "automorph.augmenters.balanced:build",
        "Classes of different sizes: sampler (drawn equally often), loss (weighted) or logits "
        "(adjusted).",
    ),
    example="views(m=8)",
    error=PolicyError,
    listing="methods",
)


def list_methods() -> dict[str, str]:
    """Return the in-training methods by name, each with one line of description."""
    return METHODS.about()


def as_treatment(thing: Any) -> Policy | AugmenterSpec:
    """Return a policy or an in-training method, from a name, a file or itself.

    Raises `PolicyError` for a name with more than one method.

    >>> as_treatment("flip-crop").name
    'flip-crop'
    >>> as_treatment("crop + uncertainty(c=4,rule=top) + cutout(16)").name
    'crop + uncertainty(c=4,s=1,rule=top,n=2) + cutout(16)'
    """
    if not isinstance(thing, str):
        from automorph.training import AugmenterSpec

        return thing if isinstance(thing, AugmenterSpec) else load_policy(thing)
    stages = [word.strip() for word in POLICIES.split(thing, "+")]
    methods = [index for index, stage in enumerate(stages) if METHODS.has(stage)]
    if not methods:
        _suggest(stages)
        return load_policy(thing)
    if len(methods) > 1:
        raise PolicyError(
            f"got {len(methods)} in-training methods in {thing!r}; expected one, with policies "
            "around it: leave the others out"
        )
    at = methods[0]
    before, after = (
        (load_policy(" + ".join(part)),) if part else () for part in (stages[:at], stages[at + 1 :])
    )
    method: InTrainingMethod = METHODS.build(stages[at])
    return method.surrounded(before=before, after=after)


def _suggest(stages: list[str]) -> None:
    """Raise `PolicyError` for a stage that is most like the name of an in-training method."""
    for stage in stages:
        name = stage.partition("(")[0].strip()
        known = POLICIES.has(name) or is_timm(name) or name.lower().endswith(".json")
        close = [] if known else closest(name, [*POLICIES, *METHODS])
        if close and close[0] in METHODS:
            raise POLICIES.unknown(name, hint=f" Did you mean the method {close[0]!r}?")
