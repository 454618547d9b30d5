"""Readers of 2-D transforms of MONAI, TorchIO and Ultralytics, and the refusal of other classes.

Tested with monai 1.6.1, torchio 1.2.1 and ultralytics 8.4.190, which are not needed to import this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from automorph.interop import monai_reader
from automorph.interop.ir import tidy
from automorph.interop.monai_reader import Reader
from automorph.interop.nearest import NEAR, Near, no_operation
from automorph.interop.reader_base import Notes, Part, act_of, always, one_of, perhaps
from automorph.interop.reader_refusals import pair, refuse, refused
from automorph.interop.reader_steps import scaled, several_moves

SKIPPED = {
    "monai": (
        "LoadImage", "EnsureChannelFirst", "EnsureType", "ToTensor", "CastToType", "ScaleIntensity",
        "ScaleIntensityRange", "ScaleIntensityRangePercentiles", "NormalizeIntensity", "Resize",
        "Orientation", "Spacing", "CropForeground", "Lambda", "AsDiscrete", "SqueezeDim",
        "RepeatChannel", "SpatialPad", "CenterSpatialCrop", "Transpose", "ToNumpy",
        "ConvertToMultiChannelBasedOnBratsClasses", "SelectItems", "Activations",
    ),
    "torchio": (
        "RescaleIntensity", "ZNormalization", "ToCanonical", "Resample", "CropOrPad", "Resize",
        "Pad", "Crop", "OneHot", "Clamp", "HistogramStandardization", "Lambda", "To",
        "EnsureShapeMultiple",
    ),
    "ultralytics": ("LetterBox", "ClassifyLetterBox", "CenterCrop", "ToTensor", "Format"),
}  # fmt: skip
"""Transforms that are left out because they are not augmentations, by library."""


def read(transform: Any, notes: Notes) -> list[Part]:
    """Return the parts of a transform; add what was left out to ``notes``."""
    library = type(transform).__module__.partition(".")[0]
    kind = type(transform).__name__
    known = TABLES[library]
    if library == "monai" and kind.endswith("d") and kind[:-1] in {*known, *SKIPPED["monai"],
                                                                   *NEAR["monai"]}:  # fmt: skip
        kind = kind[:-1]
    if kind in SKIPPED[library]:
        notes.skipped.append(kind)
        notes.columns_first |= kind == "LoadImage"
        return []
    if kind == "Compose":
        return notes.inside(transform.transforms)
    p = float(getattr(transform, "prob", getattr(transform, "probability", 1.0)))
    if kind in ("OneOf", "RandomOrder", "SomeOf") and kind not in known:
        if kind != "OneOf":
            raise no_operation(library, kind, Near("it draws an order", "randaugment(n=2,m=9)"))
        return _one_of(transform, p, notes)
    if kind not in known:
        if p == 0:  # Ultralytics keeps steps that are turned off.
            return []
        raise no_operation(library, kind)
    return list(known[kind](_array(transform, kind), p, notes))


def _array(transform: Any, kind: str) -> Any:
    """Return MONAI's array transform inside a dictionary transform."""
    name = type(transform).__name__
    inner = [one for one in vars(transform).values() if type(one).__name__ == kind]
    return inner[0] if inner and name != kind else transform


def _one_of(t: Any, p: float, notes: Notes) -> list[Part]:
    if hasattr(t, "transforms_dict"):
        parts, weights = [*t.transforms_dict], [*t.transforms_dict.values()]
    else:
        parts, weights = [*t.transforms], [*t.weights]
    return [one_of([notes.inside([part]) for part in parts], [float(w) for w in weights], p)]


def _torchio_flip(t: Any, p: float, notes: Notes) -> list[Part]:
    # TorchIO's first axis goes from left to right.
    names = {0: "HorizontalFlip", 1: "VerticalFlip"}
    axes = [("Left", "Right", "Anterior", "Posterior").index(a) // 2 if a in
            ("Left", "Right", "Anterior", "Posterior") else a for a in t.axes]  # fmt: skip
    if any(axis not in names for axis in axes):
        raise refused(t, "axes", tuple(t.axes), "the axes 0 and 1 of images")
    flips = [act_of(names[axis], probability=float(t.flip_probability)) for axis in axes]
    return [perhaps([always(*flips)], p)]


