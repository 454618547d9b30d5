"""The one recommendation of a result: which policy to use, or what must be measured first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph.experiments.conclusion import Kind

Action = Literal[
    "use", "keep", "add policies", "add seeds", "add epochs", "compare", "train longer"
]
ENOUGH = 5
"""Paired seeds from which a difference within chance counts as no difference to speak of."""


@dataclass(frozen=True)
class Advice:
    """An action, the policy that it is about, and the sentence that ends or begins a verdict.

    ``use``: train with a policy that is better than the baseline; ``keep``: stay with one that
    nothing is shown to beat; ``add policies``, ``add seeds``, ``add epochs``: the result decides
    nothing until it is repeated with more of them; ``compare``: measure the policy of a search
    under more seeds; ``train longer``: train with the policy for more epochs. ``seeds`` is how many
    to use next (0: as before).
    """

    action: Action
    policy: str
    text: str = ""
    seeds: int = 0


def advice_after_comparison(
    kind: Kind, winner: str, baseline: str, *, compared: int, seeds: int, failed_baseline: bool
) -> Advice:
    """Return the recommendation of a comparison of ``compared`` policies.

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
        return Advice("use", winner, f"Use {winner}.")
    if kind == "unclear" and seeds < ENOUGH:
        more = max(ENOUGH, 2 * seeds)
        return Advice("add seeds", winner, f"To find out, use --seeds {more}.", more)
    return Advice("keep", baseline, f"Keep {baseline}.")


def advice_on_constant(name: str) -> Advice:
    """Return the recommendation if a network always answers one class: nothing was measured."""
    return Advice("add epochs", name, "Train longer before drawing a conclusion.")
