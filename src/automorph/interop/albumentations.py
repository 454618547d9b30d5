"""Policies as pipelines of albumentations (MIT-licensed, 2.0.8)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from automorph.interop.albumentations_arguments import spelled_out
from automorph.interop.albumentations_runtime import check_version
from automorph.interop.call_ast import Call, Name
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
    Stretch,
    colour_of,
    does_nothing,
    without_levels,
)
from automorph.interop.ranged import Ranged

NAME = "albumentations"
VERSION = "2.0.8"
TITLE = f"albumentations {VERSION}"
PARTS = "automorph.interop.albumentations_runtime"
IMPORTS = "import albumentations as A\nimport cv2"
FIRST = Call("check_version", (Name("A"), VERSION))
USE = """\
augment(image=image)["image"] takes uint8 arrays (H, W, C).

Its draws follow generators of its own. This repeats them:

augment.set_random_state(numpy.random.default_rng(seed), random.Random(seed))

Not augment.set_random_seed(seed): after it, all transforms of a pipeline of albumentations 2.0.8
draw the same numbers, so that two flips happen together or not at all.

The generators are copied to the workers of a DataLoader, so albumentations 2.0.8 repeats its draws
in every worker and epoch. Seed every worker: DataLoader(data, .., worker_init_fn=seed_worker), if
augment is data.transform:

def seed_worker(worker):
    info = torch.utils.data.get_worker_info()
    draws = numpy.random.default_rng(info.seed), random.Random(info.seed)
    info.dataset.transform.set_random_state(*draws)

