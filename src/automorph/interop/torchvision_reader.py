"""The reader of torchvision transforms (v2 and v1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from automorph.interop.ir import NotExpressibleError
from automorph.interop.reader_base import (
    Near,
    Notes,
    Part,
    act_of,
    always,
    blurred,
    level,
    no_operation,
    one_of,
    pair,
    perhaps,
    refuse,
    refused,
    resized_crop,
)
from automorph.interop.torchvision import FUNCTIONS, NAME, NATIVE
from automorph.operations import named_space
from automorph.policies import Fill, Policy, SpacePolicy, Uniform, load_policy

Reader = Callable[[Any], Sequence[Part]]
_KERNELS = {function: kernel for kernel, function in FUNCTIONS.items()}
SKIPPED = (
    "Identity", "ToImage", "ToTensor", "PILToTensor", "ToPILImage", "ToPureTensor", "ToDtype",
    "ConvertImageDtype", "ConvertDtype", "Normalize", "Resize", "CenterCrop",
    "SanitizeBoundingBoxes", "ClampBoundingBoxes",
)  # fmt: skip
"""Transforms that are left out because they are not augmentations."""

USUAL: dict[str, dict[str, Any]] = {
    "RandomRotation": {"expand": False, "center": None},
    "RandomAffine": {"scale": None, "shear": None, "center": None},
    "RandomCrop": {"pad_if_needed": False, "padding_mode": "constant"},
    "RandomResizedCrop": {"ratio": (3 / 4, 4 / 3)},
}
"""Parameters that a policy cannot express, and the only values that are accepted."""


NEAR: dict[str, Near] = {
    "RandomErasing": Near(
        "it fills with one colour or normal noise; the operation RandomErasing, with uniform noise",
        "random-erasing(p=0.5,area=0.33)",
    ),
    "AugMix": Near(
        "it draws magnitudes in whole steps, over its own ranges",
        "augmix(severity=3,width=3,depth=0)",
    ),
}
"""Transforms that are refused, with the policy that is closest."""


def read(transform: Any, notes: Notes) -> list[Part]:
    """Return the parts of a transform (v2 or v1); add what was left out to ``notes``."""
    kind = type(transform).__name__
    if kind in SKIPPED:
        notes.skipped += [] if kind == "Identity" else [kind]
        return []
    if kind in ("Compose", "Sequential"):
        inside = transform.transforms if kind == "Compose" else transform
        return [draw for part in inside for draw in read(part, notes)]
    if kind == "RandomChoice":
        inside = [read(part, notes) for part in transform.transforms]
        return [one_of(inside, transform.p or [1.0] * len(inside))]
    if kind == "RandomApply":
        return [perhaps([draw for part in transform.transforms for draw in read(part, notes)],
                        float(transform.p))]  # fmt: skip
    if kind not in READERS:
        raise no_operation(NAME, kind, NEAR.get(kind))
    refuse(transform, **USUAL.get(kind, {}))
    draws = list(READERS[kind](transform))
    if kind == "ColorJitter":
        notes.in_order(draws)
    return draws


def _drawn(transform: Any) -> list[Part]:
    kernel = _KERNELS[transform.operation.__name__]
    unit = "px" if transform.pixels else None
    act = act_of(kernel, *transform.ranges, probability=transform.p, unit=unit,
                 levels=transform.levels)  # fmt: skip
    return [always(act, fill=transform.fill, interpolation=transform.interpolation)]


def _native(kernel: str) -> Reader:
    return lambda transform: [always(act_of(kernel, probability=transform.p))]


def _rotation(transform: Any) -> list[Part]:
    return [always(act_of("Rotate", pair(transform.degrees)), **_style(transform))]


def _affine(transform: Any) -> list[Part]:
    low, high = pair(transform.degrees)
    # RandomAffine rotates clockwise, RandomRotation does not.
    acts = [act_of("Rotate", (0.0 - high, 0.0 - low))] if low or high else []
    for kernel, share in zip(("TranslateX", "TranslateY"), transform.translate or (), strict=False):
        acts += [act_of(kernel, (-share, share))] if share else []
    if len(acts) > 1:
        raise NotExpressibleError(
            "got a RandomAffine that applies several operations at once, but a policy applies one "
            "at a time; use one RandomAffine for each (degrees, horizontal and vertical translate)"
        )
    return [always(act, **_style(transform)) for act in acts]


def _jitter(transform: Any) -> list[Part]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color",
             "hue": "Hue"}  # fmt: skip
    ranges = {kernel: getattr(transform, name) for name, kernel in named.items()}
    return [always(act_of(kernel, pair(ends))) for kernel, ends in ranges.items() if ends]


def _crop(transform: Any) -> list[Part]:
    padding, size = transform.padding, transform.size
    height, width = (size, size) if isinstance(size, int) else size
    sides = {padding} if isinstance(padding, int) else set(padding or ())
    if height != width or len(sides) != 1:
        raise NotExpressibleError(
            f"got RandomCrop(size={size}, padding={padding}); expected a square and the same "
            "padding on all sides, as in PadCrop"
        )
    share = sides.pop() / height
    return [always(act_of("PadCrop", (share, share)), fill=_fill(transform))]


def _part(transform: Any) -> list[Part]:
    # Crops are never scaled down, so antialias has no effect.
    if _mode(transform) != "bilinear":
        raise refused(transform, "interpolation", transform.interpolation, "bilinear")
    return [resized_crop(transform, transform.scale)]


def _solarize(transform: Any) -> list[Part]:
    if 0 < transform.threshold < 1:
        raise refused(transform, "threshold", transform.threshold, "a level from 0 to 255")
    return [always(act_of("Solarize", (transform.threshold,) * 2, probability=transform.p))]


def _ready(transform: Any) -> list[Policy]:
    """Read RandAugment and TrivialAugmentWide, whose spaces have names here."""
    kind = type(transform).__name__
    common = {"fill": _fill(transform), "interpolation": _mode(transform)}
    if kind == "RandAugment":
        share = transform.magnitude / (transform.num_magnitude_bins - 1)
        policy = Uniform(
            operations=named_space("randaugment"), length=transform.num_ops, low=share, high=share,
            **common,
        )  # fmt: skip
    else:
        policy = Uniform(
            operations=named_space("trivialaugment-wide"), length=1,
            levels=transform.num_magnitude_bins, **common,
        )  # fmt: skip
    return [policy]


def _auto(transform: Any) -> list[Policy]:
    policy = load_policy(f"autoaugment:{transform.policy.value}")
    assert isinstance(policy, SpacePolicy)
    fill = _fill(transform)
    return [replace(policy, fill=fill, interpolation=_mode(transform))]


READERS: dict[str, Reader] = {
    "Drawn": _drawn,
    **{name.removeprefix("v2."): _native(kernel) for kernel, name in NATIVE.items()},
    "RandomRotation": _rotation,
    "RandomAffine": _affine,
    "ColorJitter": _jitter,
    "RandomCrop": _crop,
    "RandomResizedCrop": _part,
    "RandomSolarize": _solarize,
    "RandomPosterize": lambda t: [
        always(act_of("Posterize", (float(t.bits),) * 2, probability=t.p))
    ],
    "RandomAdjustSharpness": lambda t: [
        always(act_of("Sharpness", (t.sharpness_factor,) * 2, probability=t.p))
    ],
    "GaussianBlur": lambda t: [blurred(t, "kernel_size", t.kernel_size, t.sigma, 1.0)],
    # Grey is colour at factor 0.
    "RandomGrayscale": lambda t: [always(act_of("Color", (0.0, 0.0), probability=t.p))],
    "RandAugment": _ready,
    "TrivialAugmentWide": _ready,
    "AutoAugment": _auto,
}


def _style(transform: Any) -> dict[str, Any]:
    return {"fill": _fill(transform), "interpolation": _mode(transform)}


def _mode(transform: Any) -> Any:
    mode = getattr(transform.interpolation, "value", transform.interpolation)
    mode = {0: "nearest", 2: "bilinear"}.get(mode, mode)  # PIL's numbers.
    if mode not in ("nearest", "bilinear"):
        raise refused(transform, "interpolation", mode, "nearest or bilinear")
    return mode


def _fill(transform: Any) -> Fill:
    fill = transform.fill
    if isinstance(fill, dict):
        kinds = {getattr(kind, "__name__", kind): value for kind, value in fill.items()}
        fill = next((kinds[kind] for kind in ("Image", "Tensor", "others") if kind in kinds), 0)
    return level(transform, fill)
