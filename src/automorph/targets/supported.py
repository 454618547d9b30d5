"""Which commands take which kind of target; the others refuse it, with the reason."""

from __future__ import annotations

from automorph.data import TARGET_KINDS, TargetKind
from automorph.errors import UsageError

SUPPORTED: dict[TargetKind, tuple[str, ...]] = {
    "classes": (
        "preview", "review", "train", "compare", "search", "explain", "audit", "patch", "predict",
        "export",
    ),
    "labels": (
        "preview", "review", "train", "compare", "search", "explain", "audit", "predict", "export",
    ),
    "values": (
        "preview", "review", "train", "compare", "search", "explain", "audit", "predict", "export",
    ),
    "masks": ("preview", "review", "train", "compare", "search", "predict", "export"),
}  # fmt: skip
"""The verbs that take each kind."""
REASONS: dict[str, str] = {
    "patch/labels": "it repairs one class decision. Patch one label as two classes: --label-of "
    "NAME (label_of=..).",
    "patch/values": "its objectives weigh examples of one class each in subgroups; bin the values "
    "into classes (a column such as low, middle, high).",
    "explain/masks": "its diagnostics need one answer for each example; to see what operations do "
    "to masks, use preview, and compare to measure it.",
    "audit/masks": "its tables count right and wrong examples, and a mask is right in part; "
    "compare reports the metrics of masks, also of single classes (--also iou:CLASS).",
    "patch/masks": "its objectives weigh examples of one class each in subgroups; train on more "
    "images of the weak subgroup.",
}
"""Why a verb does not take a kind, and what to do, by ``verb/kind`` or ``verb``."""


def check_target(kind: TargetKind, verb: str) -> None:
    """Raise `UsageError` if a verb does not take this kind of target.

    >>> check_target("classes", "patch")
    """
    if verb in SUPPORTED[kind]:
        return
    taken = [one for one in TARGET_KINDS if verb in SUPPORTED[one]]
    reason = REASONS.get(f"{verb}/{kind}", REASONS.get(verb, ""))
    other = ", ".join(SUPPORTED[kind])
    hint = f" The commands that do: {other}." if other else ""
    raise UsageError(
        f"{verb} does not take --target {kind} (target={kind!r}), only {' and '.join(taken)}"
        f"{f': {reason}' if reason else '.'}{hint}"
    )
