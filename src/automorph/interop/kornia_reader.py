"""The reader of kornia modules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.interop.ir import Draw, NotExpressibleError, takes_no_value, tidy
from automorph.interop.kornia import NAME, RANGED, SINGLE
from automorph.interop.reader_base import (
    Near,
    Notes,
    act_of,
    always,
    blurred,
    erased,
    no_operation,
    one_of,
    perhaps,
    refuse,
    refused,
    resized_crop,
)

Reader = Callable[[Any], list[Draw]]

SKIPPED = ("Normalize", "Resize", "CenterCrop")
"""Modules that are left out because they are not augmentations."""

_EACH = {"same_on_batch": False, "p_batch": 1}
USUAL: dict[str, dict[str, Any]] = {
    "RandomInvert": {"max_val": 1},
    "RandomGamma": {"gain": (1.0, 1.0)},
    "RandomAffine": {"translate": None, "shear": None, "fill_value": None},
    "RandomShear": {"padding_mode": "zeros"},
    "RandomTranslate": {"padding_mode": "zeros"},
    "RandomGaussianBlur": {"border_type": "reflect"},
    "RandomGaussianNoise": {"mean": 0},
    "RandomCrop": {"pad_if_needed": False, "padding_mode": "constant", "fill": 0},
    "RandomGrayscale": {"rgb_weights": None},
    "RandomResizedCrop": {"ratio": (3 / 4, 4 / 3), "resample": "bilinear"},
}
"""Parameters that a policy cannot express, and the only values that are accepted."""


_OWN = "kornia uses its own operations and ranges"
NEAR: dict[str, Near] = {
    "RandAugment": Near(f"{_OWN}, and repeats no operation", "randaugment(n=2,m=9)"),
    "TrivialAugment": Near(_OWN, "trivialaugment-wide"),
    "AutoAugment": Near(_OWN, "autoaugment:imagenet"),
}
"""Modules that are refused, with the policy that is closest."""


def read(module: Any, notes: Notes) -> list[Draw]:
    """Return the draws of a module or container; add what was left out to ``notes``."""
    kind = type(module).__name__
    if kind in SKIPPED:
        notes.skipped.append(kind)
        return []
    if kind == "Identity":
        return [always(act_of("Identity"))]
    if kind == "OneOf":
        return [one_of([read(part, notes) for part in module.options], module.weights)]
    if kind in ("Sequential", "ImageSequential", "AugmentationSequential"):
        counted = getattr(module, "random_apply", False)
        if counted is False:
            return [draw for part in module for draw in read(part, notes)]
        if counted != (1, 2):
            raise NotExpressibleError(f"got a {kind} with random_apply; expected 1, or none")
        notes.others.append("kornia draws once per batch; the policy draws for each example")
        weights = module.random_apply_weights.tolist()
        return [one_of([read(part, notes) for part in module], weights)]
    if kind not in READERS:
        raise no_operation(NAME, kind, NEAR.get(kind))
    refuse(module, _given, **_EACH, **USUAL.get(kind, {}))
    draws = READERS[kind](module)
    notes.exact |= {"PadCrop"} if kind == "RandomCrop" else set()
    if kind == "ColorJitter" and getattr(module, "_fixed_order", None) is None:
        notes.in_order(draws)
    return draws


def _given(module: Any, name: str) -> Any:
    """Return a parameter from any of the places where kornia stores it."""
    for source in (module.flags, vars(module), vars(module._param_generator or module)):
        if name in source:
            return source[name]
    if f"{name}_factor" in getattr(module._param_generator, "sampler_dict", {}):
        return _ends(module, f"{name}_factor")
    raise AttributeError(f"kornia's {type(module).__name__} has no {name}")


def _ends(module: Any, name: str) -> tuple[float, float]:
    """Return the ends of the range from which a parameter is drawn; a number is both ends."""
    source = module._param_generator
    sampler = getattr(source, "sampler_dict", {}).get(name)
    sampler = getattr(source, f"{name}_sampler") if sampler is None else sampler
    return (0.0, 0.0) if sampler is None else (float(sampler.low), float(sampler.high))


def _drawn(module: Any, kernel: str, ends: tuple[float, float], mode: str = "nearest") -> Draw:
    low, high = map(tidy, ends)
    return always(act_of(kernel, (low, high), probability=module.p), interpolation=mode)


def _mode(module: Any) -> str:
    mode: str = module.flags["resample"].name.lower()
    if mode not in ("nearest", "bilinear"):
        raise refused(module, "resample", mode, "nearest or bilinear")
    return mode


def _read_affine(m: Any) -> list[Draw]:
    low, high = _ends(m, "degree")
    if m._param_generator.scale is None:
        refuse(m, _given, padding_mode="zeros")
        # kornia's RandomAffine rotates clockwise, its RandomRotation does not.
        return [_drawn(m, "Rotate", (0.0 - high, 0.0 - low), _mode(m))]
    if m._param_generator.scale_4_sampler is not None:
        raise refused(m, "scale", m._param_generator.scale, "one range for both axes")
    if low or high:
        raise refused(m, "degrees", (low, high), "no rotation together with a scale")
    refuse(m, _given, padding_mode="border", resample="bilinear")
    return [_drawn(m, "Zoom", _ends(m, "scale_2"))]


def _read_crop(m: Any) -> list[Draw]:
    (height, width), padding = m.flags["size"], m.flags["padding"]
    sides = {padding} if isinstance(padding, int) else set(padding or ())
    if height != width or len(sides) != 1:
        raise refused(m, "padding", padding, "one number for all sides, and a square size")
    share = sides.pop() / height
    return [always(act_of("PadCrop", (share, share), probability=m.p))]


def _read_shear(m: Any) -> list[Draw]:
    x, y = (_ends(m, f"shear_{axis}") for axis in "xy")
    if any(x) and any(y):
        raise NotExpressibleError("got a RandomShear along both axes; expected a single axis")
    kernel, degrees = ("ShearY", y) if any(y) else ("ShearX", x)
    low, high = (math.tan(math.radians(end)) for end in degrees)
    return [_drawn(m, kernel, (low, high), _mode(m))]


def _read_translate(m: Any) -> list[Draw]:
    x, y = (_ends(m, f"translate_{axis}") for axis in "xy")
    if not (any(x) and any(y)):
        return [_drawn(m, "TranslateY" if any(y) else "TranslateX", y if any(y) else x, _mode(m))]
    if x != y or x[0] != -x[1]:
        raise NotExpressibleError(
            "got a RandomTranslate along both axes; expected equal, symmetric ranges"
        )
    return [_drawn(m, "PadCrop", (x[1], x[1]), _mode(m))]


def _read_jitter(m: Any) -> list[Draw]:
    named = (("brightness", "Brightness", 1.0), ("contrast", "Contrast", 1.0),
             ("saturation", "Color", 1.0), ("hue", "Hue", 0.0))  # fmt: skip
    # Older versions have no order parameter.
    order = getattr(m, "_fixed_order", None)
    draws = []
    for name, kernel, still in named if order is None else [named[number] for number in order]:
        low, high = map(tidy, _ends(m, name))
        draws += [always(act_of(kernel, (low, high)))] if (low, high) != (still, still) else []
    return draws if m.p >= 1 else [perhaps(draws, float(m.p))]


def _read_solarize(m: Any) -> list[Draw]:
    if any(_ends(m, "additions")):
        raise refused(m, "additions", _ends(m, "additions"), (0, 0))
    low, high = _ends(m, "thresholds")
    return [_drawn(m, "Solarize", (255 * low, 255 * high))]


def _read_erasing(m: Any) -> list[Draw]:
    low, high = map(tidy, _ends(m, "scale"))
    if _given(m, "ratio") == (1, 1):
        refuse(m, _given, value=128 / 255)
        return [_drawn(m, "Cutout", (math.sqrt(low), math.sqrt(high)))]
    refuse(m, _given, ratio=(0.3, 3.3), value=0)
    return [erased(m, (low, high), m.p)]


def _read_blur(m: Any) -> list[Draw]:
    low, high = map(tidy, _ends(m, "sigma"))
    return [blurred(m, "kernel_size", m.flags["kernel_size"], (low, high), m.p)]


def _named(kernel: str, name: str) -> Reader:
    return lambda m: [_drawn(m, kernel, _ends(m, name))]


def _plain(kernel: str) -> Reader:
    assert takes_no_value(act_of(kernel).operation)
    return lambda m: [always(act_of(kernel, probability=m.p))]


def _ranged(kernel: str) -> Reader:
    row = RANGED[kernel]
    return lambda m: [_drawn(m, kernel, row.values(_ends(m, row.kept_as)))]


READERS: dict[str, Reader] = {
    **{row.transform.removeprefix("K."): _ranged(kernel) for kernel, row in RANGED.items()},
    **{name.removeprefix("K."): _plain(kernel) for kernel, name in SINGLE.items()},
    "RandomAffine": _read_affine,
    "RandomRotation": lambda m: [_drawn(m, "Rotate", _ends(m, "degrees"), _mode(m))],
    "RandomCrop": _read_crop,
    "RandomGrayscale": lambda m: [always(act_of("Color", (0.0, 0.0), probability=m.p))],
    "RandomShear": _read_shear,
    "RandomTranslate": _read_translate,
    "ColorJitter": _read_jitter,
    "RandomPosterize": _named("Posterize", "bit"),
    "RandomSolarize": _read_solarize,
    "RandomErasing": _read_erasing,
    "RandomGaussianBlur": _read_blur,
    "RandomGaussianNoise": lambda m: [_drawn(m, "Noise", (float(_given(m, "std")),) * 2)],
    "RandomResizedCrop": lambda m: [
        resized_crop(m, tuple(map(float, m._param_generator.scale)), m.p)
    ],
}
