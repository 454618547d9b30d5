"""Policies as modules of kornia, and back: batches of floats in [0, 1], on any device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from automorph.peers.code import Call
from automorph.peers.fidelity import CENTRED, EQUAL, NEAREST, SIZED, Fidelity, alike, none
from automorph.peers.readings import act_of, always
from automorph.peers.terms import (
    Act,
    Draw,
    NotExpressibleError,
    NoWordsError,
    does_nothing,
    takes_no_value,
    without_levels,
)
from automorph.policies.base import Interpolation

NAME = "kornia"
TITLE = "kornia"
PARTS = "automorph.peers.kornia_parts"
IMPORTS = "from torch import nn\n\nimport kornia.augmentation as K"
USE = "augment(images) takes floats in [0, 1], (n, C, H, W), on any device."

_FLOATS = "floats, not whole levels"

FIDELITY: dict[str, Fidelity] = {
    "Identity": EQUAL,
    "ShearX": alike(CENTRED),
    "ShearY": alike(CENTRED),
    "TranslateX": alike("moves by parts of a pixel, too"),
    "TranslateY": alike("moves by parts of a pixel, too"),
    "Rotate": Fidelity("equal", note=NEAREST),
    "AutoContrast": Fidelity("close", 1, _FLOATS),
    "Equalize": EQUAL,
    "Invert": EQUAL,
    "Solarize": Fidelity("close", 0.5, "thresholds end at 255: white is always inverted"),
    "Posterize": EQUAL,
    "Contrast": Fidelity("close", 1, _FLOATS),
    "Color": Fidelity("close", 1, _FLOATS),
    "Brightness": Fidelity("close", 1, _FLOATS),
    "Sharpness": Fidelity("close", 1, _FLOATS),
    "HorizontalFlip": EQUAL,
    "VerticalFlip": EQUAL,
    "PadCrop": alike("moves by parts of a pixel, too"),
    "ResizedCrop": alike(f"other neighbours; {SIZED}"),
    "Hue": Fidelity("close", 1, "a continuous circle instead of 256 hues"),
    "Zoom": Fidelity("close", 0.5, _FLOATS),
    "Cutout": alike("the square lies inside the image; its area is a share of the area"),
    "RandomErasing": alike("the rectangle is black"),
    "Blur": Fidelity("close", 0.5, _FLOATS),
    "Noise": alike("noise of its own"),
    "SolarizeAdd": none("kornia adds to all levels before it inverts"),
    "SamplePairing": none("it needs the batch"),
    "Swirl": none("kornia has no swirl"),
    "Elastic": none("kornia's field is another one"),
    "Erosion": none("kornia has it as a function, not as an augmentation"),
    "Dilation": none("kornia has it as a function, not as an augmentation"),
}


def names() -> dict[str, Any]:
    """What the names in an export stand for."""
    import kornia.augmentation
    from torch import nn

    return {"K": kornia.augmentation, "nn": nn, **vars(import_module(PARTS))}


def write(
    draws: Sequence[Draw], *, size: tuple[int, int] | None = None
) -> tuple[list[Call], list[str]]:
    """The draws as modules, one after the other, and what is not the same."""
    smooth, notes = without_levels(draws)
    black = all(draw.fill == 0 for draw in smooth)
    steps = []
    for draw in smooth:
        if len(draw.options) == 1:
            steps += [_act(act, draw, size) for act in draw.options[0]]
            continue
        options = [together([_act(act, draw, size) for act in option]) for option in draw.options]
        weights = {} if draw.even else {"weights": [round(weight, 9) for weight in draw.weights]}
        steps.append(Call("OneOf", tuple(options), weights))
    return steps, [*notes, *([] if black else ["moved images are filled with black"])]


def together(steps: list[Call]) -> Call:
    """Modules one after the other as one."""
    if len(steps) == 1:
        return steps[0]
    return Call("nn.Sequential", tuple(steps)) if steps else Call("nn.Identity")


def _act(act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if does_nothing(act):
        return Call("nn.Identity")
    p = {"p": act.probability}
    if act.kernel in _SINGLE:
        return Call(_SINGLE[act.kernel], (), p)
    if act.kernel not in _WRITERS:
        raise NoWordsError(act.kernel)
    calls = [_WRITERS[act.kernel](low, high, act, draw, size) for low, high in act.stretches]
    calls = [Call(call.name, (), {**call.options, "p": 1.0}) for call in calls]
    if len(calls) == 1:
        return Call(calls[0].name, (), {**calls[0].options, **p})
    if act.probability >= 1:
        return Call("OneOf", tuple(calls))
    rest = 1 - act.probability
    weights = [act.probability / len(calls)] * len(calls) + [rest]
    weights = [round(weight, 9) for weight in weights]
    return Call("OneOf", (*calls, Call("nn.Identity")), {"weights": weights})


_SINGLE = {
    "AutoContrast": "K.RandomAutoContrast",
    "Equalize": "K.RandomEqualize",
    "Invert": "K.RandomInvert",
    "HorizontalFlip": "K.RandomHorizontalFlip",
    "VerticalFlip": "K.RandomVerticalFlip",
}
Writer = Callable[[float, float, Act, Draw, tuple[int, int] | None], Call]


def _resample(draw: Draw) -> dict[str, Any]:
    return {"resample": draw.interpolation}


def _rotate(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    # kornia turns clockwise.
    return Call("K.RandomAffine", (), {"degrees": (0.0 - high, 0.0 - low), **_resample(draw)})


def _shear_x(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    ends = (*_degrees(low, high), 0.0, 0.0)
    return Call("K.RandomShear", (), {"shear": ends, **_resample(draw)})


def _shear_y(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    ends = (0.0, 0.0, *_degrees(low, high))
    return Call("K.RandomShear", (), {"shear": ends, **_resample(draw)})


def _degrees(low: float, high: float) -> tuple[float, float]:
    first, last = (round(math.degrees(math.atan(end)), 6) for end in (low, high))
    return first, last


def _translated(axis: str) -> Writer:
    def write(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
        if act.operation.unit == "px":
            if size is None:
                raise NoWordsError(f"{act.kernel} in pixels without their size (size=)")
            side = size[1 if axis == "x" else 0]
            low, high = low / side, high / side
        return Call("K.RandomTranslate", (), {f"translate_{axis}": (low, high), **_resample(draw)})

    return write


def _pad_crop(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if low != high:
        raise NoWordsError("PadCrop with a range of paddings")
    ends = (-high, high)
    moves = {"translate_x": ends, "translate_y": ends}
    return Call("K.RandomTranslate", (), {**moves, **_resample(draw)})


def _jitter(name: str) -> Writer:
    def write(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
        return Call("K.ColorJitter", (), {name: (low, high)})

    return write


def _sharpness(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("K.RandomSharpness", (), {"sharpness": (low, high)})


def _posterize(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("K.RandomPosterize", (), {"bits": (float(round(low)), float(round(high)))})


def _solarize(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    ends = tuple(min(round(end / 255, 9), 1.0) for end in (low, high))
    return Call("K.RandomSolarize", (), {"thresholds": ends, "additions": (0.0, 0.0)})


def _blur(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    side = 2 * math.ceil(3 * high) + 1
    return Call("K.RandomGaussianBlur", (), {"kernel_size": (side, side), "sigma": (low, high)})


def _noise(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if low != high:
        raise NoWordsError("Noise with a range of deviations")
    return Call("K.RandomGaussianNoise", (), {"std": high})


def _zoom(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    options = {"degrees": 0.0, "scale": (low, high), "padding_mode": "border"}
    return Call("K.RandomAffine", (), options)


def _cutout(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if act.operation.unit == "px":
        if size is None:
            raise NoWordsError("Cutout in pixels without the size of the images (size=)")
        low, high = low / min(size), high / min(size)
    areas = (round(low * low, 9), round(high * high, 9))
    options = {"scale": areas, "ratio": (1.0, 1.0), "value": round(128 / 255, 9)}
    return Call("K.RandomErasing", (), options)


def _erasing(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("K.RandomErasing", (), {"scale": (0.0, high), "ratio": (0.3, 3.3)})


def _part(low: float, high: float, act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if size is None or low != high:
        raise NoWordsError("ResizedCrop without the size of the images (size=)")
    return Call("K.RandomResizedCrop", (), {"size": tuple(size), "scale": (low, 1.0)})


_WRITERS: dict[str, Writer] = {
    "ShearX": _shear_x, "ShearY": _shear_y, "TranslateX": _translated("x"),
    "TranslateY": _translated("y"), "Rotate": _rotate, "PadCrop": _pad_crop,
    "Brightness": _jitter("brightness"), "Contrast": _jitter("contrast"),
    "Color": _jitter("saturation"), "Hue": _jitter("hue"), "Sharpness": _sharpness,
    "Posterize": _posterize, "Solarize": _solarize, "Blur": _blur, "Noise": _noise, "Zoom": _zoom,
    "Cutout": _cutout, "RandomErasing": _erasing, "ResizedCrop": _part,
}  # fmt: skip


# --- reading ------------------------------------------------------------------------------------


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
        (d.interpolation for ds in inside for d in ds if d.options[0][0].kernel in _MOVED),
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


_MOVED = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "PadCrop")
_READERS: dict[str, Reader] = {
    **{name.removeprefix("K."): _plain(kernel) for kernel, name in _SINGLE.items()},
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
