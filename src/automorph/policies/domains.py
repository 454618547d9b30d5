"""The domains of policies, images or texts, and the check against the data."""

from __future__ import annotations

from typing import Any

from automorph import _moved
from automorph.errors import UsageError
from automorph.policies.base import Policy
from automorph.policies.batch_mixing import Mixed
from automorph.policies.builtin import NAMED
from automorph.policies.builtin_text import NAMED_TEXTS
from automorph.policies.traversal import stages_of

_ANY = ("none", "mixup")
_FOR = {
    "text": f"{', '.join(NAMED_TEXTS)}, or a policy with space=texts-plain, as in "
    "'random(space=texts-plain)'",
    "image": ", ".join(name for name in NAMED if name not in (*NAMED_TEXTS, *_ANY)),
}


@_moved.renamed_arguments(arm="treatment")
def check_domain(treatment: Any, domain: str, *, data: str = "the data") -> None:
    """Refuse a policy or in-training method whose operations are for another domain than the data.

    ``domain`` is that of the data: ``image`` or ``text``. Policies without operations fit every
    domain; CutMix is for images. Raises `UsageError`.

    >>> from automorph import load_policy
    >>> check_domain(load_policy("none"), "text")
    >>> check_domain(load_policy("eda"), "image")
    Traceback (most recent call last):
        ...
    automorph.errors.UsageError: the policy 'eda(alpha=0.1)' is for texts, but the data holds ...
    """
    policy = getattr(treatment, "policy", treatment)
    if not isinstance(policy, Policy):
        return
    for stage in stages_of(policy):
        own = _domain(stage)
        if own in ("image", "text") and own != domain:
            raise UsageError(
                f"the policy {stage.name!r} is for {own}s, but {data} holds {domain}s; use "
                f"a policy for {domain}s: none, mixup, {_FOR.get(domain, 'operations of your own')}"
            )


def _domain(stage: Policy) -> str | None:
    """Return the domain of a stage; None if it fits any."""
    if isinstance(stage, Mixed):
        return "image" if stage.mix == "cutmix" else None
    return stage.space.domain if len(stage.space) else None