torch.manual_seed then repeats the draws for the same number of workers."""

_ROUNDED = "rounds where PIL truncates"

RANGED = {
    "Gamma": Ranged(
        Fidelity("close", 1, "ranges are uniform in gamma, not in its logarithm"),
        "A.RandomGamma", "gamma_limit",
        write=lambda octaves: 100 * 2.0**octaves, read=lambda gamma: math.log2(gamma / 100),
    ),
    "Noise": Ranged(alike("its own random noise"), "A.GaussNoise", "std_range"),
    "Solarize": Ranged(
        Fidelity("equal", note="thresholds end at 255: white is always inverted"),
        "A.Solarize", "threshold_range",
        write=lambda level: min(level / 255, 1.0), read=lambda share: 255 * share,
    ),
}  # fmt: skip
FIDELITY: dict[str, Fidelity] = {
    **missing(TITLE),
    **{name: row.fidelity for name, row in RANGED.items()},
    "Identity": EQUAL,
    "ShearX": alike(CENTRED),
    "ShearY": alike(CENTRED),
    "TranslateX": EQUAL,
    "TranslateY": EQUAL,
    "Rotate": Fidelity("equal", note=NEAREST),
    "AutoContrast": Fidelity("close", 1, _ROUNDED),
    "Equalize": alike("OpenCV's algorithm; its PIL mode differs from PIL, too"),
    "Invert": EQUAL,
    "Posterize": EQUAL,
    "Contrast": Fidelity("close", 0.5, _ROUNDED),
    "Color": Fidelity("close", 1, _ROUNDED),
    "Brightness": EQUAL,
    "Sharpness": Fidelity(
        "close", 2, "changes border pixels, too; a narrow Gaussian below factor 1"
    ),
    "HorizontalFlip": EQUAL,
    "VerticalFlip": EQUAL,
    "PadCrop": Fidelity(
        "equal", note="positions are drawn by the library, less often at the border"
    ),
    "ResizedCrop": alike(f"samples different neighbours; {SIZED}"),
    "Hue": Fidelity("close", 1, "180 hues instead of 256"),
    "Zoom": Fidelity("close", 0.5, "OpenCV's fixed-point arithmetic"),
    "Cutout": alike(
        "the square lies inside the image; its sides are fractions of the image's sides"
    ),
    "RandomErasing": alike("positions and noise are drawn by the library"),
    "Blur": Fidelity("close", 0.5, _ROUNDED),
    "Erosion": alike("an ellipse instead of a diamond; identical at 1 px"),
    "Dilation": alike("an ellipse instead of a diamond; identical at 1 px"),
    "SolarizeAdd": none("albumentations cannot add to only some of the levels"),
    "SamplePairing": none("it needs the batch"),
    "Swirl": none("albumentations has no swirl"),
    "Elastic": none("albumentations uses a different displacement field"),
}


def names() -> dict[str, Any]:
    """Return the modules behind the names in an export."""
    import os

    # Users who convert a policy did not ask to contact a package index.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations
    import cv2

    check_version(albumentations, VERSION)
    return {"A": albumentations, "cv2": cv2}


def write(
    draws: Sequence[Draw], *, size: tuple[int, int] | None = None
) -> tuple[list[Call], list[str]]:
    """Return the draws as transforms, in order, and notes on the differences."""
    smooth, notes = without_levels(draws)
    steps = []
    for draw in smooth:
        if len(draw.options) == 1:
            steps += [_act(act, draw, size) for act in draw.options[0]]
            continue
        options = [
            _option([_act(act, draw, size) for act in option], weight)
            for option, weight in zip(draw.options, draw.weights, strict=True)
        ]
        steps.append(Call("A.OneOf", (options,), {"p": 1.0}))
    return spelled_out(steps), list(notes)


def together(steps: list[Call]) -> Call:
    """Return transforms in order as one pipeline."""
    return Call("A.Compose", (steps or [Call("A.NoOp", (), {"p": 1.0})],), {"p": 1.0})


def _option(steps: list[Call], weight: float) -> Call:
    """Return an option of ``OneOf``, which uses their probabilities as weights."""
    # albumentations refuses weights of 0.
    weight = max(round(weight, 9), 1e-9)
    if len(steps) == 1 and steps[0].options.get("p") == 1.0:
        return Call(steps[0].name, steps[0].arguments, {**steps[0].options, "p": weight})
    return Call("A.Sequential", (steps or [Call("A.NoOp", (), {"p": 1.0})],), {"p": weight})


def _act(act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if does_nothing(act):
        return Call("A.NoOp", (), {"p": 1.0})
    if act.kernel in _SINGLE:
        name, options = _SINGLE[act.kernel]
        return Call(name, (), {**options, "p": act.probability})
    stretches = _split(act)
    if act.kernel in RANGED:
        calls = RANGED[act.kernel].calls(stretches)
    elif act.kernel in _WRITERS:
        calls = [_WRITERS[act.kernel](low, high, act, draw, size) for low, high in stretches]
    else:
        raise NoWordsError(act.kernel)
    if len(calls) == 1:
        return Call(calls[0].name, (), {**calls[0].options, "p": act.probability})
    whole = sum(high - low for low, high in stretches)
    shares = [(high - low) / whole if whole else 1 / len(calls) for low, high in stretches]
    if len(act.stretches) > 1:
        shares = [1 / len(calls)] * len(calls)
    weighed = [Call(call.name, (), {**call.options, "p": round(share, 9)})
               for call, share in zip(calls, shares, strict=True)]  # fmt: skip
    return Call("A.OneOf", (weighed,), {"p": act.probability})


def _split(act: Act) -> tuple[Stretch, ...]:
    """Split sharpness at its identity: the other side is another transform."""
    if act.kernel == "Sharpness" and len(act.stretches) == 1:
        (low, high), middle = act.stretches[0], 1.0
        if low < middle < high:
            return ((low, middle), (middle, high))
    return act.stretches


_SINGLE: dict[str, tuple[str, dict[str, Any]]] = {
    "AutoContrast": ("A.AutoContrast", {"method": "pil"}),
    "Equalize": ("A.Equalize", {"mode": "cv"}),
    "Invert": ("A.InvertImg", {}),
    "HorizontalFlip": ("A.HorizontalFlip", {}),
    "VerticalFlip": ("A.VerticalFlip", {}),
}
Writer = Callable[[float, float, Act, Draw, tuple[int, int] | None], Call]


def _affine(draw: Draw, **change: Any) -> Call:
    linear = draw.interpolation == "bilinear"
    mode = Name("cv2.INTER_LINEAR" if linear else "cv2.INTER_NEAREST")
    return Call("A.Affine", (), {**change, "interpolation": mode, "fill": draw.fill})


def _rotate(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return _affine(draw, rotate=(low, high))


def _sheared(axis: str) -> Writer:
    def write(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
        ends = tuple(round(math.degrees(math.atan(end)), 6) for end in (low, high))
        other = "y" if axis == "x" else "x"
        return _affine(draw, shear={axis: ends, other: (0.0, 0.0)})

    return write


def _translated(axis: str) -> Writer:
    def write(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
        other = "y" if axis == "x" else "x"
        if act.operation.unit == "px":
            return _affine(draw, translate_px={axis: (int(low), int(high)), other: (0, 0)})
        return _affine(draw, translate_percent={axis: (low, high), other: (0.0, 0.0)})

    return write


def _pad_crop(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if low != high:
        raise NoWordsError("PadCrop with a range of paddings")
    ends = (-high, high)
    return _affine(draw, translate_percent={"x": ends, "y": ends})


def _jitter(name: str) -> Writer:
    still = {"brightness": (1.0, 1.0), "contrast": (1.0, 1.0), "saturation": (1.0, 1.0),
             "hue": (0.0, 0.0)}  # fmt: skip

    def write(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
        return Call("A.ColorJitter", (), {**still, name: (low, high)})

    return write


def _sharpness(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if low >= 1:
        # PIL's smoothing kernel is 1/13 of (1 1 1, 1 5 1, 1 1 1): the same map in their terms.
        alpha = (round((low - 1) / 13, 9), round((high - 1) / 13, 9))
        return Call("A.Sharpen", (), {"alpha": alpha, "lightness": (1.0, 1.0)})
    sigmas = tuple(round(_sigma(end), 6) for end in (high, low))
    return Call("A.GaussianBlur", (), {"blur_limit": (3, 3), "sigma_limit": sigmas})


def _sigma(factor: float) -> float:
    """Return the sigma of a 3 x 3 Gaussian with the central weight of PIL's sharpness blend."""
    middle = math.sqrt(factor + (1 - factor) * 5 / 13)
    beside = (1 - middle) / 2
    if beside <= 1e-9:
        return 0.05
    return math.sqrt(-1 / (2 * math.log(beside / middle)))


