"""The reader of albumentations pipelines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.interop.albumentations import NAME, RANGED
from automorph.interop.ir import Act, Draw, NotExpressibleError, tidy
from automorph.interop.reader_base import (
    Near,
    Notes,
    act_of,
    always,
    blurred,
    erased,
    level,
    no_operation,
    one_of,
    pair,
    perhaps,
    refuse,
    refused,
    resized_crop,
)

SKIPPED = (
    "ToTensorV2", "Normalize", "Resize", "LongestMaxSize", "SmallestMaxSize", "CenterCrop",
    "PadIfNeeded", "ToFloat",
)  # fmt: skip
"""Steps that are left out because they are not augmentations."""

USUAL: dict[str, dict[str, Any]] = {
    "Affine": {"fit_output": False, "balanced_scale": False},
    "Rotate": {"crop_border": False},
    "Sharpen": {"method": "kernel", "lightness": (1, 1)},
    "CoarseDropout": {"num_holes_range": (1, 1), "fill": 128},
    "GaussNoise": {"mean_range": (0, 0), "per_channel": True, "noise_scale_factor": 1},
    # The default method differs from PIL's by more than 40 levels.
    "AutoContrast": {"method": "pil", "cutoff": 0, "ignore": None},
    "Equalize": {"by_channels": True, "mask": None},
    "Erasing": {"ratio": (0.3, 3.3), "fill": "random"},
    "RandomResizedCrop": {"ratio": (3 / 4, 4 / 3), "interpolation": 1},
    "ToGray": {"method": "weighted_average", "num_output_channels": 3},
    "RandomBrightnessContrast": {"brightness_limit": (0, 0), "ensure_safe_range": False},
}
"""Parameters that a policy cannot express, and the only values that are accepted."""


NEAR: dict[str, Near] = {
    "RandomCrop": Near(
        "it pads only images that are too small, or none, so sizes change",
        "crop",
    ),
}
"""Transforms that are refused, with the policy that is closest."""


def read(transform: Any, notes: Notes, p: float | None = None) -> list[Draw]:
    """Return the draws of a transform or pipeline; add what was left out to ``notes``.

    ``p`` replaces its own probability (a weight in ``OneOf``).
    """
    kind = type(transform).__name__
    p = float(transform.p) if p is None else p
    if kind in SKIPPED:
        notes.skipped.append(kind)
        return []
    if kind in ("Compose", "Sequential"):
        draws = [draw for part in transform.transforms for draw in read(part, notes)]
        return draws if p >= 1 else [perhaps(draws, p)]
    if kind == "OneOf":
        inside = [read(part, notes, 1.0) for part in transform.transforms]
        return [one_of(inside, [float(part.p) for part in transform.transforms], p)]
    if kind not in READERS:
        raise no_operation(NAME, kind, NEAR.get(kind))
    refuse(transform, **USUAL.get(kind, {}))
    draws = READERS[kind](transform, p)
    if kind == "ColorJitter":
        notes.in_order(draws)
    return draws


Reader = Callable[[Any, float], list[Draw]]


def _moved(transform: Any, *acts: Act) -> list[Draw]:
    fill = level(transform, transform.fill)
    if transform.interpolation not in (0, 1) or transform.border_mode != 0:
        raise NotExpressibleError(
            f"got {type(transform).__name__} with an unsupported interpolation or border; expected "
            "INTER_NEAREST or INTER_LINEAR with BORDER_CONSTANT"
        )
    mode = ("nearest", "bilinear")[transform.interpolation]
    return [always(*acts, fill=fill, interpolation=mode)]


def _read_affine(t: Any, p: float) -> list[Draw]:
    acts = [act_of("Rotate", pair(t.rotate), probability=p)] if any(t.rotate) else []
    for axis in "xy":
        if any(t.shear[axis]):
            low, high = (math.tan(math.radians(end)) for end in t.shear[axis])
            acts.append(act_of(f"Shear{axis.upper()}", (tidy(low), tidy(high)), probability=p))
    acts += _moves(t, p)
    scaled = any(end != 1 for axis in "xy" for end in t.scale[axis])
    if len(acts) + scaled > 1:
        names = ", ".join([*(act.kernel for act in acts), *["Zoom"] * scaled])
        raise NotExpressibleError(
            f"got {type(t).__name__} that applies several operations at once ({names}), but a "
            "policy applies one at a time; use one transform for each"
        )
    return _zoomed(t, p) if scaled else _moved(t, *acts)


def _moves(t: Any, p: float) -> list[Act]:
    moves, unit = (t.translate_percent, None) if t.translate_percent else (t.translate_px, "px")
    ends = {axis: pair(moves[axis]) for axis in "xy"} if moves else {}
    if ends and unit is None and ends["x"] == ends["y"] and ends["x"][0] == -ends["x"][1] != 0:
        return [act_of("PadCrop", (ends["x"][1],) * 2, probability=p)]
    return [
        act_of(f"Translate{axis.upper()}", span, probability=p, unit=unit)
        for axis, span in ends.items()
        if any(span)
    ]


def _zoomed(t: Any, p: float) -> list[Draw]:
    low, high = pair(t.scale["x"])
    if pair(t.scale["y"]) != (low, high):
        raise refused(t, "scale", t.scale, "the same range for both axes")
    if low != high:
        refuse(t, keep_ratio=True)
    if t.border_mode != 1 or t.interpolation != 1:
        raise NotExpressibleError(
            f"got {type(t).__name__} that scales with an unsupported interpolation or border; "
            "expected INTER_LINEAR with BORDER_REPLICATE"
        )
    return [always(act_of("Zoom", (low, high), probability=p))]


def _read_jitter(t: Any, p: float) -> list[Draw]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color"}
    found = [(kernel, pair(getattr(t, name))) for name, kernel in named.items()]
    found = [(kernel, ends) for kernel, ends in found if ends != (1.0, 1.0)]
    found += [("Hue", pair(t.hue))] if any(t.hue) else []
    draws = [always(act_of(kernel, ends)) for kernel, ends in found]
    return draws if p >= 1 else [perhaps(draws, p)]


def _read_contrast(t: Any, p: float) -> list[Draw]:
    # Without brightness, it multiplies all levels, which is our Brightness.
    low, high = pair(t.contrast_limit)
    return [always(act_of("Brightness", (tidy(1 + low), tidy(1 + high)), probability=p))]


def _read_sharpen(t: Any, p: float) -> list[Draw]:
    ends = tuple(tidy(13 * end + 1) for end in t.alpha)
    return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]


def _read_blur(t: Any, p: float) -> list[Draw]:
    if pair(t.blur_limit) == (3.0, 3.0):
        ends = sorted(tidy(_factor(end)) for end in t.sigma_limit)
        return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]
    # A kernel size of 0 lets the library choose one.
    sides = t.blur_limit if any(t.blur_limit) else (math.inf,)
    return [blurred(t, "blur_limit", sides, t.sigma_limit, p)]


def _factor(sigma: float) -> float:
    """Return the sharpness factor of a narrow Gaussian: the inverse of ``_sigma``."""
    beside = math.exp(-1 / (2 * sigma * sigma))
    middle = (1 / (1 + 2 * beside)) ** 2
    return (middle - 5 / 13) / (1 - 5 / 13)


def _read_dropout(t: Any, p: float) -> list[Draw]:
    side = tuple(t.hole_height_range)
    if side != tuple(t.hole_width_range):
        raise refused(t, "hole_height_range", side, "the same as hole_width_range, for a square")
    unit = "px" if isinstance(side[0], int) else None
    return [always(act_of("Cutout", pair(side), probability=p, unit=unit))]


def _read_morphology(t: Any, p: float) -> list[Draw]:
    side, other = t.scale
    if side != other or side % 2 == 0:
        raise refused(t, "scale", t.scale, "two equal odd numbers, as in (3, 3)")
    return [always(act_of(t.operation.capitalize(), ((side - 1) / 2,) * 2, probability=p))]


def _read_posterize(t: Any, p: float) -> list[Draw]:
    if isinstance(t.num_bits, list):
        raise refused(t, "num_bits", t.num_bits, "one range for all channels")
    return [always(act_of("Posterize", pair(t.num_bits), probability=p))]


def _ranged(kernel: str) -> Reader:
    row = RANGED[kernel]
    return lambda t, p: [
        always(act_of(kernel, row.values(pair(getattr(t, row.kept_as))), probability=p))
    ]


def _plain(kernel: str) -> Reader:
    return lambda t, p: [always(act_of(kernel, probability=p))]


READERS: dict[str, Reader] = {
    **{row.transform.removeprefix("A."): _ranged(kernel) for kernel, row in RANGED.items()},
    "NoOp": lambda t, p: [always(act_of("Identity"))],
    "Affine": _read_affine,
    "Rotate": lambda t, p: _moved(t, act_of("Rotate", pair(t.limit), probability=p)),
    "ShiftScaleRotate": _read_affine,
    "ColorJitter": _read_jitter,
    "ToGray": lambda t, p: [always(act_of("Color", (0.0, 0.0), probability=p))],
    "RandomBrightnessContrast": _read_contrast,
    "Sharpen": _read_sharpen,
    "GaussianBlur": _read_blur,
    "CoarseDropout": _read_dropout,
    "Posterize": _read_posterize,
    "AutoContrast": _plain("AutoContrast"),
    "Equalize": _plain("Equalize"),
    "InvertImg": _plain("Invert"),
    "HorizontalFlip": _plain("HorizontalFlip"),
    "VerticalFlip": _plain("VerticalFlip"),
    "Morphological": _read_morphology,
    "Erasing": lambda t, p: [erased(t, t.scale, p)],
    "RandomResizedCrop": lambda t, p: [resized_crop(t, t.scale, p)],
}
