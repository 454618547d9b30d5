"""The reader of albumentations pipelines."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from itertools import combinations
from typing import Any

from automorph.interop.albumentations import NAME, RANGED
from automorph.interop.albumentations_holes import read_dropout, read_erasing
from automorph.interop.albumentations_moves import (
    moved,
    read_affine,
    read_elastic,
    read_grid,
    read_optical,
)
from automorph.interop.ir import Draw, NotExpressibleError, tidy
from automorph.interop.nearest import no_operation
from automorph.interop.reader_base import Notes, act_of, always, one_of, perhaps
from automorph.interop.reader_refusals import pair, refuse, refused
from automorph.interop.reader_steps import resized_crop, window

VERSION = "2.0.8"
SKIPPED = (
    "ToTensorV2", "ToTensor3D", "Normalize", "Resize", "LongestMaxSize", "SmallestMaxSize",
    "CenterCrop", "Crop", "Pad", "PadIfNeeded", "ToFloat", "FromFloat", "ToRGB", "Lambda",
)  # fmt: skip
"""Steps that are left out because they are not augmentations."""

USUAL: dict[str, dict[str, Any]] = {
    "Affine": {"fit_output": False, "balanced_scale": False},
    "Rotate": {"crop_border": False},
    "Sharpen": {"method": "kernel", "lightness": (1, 1)},
    "GaussNoise": {"mean_range": (0, 0), "per_channel": True, "noise_scale_factor": 1},
    # The default method differs from PIL's by more than 40 levels.
    "AutoContrast": {"method": "pil", "cutoff": 0, "ignore": None},
    "Equalize": {"by_channels": True, "mask": None},
    "ToGray": {"method": "weighted_average", "num_output_channels": 3},
    "RandomBrightnessContrast": {"ensure_safe_range": False},
}
"""Parameters that a policy cannot express, and the only values that are accepted."""


def read(transform: Any, notes: Notes, p: float | None = None) -> list[Draw]:
    """Return the draws of a transform or pipeline; add what was left out to ``notes``.

    ``p`` replaces its own probability (a weight in ``OneOf``).
    """
    kind = type(transform).__name__
    check_version(notes)
    p = float(transform.p) if p is None else p
    notes.level = 255.0
    if kind in SKIPPED:
        notes.skipped.append(kind)
        _follow(transform, kind, notes)
        return []
    if kind in ("Compose", "Sequential", "ReplayCompose"):
        draws = [draw for part in transform.transforms for draw in read(part, notes)]
        return draws if p >= 1 or not draws else [perhaps(draws, p)]
    if kind == "OneOf":
        inside = [read(part, notes, 1.0) for part in transform.transforms]
        return [one_of(inside, [float(part.p) for part in transform.transforms], p)]
    if kind == "OneOrOther":
        inside = [read(part, notes, 1.0) for part in transform.transforms]
        return [one_of(inside, [p, 1 - p])]
    if kind in ("SomeOf", "RandomOrder"):
        return [_some_of(transform, kind, notes, p)]
    if kind not in READERS:
        raise no_operation(NAME, kind)
    refuse(transform, **USUAL.get(kind, {}))
    draws = READERS[kind](transform, p, notes)
    if kind == "ColorJitter":
        notes.in_order(draws)
    return draws


def check_version(notes: Notes) -> None:
    """Refuse AlbumentationsX, and versions whose parameters mean something else."""
    version = str(getattr(sys.modules.get("albumentations"), "__version__", VERSION))
    if version == VERSION:
        return
    if version.startswith("2.0."):
        notes.others.append(f"read as albumentations {VERSION} draws; yours is {version}")
        return
    raise NotExpressibleError(
        f"got a transform of albumentations {version}; expected {VERSION}. AlbumentationsX (2.1 "
        "and later, under the same import name) draws otherwise: ElasticTransform is another "
        "algorithm, GaussNoise is grey and brightness is relative to the mean by default, and "
        "*_limit are *_range. Install albumentations==2.0.8 to import the pipeline, or start from "
        "the policy 'randaugment(n=2,m=9)'"
    )


def _follow(transform: Any, kind: str, notes: Notes) -> None:
    """Keep what later steps of the pipeline depend on: sizes, and what numbers mean."""
    if kind == "Normalize" and transform.normalization == "standard":
        notes.normal = tuple(transform.mean), tuple(transform.std)
    elif kind in ("Resize", "CenterCrop"):
        notes.resized = (transform.height, transform.width)
    elif kind == "SmallestMaxSize" and isinstance(transform.max_size, int):
        notes.resized = transform.max_size


def _some_of(transform: Any, kind: str, notes: Notes, p: float) -> Draw:
    """Read a choice of several, without replacement, as a choice among their combinations."""
    refuse(transform, replace=False)
    inside = [read(part, notes) for part in transform.transforms]
    count = min(int(transform.n), len(inside))
    if kind == "RandomOrder":
        notes.others.append("RandomOrder: its transforms are applied in the order given")
    chosen = [[draw for part in some for draw in part] for some in combinations(inside, count)]
    return one_of(chosen, [1.0] * len(chosen), p)


Reader = Callable[[Any, float, Notes], list[Draw]]


def _read_jitter(t: Any, p: float, notes: Notes) -> list[Draw]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color"}
    found = [(kernel, pair(getattr(t, name))) for name, kernel in named.items()]
    found = [(kernel, ends) for kernel, ends in found if ends != (1.0, 1.0)]
    found += [("Hue", pair(t.hue))] if any(t.hue) else []
    draws = [always(act_of(kernel, ends)) for kernel, ends in found]
    return draws if p >= 1 else [perhaps(draws, p)]


def _read_contrast(t: Any, p: float, notes: Notes) -> list[Draw]:
    low, high = pair(t.contrast_limit)
    if not any(t.brightness_limit):
        # Without brightness, it multiplies all levels, which is our Brightness.
        return [always(act_of("Brightness", (tidy(1 + low), tidy(1 + high)), probability=p))]
    settings = {"brightness": pair(t.brightness_limit), "contrast": (low, high),
                "by": "max" if t.brightness_by_max else "mean"}  # fmt: skip
    return [always(act_of("BrightnessContrast", probability=p, settings=settings))]


def _read_hsv(t: Any, p: float, notes: Notes) -> list[Draw]:
    low, high = pair(t.hue_shift_limit)
    settings = {"hue": (low / 180, high / 180), "saturation": pair(t.sat_shift_limit),
                "value": pair(t.val_shift_limit), "rule": "add"}  # fmt: skip
    return [always(act_of("HueSaturationValue", probability=p, settings=settings))]


def _read_shift(t: Any, p: float, notes: Notes) -> list[Draw]:
    settings = {name: pair(getattr(t, f"{name[0]}_shift_limit"))
                for name in ("red", "green", "blue")}  # fmt: skip
    return [always(act_of("RGBShift", probability=p, settings=settings))]


def _read_clahe(t: Any, p: float, notes: Notes) -> list[Draw]:
    tiles = tuple(map(int, t.tile_grid_size))
    settings = {"clip": pair(t.clip_limit), "tiles": tiles[::-1]}
    if len(set(tiles)) > 1:
        raise refused(t, "tile_grid_size", tiles, "the same number along both sides")
    notes.others.append("CLAHE rounds the lightness otherwise, by one level at most")
    return [always(act_of("CLAHE", probability=p, settings=settings))]


def _sides(kernel: str) -> Reader:
    def read(t: Any, p: float, notes: Notes) -> list[Draw]:
        settings: dict[str, Any] = {"side": pair(t.blur_limit)}
        if kernel == "MotionBlur":
            settings |= {"angle": pair(t.angle_range), "direction": pair(t.direction_range),
                         "shifted": int(t.allow_shifted)}  # fmt: skip
        return [always(act_of(kernel, probability=p, settings=settings))]

    return read


def _read_crop(t: Any, p: float, notes: Notes) -> list[Draw]:
    if t.pad_if_needed:
        notes.others.append("RandomCrop does not pad images that are smaller than the crop")
    return [window(notes, t.height, t.width, p)]


def _read_part(t: Any, p: float, notes: Notes) -> list[Draw]:
    mode = {0: "nearest", 1: "bilinear", 2: "bicubic", 3: "area", 4: "lanczos"}
    found = mode.get(t.interpolation, "another rule")
    return [resized_crop(notes, t.scale, t.ratio, t.size, found, p)]


def _read_sharpen(t: Any, p: float, notes: Notes) -> list[Draw]:
    ends = tuple(tidy(13 * end + 1) for end in t.alpha)
    return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]


def _read_blur(t: Any, p: float, notes: Notes) -> list[Draw]:
    sides, sigmas = pair(t.blur_limit), pair(t.sigma_limit)
    if sides == (3.0, 3.0) and sigmas[0] == sigmas[1]:
        ends = sorted(tidy(_factor(end)) for end in sigmas)
        return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]
    if not any(sides) or min(sides) >= math.ceil(4 * sigmas[1]) + 1:
        return [always(act_of("Blur", sigmas, probability=p))]
    # The library draws a whole number, and makes even ones odd.
    settings = {"sigma": sigmas, "side": (int(sides[0]), int(sides[1]))}
    return [always(act_of("GaussianBlur", probability=p, settings=settings))]


def _factor(sigma: float) -> float:
    """Return the sharpness factor of a narrow Gaussian: the inverse of ``_sigma``."""
    beside = math.exp(-1 / (2 * sigma * sigma))
    middle = (1 / (1 + 2 * beside)) ** 2
    return (middle - 5 / 13) / (1 - 5 / 13)


def _read_morphology(t: Any, p: float, notes: Notes) -> list[Draw]:
    side, other = t.scale
    if side != other or side % 2 == 0:
        raise refused(t, "scale", t.scale, "two equal odd numbers, as in (3, 3)")
    return [always(act_of(t.operation.capitalize(), ((side - 1) / 2,) * 2, probability=p))]


def _read_posterize(t: Any, p: float, notes: Notes) -> list[Draw]:
    if isinstance(t.num_bits, list):
        raise refused(t, "num_bits", t.num_bits, "one range for all channels")
    return [always(act_of("Posterize", pair(t.num_bits), probability=p))]


def _ranged(kernel: str) -> Reader:
    row = RANGED[kernel]
    return lambda t, p, notes: [
        always(act_of(kernel, row.values(pair(getattr(t, row.kept_as))), probability=p))
    ]


def _plain(kernel: str) -> Reader:
    return lambda t, p, notes: [always(act_of(kernel, probability=p))]


READERS: dict[str, Reader] = {
    **{row.transform.removeprefix("A."): _ranged(kernel) for kernel, row in RANGED.items()},
    "NoOp": lambda t, p, notes: [always(act_of("Identity"))],
    "Affine": read_affine,
    "Rotate": lambda t, p, notes: moved(t, notes, act_of("Rotate", pair(t.limit), probability=p)),
    "ShiftScaleRotate": read_affine,
    "ColorJitter": _read_jitter,
    "ToGray": lambda t, p, notes: [always(act_of("Color", (0.0, 0.0), probability=p))],
    "RandomBrightnessContrast": _read_contrast,
    "Sharpen": _read_sharpen,
    "GaussianBlur": _read_blur,
    "CoarseDropout": read_dropout,
    "Posterize": _read_posterize,
    "AutoContrast": _plain("AutoContrast"),
    "Equalize": _plain("Equalize"),
    "InvertImg": _plain("Invert"),
    "HorizontalFlip": _plain("HorizontalFlip"),
    "VerticalFlip": _plain("VerticalFlip"),
    "Morphological": _read_morphology,
    "Erasing": read_erasing,
    "RandomResizedCrop": _read_part,
    "RandomCrop": _read_crop,
    "HueSaturationValue": _read_hsv,
    "RGBShift": _read_shift,
    "ChannelShuffle": _plain("ChannelShuffle"),
    "CLAHE": _read_clahe,
    "Blur": _sides("BoxBlur"),
    "MedianBlur": _sides("MedianBlur"),
    "MotionBlur": _sides("MotionBlur"),
    "GridDistortion": read_grid,
    "OpticalDistortion": read_optical,
    "ElasticTransform": read_elastic,
    "Transpose": _plain("Transpose"),
    "RandomRotate90": _plain("RandomRotate90"),
    "D4": _plain("D4"),
    "SquareSymmetry": _plain("D4"),
}
