"""The reader of timm's own transforms (tested with timm 1.0.31)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from automorph.interop.nearest import Near, no_operation
from automorph.interop.reader_base import Notes, Part
from automorph.interop.reader_steps import erased, resized_crop
from automorph.policies import Policy, SpacePolicy, load_policy

NAME = "timm"
SKIPPED = (
    "MaybeToTensor", "MaybePILToTensor", "ToNumpy", "ToTensor", "CenterCropOrPad", "TrimBorder",
    "ResizeKeepRatio",
)  # fmt: skip
"""Transforms that are left out because they are not augmentations."""


def read(transform: Any, notes: Notes) -> Sequence[Part]:
    """Return the parts of a transform; add what was left out to ``notes``."""
    kind = type(transform).__name__
    if kind in SKIPPED:
        notes.skipped.append(kind)
        if kind in ("MaybeToTensor", "ToTensor"):
            notes.level = 1.0
        if kind == "ResizeKeepRatio" and getattr(transform, "random_scale_prob", False):
            raise no_operation(NAME, kind, Near("it scales at random", "resized-crop"))
        return []
    if kind not in READERS:
        raise no_operation(NAME, kind)
    return READERS[kind](transform, notes)


def _crop(transform: Any, notes: Notes) -> list[Part]:
    given = transform.interpolation
    several = isinstance(given, (list, tuple))
    mode = "bilinear or bicubic, drawn anew" if several else getattr(given, "value", str(given))
    return [resized_crop(notes, transform.scale, transform.ratio, transform.size, mode)]


def _erasing(transform: Any, notes: Notes) -> list[Part]:
    if notes.normal is None and transform.mode:
        notes.others.append("RandomErasing: no Normalize comes before it, so 0 is read as black")
    low, high = (math.exp(end) for end in transform.log_aspect_ratio)
    content = "one-normal" if transform.rand_color else "normal"
    noisy = transform.rand_color or transform.per_pixel
    more = {"content": content} if noisy else {}
    return [
        erased(
            notes, "timm", (transform.min_area, transform.max_area), (low, high),
            None if noisy else 0.0, float(transform.probability),
            count=(transform.min_count, transform.max_count), **more,
        )
    ]  # fmt: skip


def _rand_augment(transform: Any, notes: Notes) -> list[Policy]:
    """Read RandAugment as the string that makes it."""
    if transform.choice_weights is not None:
        raise no_operation(
            NAME, "RandAugment with weights", Near("it weighs its operations", "rand-m9-inc1")
        )
    first = transform.ops[0]
    names = {op.name for op in transform.ops}
    increasing = any(name.endswith("Increasing") for name in names)
    deviation = float(first.magnitude_std or 0)
    parts = [f"rand-m{first.magnitude:g}", f"n{transform.num_layers}", f"p{first.prob:g}"]
    if deviation:
        parts.append(f"mstd{101 if math.isinf(deviation) else deviation:g}")
    parts += ["inc1"] if increasing else []
    parts += [f"mmax{first.magnitude_max}"] if first.magnitude_max else []
    usual = _names(increasing)
    if names != usual or len(transform.ops) != len(usual):
        raise no_operation(
            NAME, f"RandAugment of {len(names)} operations",
            Near("it has a set of operations of its own", "-".join(parts)),
        )  # fmt: skip
    return [_rendered("-".join(parts), first, notes)]


def _augmix(transform: Any, notes: Notes) -> list[Policy]:
    first = transform.ops[0]
    depth = "" if transform.depth <= 0 else f"-d{transform.depth}"
    text = f"augmix-m{first.magnitude:g}-w{transform.width}{depth}-a{transform.alpha:g}"
    if transform.blended:
        text += "-b1"
    if not math.isinf(first.magnitude_std):
        raise no_operation(
            NAME, "AugMixAugment with normal magnitudes", Near("its magnitudes are uniform", text)
        )
    return [_rendered(text, first, notes)]


def _rendered(text: str, first: Any, notes: Notes) -> Policy:
    """Return the policy of a string, with the fill of its operations."""
    fill = first.kwargs.get("fillcolor")
    grey = fill is None or set(fill) == {128}
    if isinstance(first.kwargs.get("resample"), (list, tuple)):
        notes.others.append(f"{text} moves bilinearly; timm draws bilinear or bicubic")
    policy = load_policy(text)
    assert isinstance(policy, SpacePolicy)
    return policy if grey else replace(policy, fill=tuple(map(int, fill)))


def _names(increasing: bool) -> set[str]:
    from timm.data import auto_augment

    name = "_RAND_INCREASING_TRANSFORMS" if increasing else "_RAND_TRANSFORMS"
    return set(getattr(auto_augment, name))


READERS: dict[str, Callable[[Any, Notes], Sequence[Part]]] = {
    "RandomResizedCropAndInterpolation": _crop,
    "RandomErasing": _erasing,
    "RandAugment": _rand_augment,
    "AugMixAugment": _augmix,
}
