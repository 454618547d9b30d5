"""What is read from modules of kornia."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.peers.kornia import SINGLE
from automorph.peers.readings import act_of, always
from automorph.peers.terms import (
    MOVED,
    Act,
    Draw,
    NotExpressibleError,
    does_nothing,
    takes_no_value,
)
from automorph.policies.base import Interpolation


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
        return _one_of(list(module.options), module.weights, notes)
    if kind in ("Sequential", "ImageSequential", "AugmentationSequential"):
        counted = getattr(module, "random_apply", False)
        if counted is False:
            return [draw for part in module for draw in _read(part, notes)]
        if counted != (1, 2):
            raise NotExpressibleError(f"got a {kind} with random_apply; expected 1 or none")
        notes.append("kornia drew once for a whole batch; the policy draws for each example")
        return _one_of(list(module), module.random_apply_weights.tolist(), notes)
    if kind not in _READERS:
        raise NotExpressibleError(
            f"got kornia's {kind}, which no operation of the catalogue is; leave it out, or use it "
            "in a space: automorph.peer_operation"
        )
    return _READERS[kind](module)


def _one_of(parts: list[Any], weights: list[float], notes: list[str]) -> list[Draw]:
    inside = [_read(part, notes) for part in parts]
    if any(len(draw.options) > 1 for draws in inside for draw in draws):
        raise NotExpressibleError(
            "got a choice inside a choice; a policy can say one choice after the other"
        )
    options = [tuple(act for draw in draws for act in draw.options[0]) for draws in inside]
    mode: Interpolation = next(
        (d.interpolation for ds in inside for d in ds if d.options[0][0].kernel in MOVED),
        "nearest",
    )
    total = sum(weights)
    shares = [weight / total for weight in weights]
    merged = _sides(options, shares)
    if merged is not None:
        return [always(merged, interpolation=mode)]
    return [Draw(tuple(options), tuple(shares), 0, mode)]


def _sides(options: list[tuple[Act, ...]], shares: list[float]) -> Act | None:
    """One act, if the options are two sides of one operation, and perhaps nothing."""
    acts = [option[0] for option in options if len(option) == 1]
    valued = [act for act in acts if act.stretches]
    if len(valued) != 2 or valued[0].kernel != valued[1].kernel or len(options) > 3:
        return None
    rest = [act for act in acts if act not in valued]
    if len(acts) < len(options) or any(not does_nothing(act) for act in rest):
        return None
    if any(len(act.stretches) > 1 for act in valued):
        return None  # Each has two sides already.
    sides = [share for share, act in zip(shares, acts, strict=True) if act in valued]
    if abs(sides[0] - sides[1]) > 1e-6 or any(act.probability < 1 for act in valued):
        return None
    both = tuple(sorted((*valued[0].stretches, *valued[1].stretches)))
    return Act(valued[0].operation, both, round(sum(sides), 9) if rest else 1.0)


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
    return _tidy(low), _tidy(high)


def _tidy(value: float) -> float:
    return float(f"{value:.6g}")


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
    low, high = sorted(_tidy(math.tan(math.radians(end))) for end in ends)
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
    low, high = (_tidy(255 * end) for end in _pair(_range(m, "thresholds")))
    return [always(act_of("Solarize", (low, high), probability=m.p))]


def _read_erasing(m: Any) -> list[Draw]:
    source = m._param_generator
    scale, ratio = _pair(source.scale), _pair(source.ratio)
    if ratio == (1.0, 1.0) and source.value > 0:
        ends = tuple(_tidy(math.sqrt(end)) for end in scale)
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
