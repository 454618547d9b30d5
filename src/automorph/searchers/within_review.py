"""A recommendation that keeps to what a person ruled out with ``automorph review``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from automorph.experiments import Advice, Treatment, Verdict
from automorph.operations import SearchSpace
from automorph.policies import Policy, Uniform, chained, load_policy
from automorph.searchers.portfolio import beyond

_PLAIN = ("flip-crop", "crop", "flip", "none")
"""What usually helps on images before other draws, the fullest first."""


def within_review(
    verdict: Verdict, advice: Advice, treatments: Mapping[str, Treatment], space: SearchSpace
) -> tuple[Verdict, Advice]:
    """Replace a recommended control that does what a reviewed space rules out.

    The controls of a table are policies as published (``treatments``, by part), and a review does
    not change them. `Advice.instead` is then the same draws from ``space``, and the verdict says
    so.
    """
    control = treatments.get(advice.policy)
    if advice.policy == "found" or not isinstance(control, Policy):
        return verdict, advice
    if not (reason := beyond(control, space)):
        return verdict, advice
    own = _kept(advice.policy, space)
    said = (
        f"But {reason}, which {control.name} may apply: {own.name} keeps to your review, and is "
        "not in this table."
    )
    rest = verdict.text.removeprefix(advice.text).lstrip()
    text = f"{advice.text} {said}"
    return (
        replace(verdict, text=f"{text} {rest}".rstrip()),
        replace(advice, text=text, instead=own),
    )


def _kept(part: str, space: SearchSpace) -> Policy:
    """Return what stands for a control in a reviewed space."""
    plain = load_policy("none")
    if space.domain == "image":
        plain = next(one for one in map(load_policy, _PLAIN) if not beyond(one, space))
    if part in ("tail", "longer"):
        return plain
    drawn = Uniform(operations=space, length=1, levels=31)
    return chained(plain, drawn) if len(plain.space) else drawn
