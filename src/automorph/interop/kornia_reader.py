"""The reader of kornia modules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.interop.ir import Draw, NotExpressibleError, takes_no_value, tidy
from automorph.interop.kornia import NAME, RANGED, SINGLE
from automorph.interop.kornia_moves import (
    drawn,
    ends_of,
    given,
    mode_of,
    read_affine,
    read_crop,
    read_part,
    read_shear,
    read_translate,
)
from automorph.interop.nearest import no_operation
from automorph.interop.reader_base import Notes, act_of, always, one_of, perhaps
from automorph.interop.reader_refusals import pair, refuse, refused
from automorph.interop.reader_steps import blurred, erased

Reader = Callable[[Any, Notes], list[Draw]]

SKIPPED = (
    "Normalize", "Denormalize", "Resize", "CenterCrop", "LongestMaxSize", "SmallestMaxSize",
    "PadTo", "ImageToTensor",
)  # fmt: skip
"""Modules that are left out because they are not augmentations."""

USUAL: dict[str, dict[str, Any]] = {
    "RandomInvert": {"max_val": 1},
    "RandomGamma": {"gain": (1.0, 1.0)},
    "RandomAffine": {"fill_value": None},
    "RandomShear": {"padding_mode": "zeros"},
    "RandomTranslate": {"padding_mode": "zeros"},
    "RandomGaussianBlur": {"border_type": "reflect"},
    "RandomGaussianNoise": {"mean": 0},
    "RandomGrayscale": {"rgb_weights": None},
    "RandomBoxBlur": {"border_type": "reflect", "normalized": True},
    "RandomPerspective": {"sampling_method": "basic"},
    "RandomClahe": {"slow_and_differentiable": False},
}
"""Parameters that a policy cannot express, and the only values that are accepted."""


def read(module: Any, notes: Notes) -> list[Draw]:
    """Return the draws of a module or container; add what was left out to ``notes``."""
    kind = type(module).__name__
    notes.level = 1.0
    if kind in SKIPPED:
        notes.skipped.append(kind)
        if kind == "Normalize":
            mean, deviation = (module.flags[name].flatten().tolist() for name in ("mean", "std"))
            notes.normal = (tuple(mean), tuple(deviation))
        return []
    if kind == "Identity":
        return [always(act_of("Identity"))]
    if kind == "OneOf":
        return [one_of([notes.inside([part]) for part in module.options], module.weights)]
    if kind in ("Sequential", "ImageSequential", "AugmentationSequential"):
        counted = getattr(module, "random_apply", False)
        if counted is False:
            return notes.inside(module)  # type: ignore[return-value]
        if counted != (1, 2):
            raise NotExpressibleError(f"got a {kind} with random_apply; expected 1, or none")
        notes.others.append("kornia draws once per batch; the policy draws for each example")
        weights = module.random_apply_weights.tolist()
        return [one_of([notes.inside([part]) for part in module], weights)]
    if kind not in READERS:
        raise no_operation(NAME, kind)
    if given(module, "same_on_batch"):
        notes.others.append(f"{kind} draws once per batch; the policy draws for each example")
    refuse(module, given, p_batch=1, **USUAL.get(kind, {}))
    draws = READERS[kind](module, notes)
    notes.exact |= {"PadCrop"} if kind == "RandomCrop" else set()
    if kind in ("ColorJitter", "ColorJiggle") and getattr(module, "_fixed_order", None) is None:
        notes.in_order(draws)
    return draws


def _read_jiggle(m: Any, notes: Notes) -> list[Draw]:
    """Read a ColorJiggle: it adds brightness, multiplies contrast, and saturates in HSV."""
    named = (("brightness", 1.0), ("contrast", 1.0), ("saturation", 1.0), ("hue", 0.0))
    order = m._fixed_order or (0, 1, 2, 3)
    draws = []
    for name, still in (named[number] for number in order):
        low, high = map(tidy, ends_of(m, name))
        if (low, high) == (still, still):
            continue
        if name == "brightness":
            draws.append(
                always(
                    act_of(
                        "BrightnessContrast",
                        settings={
                            "brightness": (tidy(low - 1), tidy(high - 1)),
                            "contrast": (0.0, 0.0),
                        },
                    )
                )
            )
        elif name == "saturation":
            draws.append(always(act_of("HueSaturationValue", settings={
                "hue": (0.0, 0.0), "saturation": (low, high), "value": (1.0, 1.0),
                "rule": "multiply"})))  # fmt: skip
        else:
            kernel = "Brightness" if name == "contrast" else "Hue"
            draws.append(always(act_of(kernel, (low, high))))
    return draws if m.p >= 1 else [perhaps(draws, float(m.p))]


def _read_jitter(m: Any, notes: Notes) -> list[Draw]:
    named = (("brightness", "Brightness", 1.0), ("contrast", "Contrast", 1.0),
             ("saturation", "Color", 1.0), ("hue", "Hue", 0.0))  # fmt: skip
    # Older versions have no order parameter.
    order = getattr(m, "_fixed_order", None)
    draws = []
    for name, kernel, still in named if order is None else [named[number] for number in order]:
        low, high = map(tidy, ends_of(m, name))
        draws += [always(act_of(kernel, (low, high)))] if (low, high) != (still, still) else []
    return draws if m.p >= 1 else [perhaps(draws, float(m.p))]


def _read_solarize(m: Any, notes: Notes) -> list[Draw]:
    if any(ends_of(m, "additions")):
        raise refused(m, "additions", ends_of(m, "additions"), (0, 0))
    low, high = ends_of(m, "thresholds")
    return [drawn(m, "Solarize", (255 * low, 255 * high))]


def _read_erasing(m: Any, notes: Notes) -> list[Draw]:
    low, high = map(tidy, ends_of(m, "scale"))
    ratio, value = pair(given(m, "ratio")), float(given(m, "value"))
    if ratio == (1, 1) and notes.normal is None and abs(value - 128 / 255) < 3e-3:
        return [drawn(m, "Cutout", (math.sqrt(low), math.sqrt(high)))]
    return [erased(notes, "kornia", (low, high), ratio, value, m.p)]


def _read_sides(kernel: str) -> Reader:
    def read(m: Any, notes: Notes) -> list[Draw]:
        side, other = m.flags["kernel_size"]
        if side != other or side % 2 == 0:
            raise refused(m, "kernel_size", (side, other), "two equal odd numbers")
        settings = {"side": (int(side), int(side))}
        return [always(act_of(kernel, probability=m.p, settings=settings))]

    return read


def _read_perspective(m: Any, notes: Notes) -> list[Draw]:
    settings = {"scale": float(m._param_generator.distortion_scale)}
    act = act_of("Perspective", probability=m.p, settings=settings)
    return [always(act, interpolation=mode_of(m, notes))]


def _read_clahe(m: Any, notes: Notes) -> list[Draw]:
    notes.others.append("CLAHE equalizes the lightness; kornia equalizes each channel")
    settings = {"clip": ends_of(m, "clip_limit_factor"), "tiles": tuple(m.flags["grid_size"])}
    return [always(act_of("CLAHE", probability=m.p, settings=settings))]


def _read_shift(m: Any, notes: Notes) -> list[Draw]:
    ends = {name: ends_of(m, f"{name[0]}_shift_limit") for name in ("red", "green", "blue")}
    settings = {name: (255 * low, 255 * high) for name, (low, high) in ends.items()}
    return [always(act_of("RGBShift", probability=m.p, settings=settings))]


def _read_quarters(m: Any, notes: Notes) -> list[Draw]:
    low, high = ends_of(m, "times")
    settings = {"turns": (math.ceil(low), math.floor(high))}
    return [always(act_of("RandomRotate90", probability=m.p, settings=settings))]


def _read_blur(m: Any, notes: Notes) -> list[Draw]:
    low, high = map(tidy, ends_of(m, "sigma"))
    return [blurred(m, "kernel_size", m.flags["kernel_size"], (low, high), m.p)]


def _named(kernel: str, name: str) -> Reader:
    return lambda m, notes: [drawn(m, kernel, ends_of(m, name))]


def _plain(kernel: str) -> Reader:
    assert takes_no_value(act_of(kernel).operation)
    return lambda m, notes: [always(act_of(kernel, probability=m.p))]


def _ranged(kernel: str) -> Reader:
    row = RANGED[kernel]
    return lambda m, notes: [drawn(m, kernel, row.values(ends_of(m, row.kept_as)))]


READERS: dict[str, Reader] = {
    **{row.transform.removeprefix("K."): _ranged(kernel) for kernel, row in RANGED.items()},
    **{name.removeprefix("K."): _plain(kernel) for kernel, name in SINGLE.items()},
    "RandomAffine": read_affine,
    "RandomRotation": lambda m, notes: [
        drawn(m, "Rotate", ends_of(m, "degrees"), mode_of(m, notes))
    ],
    "RandomCrop": read_crop,
    "RandomGrayscale": lambda m, notes: [always(act_of("Color", (0.0, 0.0), probability=m.p))],
    "RandomShear": read_shear,
    "RandomTranslate": read_translate,
    "ColorJitter": _read_jitter,
    "RandomPosterize": _named("Posterize", "bit"),
    "RandomSolarize": _read_solarize,
    "RandomErasing": _read_erasing,
    "RandomGaussianBlur": _read_blur,
    "RandomGaussianNoise": lambda m, notes: [drawn(m, "Noise", (float(given(m, "std")),) * 2)],
    "RandomResizedCrop": read_part,
    "ColorJiggle": _read_jiggle,
    "RandomBoxBlur": _read_sides("BoxBlur"),
    "RandomMedianBlur": _read_sides("MedianBlur"),
    "RandomPerspective": _read_perspective,
    "RandomClahe": _read_clahe,
    "RandomRGBShift": _read_shift,
    "RandomChannelShuffle": lambda m, notes: [always(act_of("ChannelShuffle", probability=m.p))],
    "RandomRotation90": _read_quarters,
}