def _posterize(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if high >= 8:
        if low >= 8:
            return Call("A.NoOp")
        high = 7
    return Call("A.Posterize", (), {"num_bits": (round(low), round(high))})


def _blur(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("A.GaussianBlur", (), {"blur_limit": 0, "sigma_limit": (low, high)})


def _morphology(name: str) -> Writer:
    def write(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
        if low != high:
            raise NoWordsError(f"{act.kernel} with a range of widths")
        side = 2 * round(high) + 1
        return Call("A.Morphological", (), {"scale": (side, side), "operation": name})

    return write


def _zoom(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call(
        "A.Affine", (),
        {"scale": (low, high), "keep_ratio": True, "interpolation": Name("cv2.INTER_LINEAR"),
         "border_mode": Name("cv2.BORDER_REPLICATE")},
    )  # fmt: skip


def _cutout(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    if act.operation.unit == "px":
        if low < 1 or low != high:
            raise NoWordsError("Cutout with a range of pixels")
        side: Any = (int(low), int(high))
    else:
        side = (low, high)
    return Call(
        "A.CoarseDropout", (),
        {"num_holes_range": (1, 1), "hole_height_range": side, "hole_width_range": side,
         "fill": colour_of(act.operation)},
    )  # fmt: skip


def _erasing(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    options = {"scale": (0.0, high), "ratio": (0.3, 3.3), "fill": "random"}
    return Call("A.Erasing", (), options)


def _part(low: float, high: float, act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if low != high:
        raise NoWordsError("ResizedCrop with a range of areas")
    if size is None:
        raise NoSizeError("ResizedCrop")
    return Call("A.RandomResizedCrop", (), {"size": tuple(size), "scale": (low, 1.0)})


_WRITERS: dict[str, Writer] = {
    "ShearX": _sheared("x"), "ShearY": _sheared("y"), "TranslateX": _translated("x"),
    "TranslateY": _translated("y"), "Rotate": _rotate, "PadCrop": _pad_crop,
    "Brightness": _jitter("brightness"), "Contrast": _jitter("contrast"),
    "Color": _jitter("saturation"), "Hue": _jitter("hue"), "Sharpness": _sharpness,
    "Posterize": _posterize, "Blur": _blur,
    "Erosion": _morphology("erosion"), "Dilation": _morphology("dilation"), "Zoom": _zoom,
    "Cutout": _cutout, "RandomErasing": _erasing, "ResizedCrop": _part,
}  # fmt: skip
