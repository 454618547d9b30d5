"""The verdict of a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from automorph.experiments.metric import ACCURACY, Metric
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
    return ACCURACY.difference(share)


def interval(difference: Difference) -> str:
    """Format the interval of a difference in points."""
    return ACCURACY.interval(difference)


def judge(
    winner: str,
    baseline: str,
    difference: Difference | None,
    *,
    control: str | None = None,
    against_control: Difference | None = None,
    seeds: int,
    confidence: float,
    metric: Metric = ACCURACY,
    pairs: str = "",
) -> Verdict:
    """Judge the winner against the baseline and against the random control, without advice.

    ``difference`` is None if the winner is the baseline, or if the baseline failed. Differences are
    those of the ``metric``, on the part of the data that it names. ``pairs`` describes the pairs
    (default: the number of paired seeds).

    >>> d = Difference(0.02, 0.01, 0.03, 0.01, 0.02)
    >>> judge("crop", "none", d, seeds=5, confidence=0.95).kind
    'better'
    """
    if winner == baseline:
        return Verdict(
            "unclear",
            f"No policy was better than {baseline} on the validation part; keep {baseline}.",
        )
    if difference is None:
        return Verdict(
            "unclear",
            f"{winner} is best on the validation part; training with {baseline} failed, so there "
            "is no baseline to compare with.",
        )
    share = (
        f"{_interval(difference, confidence, metric)}; {pairs or f'{seeds} paired seeds'}"
        if seeds > 1
        else "one seed, no interval"
        if difference.low is None
        else f"one seed; {confidence:.0%} interval over the test examples "
        f"{metric.interval(difference)}"
    )
    chosen_on = "folds" if metric.part == "out-of-fold" else "part"
    lead = f"{winner} is best on the validation {chosen_on}"
    on_test = (
        f"{_WHERE[metric.part]} it differs from {baseline} by "
        f"{metric.difference(difference.mean)}{metric.unit}{_in_metric(metric)} ({share})"
    )
    p = difference.p_adjusted if difference.p_adjusted is not None else difference.p
    if p is None:
        text = f"{lead}; {on_test}. A single seed cannot distinguish this from chance."
        return Verdict("unclear", text + _same_figures(metric))
    gains = metric.gain(difference).mean > 0
    kind: Kind = "unclear" if p >= 1 - confidence else "better" if gains else "worse"
    corrected = f"p = {p:.2g}, corrected for the number of policies"
    chance = {
        "better": f"This gain is beyond chance ({corrected}).",
        "worse": f"This {'loss' if metric.share else 'decline'} is beyond chance (p = {p:.2g}).",
        "unclear": f"This is within chance ({corrected}).",
    }[kind]
    text = f"{lead}; {on_test}. {chance}"
    if control and against_control is not None:
        lowest = metric.gain(against_control).low
        beats = lowest is not None and lowest > 0
        words = (
            "so it is better than a random policy"
            if beats
            else "so it is not shown to be better than a random policy"
        )
        text += (
            f" It differs from the control {control} by "
            f"{metric.difference(against_control.mean)}{metric.unit} "
            f"({metric.interval(against_control)}), {words}."
        )
    return Verdict(kind, text + _same_figures(metric))


_WHERE = {
    "test": "on the test part",
    "validation": "on the validation data",
    "out-of-fold": "on the examples that were left out of its training",
}


def _in_metric(metric: Metric) -> str:
    """Name a metric other than accuracy, and its direction if lower is better."""
    if metric.share and metric.name == ACCURACY.name:
        return ""
    if metric.share:
        return f" of {metric.name}"
    return f" in {metric.name}" + ("" if metric.higher_is_better else " (lower is better)")


def _same_figures(metric: Metric) -> str:
    """Warn if the winner was chosen by the figures that the text reports."""
    if metric.part != "validation":
        return ""
    return (
        " There are no test values: these are the validation values that also chose the winner, so "
        "the gain on new data may be smaller."
    )


def _interval(difference: Difference, confidence: float, metric: Metric) -> str:
    """Name the interval of a difference; equal differences have none."""
    if difference.low is None or difference.high is None:
        return "no interval, because the differences are equal"
    return f"{confidence:.0%} interval {metric.interval(difference)}"
