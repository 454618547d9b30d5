"""Policies as modules of kornia: batches of floats in [0, 1], on any device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from automorph.interop.call_ast import Call
from automorph.interop.fidelity import (
    CENTRED,
    EQUAL,
    NEAREST,
    SIZED,
    Fidelity,
    alike,
    missing,
    none,
)
from automorph.interop.ir import (
    Act,
    Draw,
    NoSizeError,
    NoWordsError,
    colour_of,
    does_nothing,
    without_levels,
)
from automorph.interop.ranged import Ranged

NAME = "kornia"
TITLE = "kornia"
PARTS = "automorph.interop.kornia_runtime"
IMPORTS = "from torch import nn\n\nimport kornia.augmentation as K"
USE = """\
augment(images) takes floats in [0, 1], (n, C, H, W), on any device.

Its draws follow torch's generator: torch.manual_seed repeats them."""

_FLOATS = "floats, not whole levels"

RANGED = {
    "Gamma": Ranged(
        Fidelity("close", 1, f"{_FLOATS}; ranges are uniform in gamma, not in its logarithm"),
        "K.RandomGamma",
        "gamma",
        "gamma_factor",
        write=lambda octaves: 2.0**octaves,
        read=math.log2,
    ),
    "Sharpness": Ranged(Fidelity("close", 1, _FLOATS), "K.RandomSharpness", "sharpness"),
}
FIDELITY: dict[str, Fidelity] = {
    **missing(TITLE),
    **{name: row.fidelity for name, row in RANGED.items()},
    "Identity": EQUAL,
    "ShearX": alike(CENTRED),
    "ShearY": alike(CENTRED),
    "TranslateX": alike("also moves by fractions of a pixel"),
    "TranslateY": alike("also moves by fractions of a pixel"),
    "Rotate": Fidelity("equal", note=NEAREST),
    "AutoContrast": Fidelity("close", 1, _FLOATS),
    "Equalize": EQUAL,
    "Invert": EQUAL,
    "Solarize": Fidelity("close", 0.5, "thresholds end at 255: white is always inverted"),
    "Posterize": EQUAL,
    "Contrast": Fidelity("close", 1, _FLOATS),
    "Color": Fidelity("close", 1, _FLOATS),
    "Brightness": Fidelity("close", 1, _FLOATS),
    "HorizontalFlip": EQUAL,
    "VerticalFlip": EQUAL,
    "PadCrop": alike("also moves by fractions of a pixel"),
    "ResizedCrop": alike(f"samples different neighbours; {SIZED}"),
    "Hue": Fidelity("close", 1, "a continuous circle instead of 256 hues"),
    "Zoom": Fidelity("close", 0.5, _FLOATS),
    "Cutout": alike("the square lies inside the image; its area is a fraction of the image's area"),
    "RandomErasing": alike("the rectangle is black"),
    "Blur": Fidelity("close", 0.5, _FLOATS),
    "Noise": alike("its own random noise"),
    "SolarizeAdd": none("kornia adds to all levels before inverting"),
    "SamplePairing": none("it needs the batch"),
    "Swirl": none("kornia has no swirl"),
    "Elastic": none("kornia uses a different displacement field"),
    "Erosion": none("kornia provides it as a function, not as an augmentation"),
    "Dilation": none("kornia provides it as a function, not as an augmentation"),
}


def names() -> dict[str, Any]:
    """Return the modules behind the names in an export."""
    import kornia.augmentation
    from torch import nn

    return {"K": kornia.augmentation, "nn": nn, **vars(import_module(PARTS))}


def write(
    draws: Sequence[Draw], *, size: tuple[int, int] | None = None
) -> tuple[list[Call], list[str]]:
    """Return the draws as modules, in order, and notes on the differences."""
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
    """Return modules in order as one."""
    if len(steps) == 1:
        return steps[0]
    return Call("nn.Sequential", tuple(steps)) if steps else Call("nn.Identity")


def _act(act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if does_nothing(act):
        return Call("nn.Identity")
    p = {"p": act.probability}
    if act.kernel in SINGLE:
        return Call(SINGLE[act.kernel], (), p)
    if act.kernel in RANGED:
        return _one_of(RANGED[act.kernel].calls(act.stretches), act)
    if act.kernel not in _WRITERS:
        raise NoWordsError(act.kernel)
    calls = [_WRITERS[act.kernel](low, high, act, draw, size) for low, high in act.stretches]
    return _one_of(calls, act)


def _one_of(calls: list[Call], act: Act) -> Call:
    """One call for each stretch of values, all equally likely, with the act's probability."""
    p = {"p": act.probability}
    calls = [Call(call.name, (), {**call.options, "p": 1.0}) for call in calls]
    if len(calls) == 1:
        return Call(calls[0].name, (), {**calls[0].options, **p})
    if act.probability >= 1:
        return Call("OneOf", tuple(calls))
    rest = 1 - act.probability
    weights = [act.probability / len(calls)] * len(calls) + [rest]
    weights = [round(weight, 9) for weight in weights]
    return Call("OneOf", (*calls, Call("nn.Identity")), {"weights": weights})


SINGLE = {
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
    # kornia rotates clockwise.
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
                raise NoSizeError(f"{act.kernel} in pixels")
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
        raise NoWordsError("Noise with a range of standard deviations")
    return Call("K.RandomGaussianNoise", (), {"std": high})


def _zoom(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    options = {"degrees": 0.0, "scale": (low, high), "padding_mode": "border"}
    return Call("K.RandomAffine", (), options)


def _cutout(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if act.operation.unit == "px":
        if size is None:
            raise NoSizeError("Cutout in pixels")
        low, high = low / min(size), high / min(size)
    level = colour_of(act.operation)
    if isinstance(level, tuple):
        raise NoWordsError("Cutout in a colour (kornia paints in one level)")
    areas = (round(low * low, 9), round(high * high, 9))
    options = {"scale": areas, "ratio": (1.0, 1.0), "value": round(level / 255, 9)}
    return Call("K.RandomErasing", (), options)


def _erasing(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("K.RandomErasing", (), {"scale": (0.0, high), "ratio": (0.3, 3.3)})


def _part(low: float, high: float, act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if low != high:
        raise NoWordsError("ResizedCrop with a range of areas")
    if size is None:
        raise NoSizeError("ResizedCrop")
    return Call("K.RandomResizedCrop", (), {"size": tuple(size), "scale": (low, 1.0)})


_WRITERS: dict[str, Writer] = {
    "ShearX": _shear_x, "ShearY": _shear_y, "TranslateX": _translated("x"),
    "TranslateY": _translated("y"), "Rotate": _rotate, "PadCrop": _pad_crop,
    "Brightness": _jitter("brightness"), "Contrast": _jitter("contrast"),
    "Color": _jitter("saturation"), "Hue": _jitter("hue"),
    "Posterize": _posterize, "Solarize": _solarize, "Blur": _blur, "Noise": _noise, "Zoom": _zoom,
    "Cutout": _cutout, "RandomErasing": _erasing, "ResizedCrop": _part,
}  # fmt: skip
