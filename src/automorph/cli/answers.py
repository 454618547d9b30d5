"""What is predicted, in words: for headers, captions and tables of every kind of target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automorph.data import Dataset, Split
    from automorph.targets import Target


def captions(data: Dataset, part: Split) -> list[str]:
    """Return what each example of a part is labelled with."""
    if data.target == "values":
        return [value_words(data.predicted, row) for row in part.expected]
    if data.target == "labels":
        return [label_words(data.predicted, row) for row in part.expected]
    return [data.classes[label] for label in part.labels]


def label_words(names: tuple[str, ...], row: Any) -> str:
    """Return the labels of an example.

    >>> label_words(("open", "short", "spur"), [1, 0, 1]), label_words(("open",), [0])
    ('open, spur', 'no label')
    """
    return ", ".join(name for name, has in zip(names, row, strict=True) if has) or "no label"


def label_shares(data: Dataset) -> dict[str, list[float]]:
    """Return how often each label occurs in training, for a report; nothing without labels."""
    if data.target != "labels":
        return {}
    return {"shares": data.train.expected.mean(axis=0).round(4).tolist()}


def value_words(names: tuple[str, ...], values: Any) -> str:
    """Return values with their names.

    >>> value_words(("weight",), [203.0]), value_words(("x", "y"), [0.5, 1e-7])
    ('weight 203', 'x 0.5, y 1e-07')
    """
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(names, values, strict=True))


def score_words(target: Target, score: float) -> str:
    """Return the target's own score: an accuracy in percent, others as numbers."""
    return f"{score:.2%}" if target.metric == "accuracy" else f"{score:.3f}"


def score_fact(target: Target) -> dict[str, str]:
    """Return the name of the score in the curves of a report; nothing for accuracy."""
    return {} if target.metric == "accuracy" else {"score": target.metric}
