"""What a comparison says, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph.experiments.statistics import Difference

Kind = Literal["better", "worse", "unclear"]


@dataclass(frozen=True)
class Verdict:
    """A kind, for colours, and a text, for people."""

    kind: Kind
    text: str


def points(share: float) -> str:
    """A difference of shares in points, with its sign.

    >>> points(0.0213), points(-0.004)
    ('+2.1', '-0.4')
    """
    return f"{100 * share:+.1f}"


def interval(difference: Difference) -> str:
    """The interval of a difference in points."""
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
    """The verdict on the winner against the baseline and against the random control.

    ``difference`` is None where there is none: the winner is the baseline, or that one failed.

    >>> d = Difference(0.02, 0.01, 0.03, 0.01, 0.02)
    >>> judge("crop", "none", d, seeds=5, confidence=0.95).kind
    'better'
    """
    if winner == baseline:
        return Verdict(
            "unclear", f"No policy did better than {baseline} on the validation part; keep it."
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
    on_test = f"on the test part it is {points(difference.mean)} points from {baseline} ({share})"
    p = difference.p_adjusted if difference.p_adjusted is not None else difference.p
    if p is None:
        text = f"{lead}; {on_test}. One seed cannot tell this from chance: use --seeds 5."
        return Verdict("unclear", text)
    beyond = p < 1 - confidence
    kind: Kind = "unclear" if not beyond else "better" if difference.mean > 0 else "worse"
    chance = {
        "better": f"That is beyond chance (p = {p:.2g}, corrected for the number of policies).",
        "worse": f"That is a loss beyond chance (p = {p:.2g}).",
        "unclear": f"That is within chance (p = {p:.2g}, corrected for the number of policies).",
    }[kind]
    text = f"{lead}; {on_test}. {chance}"
    if control and against_control is not None:
        beats = against_control.low is not None and against_control.low > 0
        words = (
            "so choosing it over a random one pays"
            if beats
            else "so it is not shown to beat a random one"
        )
        text += (
            f" Against the control {control} it is {points(against_control.mean)} points "
            f"({interval(against_control)}), {words}."
        )
    return Verdict(kind, text)
