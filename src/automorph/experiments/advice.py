"""The one recommendation of a result: which policy to use, or what must be measured first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph.experiments.conclusion import Kind
from automorph.policies import Policy

Action = Literal[
    "use", "keep", "add policies", "add seeds", "add epochs", "compare", "train longer", "too few"
]
ENOUGH = 5
"""Paired seeds from which a difference within chance counts as no difference to speak of."""


@dataclass(frozen=True)
class Advice:
    """An action, the policy that it is about, and the sentence that ends or begins a verdict.

    ``use``: train with a policy that is better than the baseline; ``keep``: stay with one that
    nothing is shown to beat; ``add policies``, ``add seeds``, ``add epochs``: the result decides
    nothing until it is repeated with more of them; ``compare``: measure the policy of a search
    under more seeds; ``train longer``: train with the policy for more epochs; ``too few``: the data
    cannot tell, so use what usually helps. ``seeds`` is how many to use next (0: as before).
    ``instead`` replaces a policy that does what a reviewed space rules out.
    """

    action: Action
    policy: str
    text: str = ""
    seeds: int = 0
    instead: Policy | None = None


def advice_after_comparison(
    kind: Kind,
    winner: str,
    baseline: str,
    *,
    compared: int,
    seeds: int,
    failed_baseline: bool,
    simpler: str = "",
) -> Advice:
    """Return the recommendation of a comparison of ``compared`` policies.

    ``simpler`` is a sentence on a simpler policy that is not shown to be worse than the winner.

    >>> advice_after_comparison(
    ...     "unclear", "crop", "none", compared=2, seeds=5, failed_baseline=False
    ... ).text
    'Keep none.'
    """
    if compared == 1:
        text = f"Nothing was compared with {winner}: add other policies with --policy."
        return Advice("add policies", winner, text)
    if winner == baseline:
        return Advice("keep", baseline)
    if failed_baseline or kind == "better":
        return Advice("use", winner, f"Use {winner}. {simpler}".rstrip())
    if kind == "unclear" and seeds < ENOUGH:
        more = max(ENOUGH, 2 * seeds)
        return Advice("add seeds", winner, f"To find out, use --seeds {more}.", more)
    return Advice("keep", baseline, f"Keep {baseline}.")


def advice_on_few(
    domain: str,
    channels: int,
    *,
    examples: int,
    shown: float | None,
    part: str = "",
    policy: str | None = None,
) -> Advice:
    """Return the recommendation if so few examples cannot tell the policies apart.

    ``examples`` is the number of labelled examples (of a ``part``, as ``"test "``); ``shown`` the
    difference in accuracy that they would have shown (None: not known). What usually helps is
    ``policy``, or flips, crops and TrivialAugment (Müller and Hutter, ICCV 2021); of texts, EDA
    (Wei and Zou, EMNLP 2019), whose gain is largest with 500 examples.

    >>> advice_on_few("image", 3, examples=112, shown=0.081).policy
    'flip-crop + trivialaugment'
    """
    usual, kind = _usual(domain, channels)
    policy = policy or usual
    limit = (
        "" if shown is None
        else f": {examples:,} {part}examples show reliably only a difference of about "
        f"{100 * shown:.0f} points or more"
    )  # fmt: skip
    text = f"Too few examples to tell{limit}. What usually helps on {kind} is {policy}."
    return Advice("too few", policy, text)


def _usual(domain: str, channels: int) -> tuple[str, str]:
    """Return the policy that usually helps, and on what kind of data."""
    if domain == "text":
        return "eda", "few texts"
    if channels >= 3:
        return "flip-crop + trivialaugment", "few photographs"
    return "crop + trivialaugment", "few grey images"


def advice_on_constant(name: str) -> Advice:
    """Return the recommendation if a network always answers one class: nothing was measured."""
    return Advice("add epochs", name, "Train longer before drawing a conclusion.")
