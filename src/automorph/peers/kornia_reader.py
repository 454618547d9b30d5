"""What is read from modules of kornia."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.peers.kornia import NAME, SINGLE
from automorph.peers.readings import act_of, always, no_operation, one_of
from automorph.peers.terms import Draw, NotExpressibleError, takes_no_value, tidy


def read(transform: Any) -> tuple[list[Draw], list[str]]:
    """The draws of a module or container, and what was left out."""
    notes: list[str] = []
    return _read(transform, notes), notes


def _read(module: Any, notes: list[str]) -> list[Draw]:
    kind = type(module).__name__
    if kind in ("Normalize", "Resize", "CenterCrop"):
        notes.append(f"{kind} is no augmentation; keep it beside it")
        return []
    if kind == "Identity":
        return [always(act_of("Identity"))]
    if kind == "OneOf":
        return [one_of([_read(part, notes) for part in module.options], module.weights)]
    if kind in ("Sequential", "ImageSequential", "AugmentationSequential"):
        counted = getattr(module, "random_apply", False)
        if counted is False:
            return [draw for part in module for draw in _read(part, notes)]
        if counted != (1, 2):
            raise NotExpressibleError(f"got a {kind} with random_apply; expected 1 or none")
        notes.append("kornia drew once for a whole batch; the policy draws for each example")
        weights = module.random_apply_weights.tolist()
        return [one_of([_read(part, notes) for part in module], weights)]
    if kind not in _READERS:
        raise no_operation(NAME, kind)
    return _READERS[kind](module)


Reader = Callable[[Any], list[Draw]]


def _range(module: Any, name: str) -> Any:
    """The range a module draws a parameter from, as it was given."""
    for entry in module._param_generator.samplers if _has_samplers(module) else ():
        if entry[1] == name:
            return entry[0]
    return getattr(module._param_generator, name)


def _has_samplers(module: Any) -> bool:
    return hasattr(module._param_generator, "samplers")


def _pair(ends: Any) -> tuple[float, float]:
    import torch

    values = torch.as_tensor(ends, dtype=torch.float64).reshape(-1).tolist()
    low, high = (values[0], values[-1])
    return tidy(low), tidy(high)


def _mode(module: Any) -> str:
    return "bilinear" if module.flags["resample"].name == "BILINEAR" else "nearest"


def _read_affine(m: Any) -> list[Draw]:
    source = m._param_generator
    degrees = source.degrees if isinstance(source.degrees, (list, tuple)) else _symmetric(source)
    if source.translate is not None or source.shear is not None:
        raise NotExpressibleError(
            "got a RandomAffine that moves or shears; a policy says one at a time"
        )
    if source.scale is not None:
        if any(_pair(degrees)) or m.flags["padding_mode"].name != "BORDER":
            raise NotExpressibleError(
                'got a RandomAffine that scales; expected padding_mode="border"'
            )
        return [always(act_of("Zoom", _pair(source.scale), probability=m.p))]
    low, high = _pair(degrees)
    turn = act_of("Rotate", (-high + 0.0, -low + 0.0), probability=m.p)
    return [always(turn, interpolation=_mode(m))]


def _symmetric(source: Any) -> tuple[float, float]:
    value = float(source.degrees)
    return -value, value


def _read_rotation(m: Any) -> list[Draw]:
    degrees = _range(m, "degrees")
    ends = (-float(degrees), float(degrees)) if isinstance(degrees, (int, float)) else degrees
    low, high = _pair(ends)
    turn = act_of("Rotate", (-high + 0.0, -low + 0.0), probability=m.p)
    return [always(turn, interpolation=_mode(m))]


def _read_shear(m: Any) -> list[Draw]:
    given = [float(end) for end in m._param_generator.shear]
    x, y = given[:2], given[2:]
    if any(x) and any(y):
        raise NotExpressibleError("got a RandomShear along both sides; a policy says one at a time")
    kernel, ends = ("ShearY", y) if any(y) else ("ShearX", x)
    low, high = sorted(tidy(math.tan(math.radians(end))) for end in ends)
    return [always(act_of(kernel, (low, high), probability=m.p), interpolation=_mode(m))]


def _read_translate(m: Any) -> list[Draw]:
    source = m._param_generator
    x, y = (None if e is None else _pair(e) for e in (source.translate_x, source.translate_y))
    if x and y:
        if x != y or x[0] != -x[1]:
            raise NotExpressibleError(
                "got a RandomTranslate along both sides; expected the same ends"
            )
        act = act_of("PadCrop", (x[1], x[1]), probability=m.p)
    else:
        act = act_of("TranslateX" if x else "TranslateY", x or y or (0.0, 0.0), probability=m.p)
    return [always(act, interpolation=_mode(m))]


def _read_jitter(m: Any) -> list[Draw]:
    named = {"brightness": ("Brightness", 1.0), "contrast": ("Contrast", 1.0),
             "saturation": ("Color", 1.0), "hue": ("Hue", 0.0)}  # fmt: skip
    acts = []
    for name, (kernel, still) in named.items():
        given = getattr(m._param_generator, name)
        if not isinstance(given, (int, float)) and _pair(given) != (still, still):
            acts.append(act_of(kernel, _pair(given), probability=m.p))
        elif isinstance(given, (int, float)) and given:
            ends = (max(still - given, still - 1.0), still + given)
            acts.append(act_of(kernel, ends, probability=m.p))
    if len(acts) > 1 and m.p < 1:
        raise NotExpressibleError("got a ColorJitter of several factors with one coin for all")
    return [always(act) for act in acts]


def _read_solarize(m: Any) -> list[Draw]:
    if any(_pair(_range(m, "additions"))):
        raise NotExpressibleError("got a RandomSolarize that adds first; expected additions=(0, 0)")
    low, high = (tidy(255 * end) for end in _pair(_range(m, "thresholds")))
    return [always(act_of("Solarize", (low, high), probability=m.p))]


def _read_erasing(m: Any) -> list[Draw]:
    source = m._param_generator
    scale, ratio = _pair(source.scale), _pair(source.ratio)
    if ratio == (1.0, 1.0) and source.value > 0:
        ends = tuple(tidy(math.sqrt(end)) for end in scale)
        return [always(act_of("Cutout", (ends[0], ends[1]), probability=m.p))]
    return [always(act_of("RandomErasing", (scale[1], scale[1]), probability=m.p))]


def _named(kernel: str, name: str) -> Reader:
    def read(m: Any) -> list[Draw]:
        return [always(act_of(kernel, _pair(_range(m, name)), probability=m.p))]

    return read


def _plain(kernel: str) -> Reader:
    assert takes_no_value(act_of(kernel).operation)
    return lambda m: [always(act_of(kernel, probability=m.p))]


_READERS: dict[str, Reader] = {
    **{name.removeprefix("K."): _plain(kernel) for kernel, name in SINGLE.items()},
    "RandomAffine": _read_affine,
    "RandomRotation": _read_rotation,
    "RandomShear": _read_shear,
    "RandomTranslate": _read_translate,
    "ColorJitter": _read_jitter,
    "RandomSharpness": _named("Sharpness", "sharpness"),
    "RandomPosterize": _named("Posterize", "bits_factor"),
    "RandomSolarize": _read_solarize,
    "RandomErasing": _read_erasing,
    "RandomGaussianBlur": _named("Blur", "sigma"),
    "RandomGaussianNoise": lambda m: [
        always(act_of("Noise", (float(m._param_generator.std),) * 2, probability=m.p))
    ],
    "RandomResizedCrop": lambda m: [
        always(act_of("ResizedCrop", (_pair(m._param_generator.scale)[0],) * 2, probability=m.p))
    ],
}