def _torchio_affine(t: Any, p: float, notes: Notes) -> list[Part]:
    scales, degrees, moves = ([*map(float, v)] for v in (t.scales, t.degrees, t.translation))
    refuse(t, center="image")
    notes.others.append("RandomAffine: translations are pixels, and the outside is black")
    act = several_moves(
        p, "kornia", unit="px", same_scale=int(bool(t.isotropic)), rotate=pair(degrees[4:6]),
        scale_x=pair(scales[:2]), scale_y=pair(scales[2:4]),
        translate_x=pair(moves[:2]), translate_y=pair(moves[2:4]),
    )  # fmt: skip
    return [always(act, interpolation="bilinear")]


def _torchio_noise(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, mean_range=(0, 0))
    scaled("RandomNoise", notes)
    return [always(act_of("Noise", pair(t.std_range), probability=p))]


def _torchio_blur(t: Any, p: float, notes: Notes) -> list[Part]:
    notes.others.append("RandomBlur blurs by one deviation along both axes, in pixels")
    return [always(act_of("Blur", pair(t.std_ranges[:2]), probability=p))]


def _torchio_gamma(t: Any, p: float, notes: Notes) -> list[Part]:
    scaled("RandomGamma", notes)
    low, high = (tidy(end / math.log(2)) for end in t.log_gamma_range)
    return [always(act_of("Gamma", (low, high), probability=p))]


def _ultralytics_moves(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, perspective=0.0)
    scale = pair(t.scale) if isinstance(t.scale, (list, tuple)) else (1 - t.scale, 1 + t.scale)
    moves, shear = (-t.translate, t.translate), (-t.shear, t.shear)
    act = several_moves(1.0, "ultralytics", unit="share", rotate=(-t.degrees, t.degrees),
                  scale_x=scale, scale_y=scale, translate_x=moves, translate_y=moves,
                  shear_x=shear, shear_y=shear)  # fmt: skip
    return [always(act, fill=114, interpolation="bilinear")]


def _ultralytics_hsv(t: Any, p: float, notes: Notes) -> list[Part]:
    ends = {"hue": (-t.hgain, t.hgain), "saturation": (1 - t.sgain, 1 + t.sgain),
            "value": (1 - t.vgain, 1 + t.vgain), "rule": "multiply"}  # fmt: skip
    return [always(act_of("HueSaturationValue", settings=ends))]


def _ultralytics_flip(t: Any, p: float, notes: Notes) -> list[Part]:
    kernel = "HorizontalFlip" if t.direction == "horizontal" else "VerticalFlip"
    return [always(act_of(kernel, probability=float(t.p)))]


def _ultralytics_albumentations(t: Any, p: float, notes: Notes) -> list[Part]:
    inside = [] if t.transform is None else notes.inside([t.transform])
    return [perhaps(inside, float(t.p))] if inside else []


TABLES: dict[str, dict[str, Reader]] = {
    "monai": monai_reader.READERS,
    "torchio": {
        "RandomFlip": _torchio_flip,
        "RandomAffine": _torchio_affine,
        "RandomNoise": _torchio_noise,
        "RandomBlur": _torchio_blur,
        "RandomGamma": _torchio_gamma,
    },
    "ultralytics": {
        "RandomPerspective": _ultralytics_moves,
        "RandomHSV": _ultralytics_hsv,
        "RandomFlip": _ultralytics_flip,
        "Albumentations": _ultralytics_albumentations,
    },
}
"""The readers of transforms, by library and class."""
READERS: dict[str, Callable[[Any, Notes], Sequence[Part]]] = dict.fromkeys(TABLES, read)
