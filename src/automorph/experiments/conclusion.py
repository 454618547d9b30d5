"""The verdict of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph.experiments.statistics import Difference

Kind = Literal["better", "worse", "unclear"]


@dataclass(frozen=True)
class Verdict:
    """A kind, which selects the colour, and a text."""

    kind: Kind
    text: str


def points(share: float) -> str:
    """Format a difference of fractions in percentage points, with its sign.

    >>> points(0.0213), points(-0.004)
    ('+2.1', '-0.4')
    """
    return f"{100 * share:+.1f}"


def interval(difference: Difference) -> str:
    """Format the interval of a difference in points."""
    if difference.low is None or difference.high is None:
        return "no interval"
    return f"{points(difference.low)} to {points(difference.high)}"


def judge(
    winner: str,
    baseline: str,
    difference: Difference | None,
    *,
    control: str | None = None,
    against_control: Difference | None = None,
    seeds: int,
    confidence: float,
) -> Verdict:
    """Judge the winner against the baseline and against the random control.

    ``difference`` is None if the winner is the baseline, or if the baseline failed.

    >>> d = Difference(0.02, 0.01, 0.03, 0.01, 0.02)
    >>> judge("crop", "none", d, seeds=5, confidence=0.95).kind
    'better'
    """
    if winner == baseline:
        return Verdict(
            "unclear",
            f"No policy was better than {baseline} on the validation part; keep it.",
        )
    if difference is None:
        return Verdict(
            "unclear",
            f"{winner} is best on the validation part; training with {baseline} failed, so there "
            "is no baseline to compare with.",
        )
    share = (
        f"{confidence:.0%} interval {interval(difference)}; {seeds} paired seeds"
        if seeds > 1
        else "one seed, no interval"
    )
    lead = f"{winner} is best on the validation part"
    on_test = (
        f"on the test part it differs from {baseline} by {points(difference.mean)} points ({share})"
    )
    p = difference.p_adjusted if difference.p_adjusted is not None else difference.p
    if p is None:
        text = (
            f"{lead}; {on_test}. A single seed cannot distinguish this from chance; use --seeds 5."
        )
        return Verdict("unclear", text)
    beyond = p < 1 - confidence
    kind: Kind = "unclear" if not beyond else "better" if difference.mean > 0 else "worse"
    corrected = f"p = {p:.2g}, corrected for the number of policies"
    chance = {
        "better": f"This gain is beyond chance ({corrected}).",
        "worse": f"This loss is beyond chance (p = {p:.2g}).",
        "unclear": f"This is within chance ({corrected}).",
    }[kind]
    text = f"{lead}; {on_test}. {chance}"
    if control and against_control is not None:
        beats = against_control.low is not None and against_control.low > 0
        words = (
            "so it is better than a random policy"
            if beats
            else "so it is not shown to be better than a random policy"
        )
        text += (
            f" It differs from the control {control} by {points(against_control.mean)} points "
            f"({interval(against_control)}), {words}."
        )
    return Verdict(kind, text)
