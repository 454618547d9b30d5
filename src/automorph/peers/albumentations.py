"""Policies as pipelines of albumentations (MIT-licensed, 2.0.8), and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from automorph.peers.code import Call, Name
from automorph.peers.fidelity import CENTRED, EQUAL, NEAREST, SIZED, Fidelity, alike, none
from automorph.peers.readings import act_of, always
from automorph.peers.terms import (
    Act,
    Draw,
    NotExpressibleError,
    NoWordsError,
    Stretch,
    does_nothing,
    without_levels,
)

NAME = "albumentations"
TITLE = "albumentations 2.0.8"
IMPORTS = "import albumentations as A\nimport cv2"
USE = 'augment(image=image)["image"] takes uint8 arrays (H, W, C).'

_ROUNDED = "rounded where PIL cuts"

FIDELITY: dict[str, Fidelity] = {
    "Identity": EQUAL,
    "ShearX": alike(CENTRED),
    "ShearY": alike(CENTRED),
    "TranslateX": EQUAL,
    "TranslateY": EQUAL,
    "Rotate": Fidelity("equal", note=NEAREST),
    "AutoContrast": Fidelity("close", 1, _ROUNDED),
    "Equalize": alike("OpenCV's rule; its PIL mode is not PIL's either"),
    "Invert": EQUAL,
    "Solarize": Fidelity("equal", note="thresholds end at 255: white is always inverted"),
    "Posterize": EQUAL,
    "Contrast": Fidelity("close", 0.5, _ROUNDED),
    "Color": Fidelity("close", 1, _ROUNDED),
    "Brightness": EQUAL,
    "Sharpness": Fidelity("close", 2, "the rim too; below factor 1 a narrow Gaussian"),
    "HorizontalFlip": EQUAL,
    "VerticalFlip": EQUAL,
    "PadCrop": Fidelity("equal", note="places are drawn by the library, those at the rim less"),
    "ResizedCrop": alike(f"other neighbours; {SIZED}"),
    "Hue": Fidelity("close", 1, "180 hues instead of 256"),
    "Zoom": Fidelity("close", 0.5, "OpenCV's fixed point"),
    "Cutout": alike("the square lies inside the image; its sides are shares of the sides"),
    "RandomErasing": alike("places and noise are drawn by the library"),
    "Blur": Fidelity("close", 0.5, _ROUNDED),
    "Noise": alike("noise of its own"),
    "Erosion": alike("an ellipse instead of a diamond; the same at 1 px"),
    "Dilation": alike("an ellipse instead of a diamond; the same at 1 px"),
    "SolarizeAdd": none("albumentations adds to no part of the levels"),
    "SamplePairing": none("it needs the batch"),
    "Swirl": none("albumentations has no swirl"),
    "Elastic": none("albumentations' field is another one"),
}


def names() -> dict[str, Any]:
    """What the names in an export stand for."""
    import os

    # Nobody who translates a policy asked for a look at a package index.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations
    import cv2

    return {"A": albumentations, "cv2": cv2}


def write(
    draws: Sequence[Draw], *, size: tuple[int, int] | None = None
) -> tuple[list[Call], list[str]]:
    """The draws as transforms, one after the other, and what is not the same."""
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
    return steps, list(notes)


def together(steps: list[Call]) -> Call:
    """Transforms one after the other as one pipeline."""
    return Call("A.Compose", (steps or [Call("A.NoOp", (), {"p": 1.0})],))


def _option(steps: list[Call], weight: float) -> Call:
    """One of the options of ``OneOf``, which takes their probabilities as weights."""
    # Weights of 0 are refused.
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
    if act.kernel not in _WRITERS:
        raise NoWordsError(act.kernel)
    stretches = _split(act)
    calls = [_WRITERS[act.kernel](low, high, act, draw, size) for low, high in stretches]
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
    """Sharpness is another transform on the other side of its identity."""
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
        # PIL's smoothing kernel is 1/13 of (1 1 1, 1 5 1, 1 1 1): the same map, written as theirs.
        alpha = (round((low - 1) / 13, 9), round((high - 1) / 13, 9))
        return Call("A.Sharpen", (), {"alpha": alpha, "lightness": (1.0, 1.0)})
    sigmas = tuple(round(_sigma(end), 6) for end in (high, low))
    return Call("A.GaussianBlur", (), {"blur_limit": (3, 3), "sigma_limit": sigmas})


def _sigma(factor: float) -> float:
    """The Gaussian over 3 x 3 pixels whose middle weighs what PIL's blend leaves to the pixel."""
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


def _solarize(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    ends = tuple(min(end / 255, 1.0) for end in (low, high))
    return Call("A.Solarize", (), {"threshold_range": ends})


def _blur(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("A.GaussianBlur", (), {"blur_limit": 0, "sigma_limit": (low, high)})


def _noise(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    return Call("A.GaussNoise", (), {"std_range": (low, high)})


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
         "fill": 128},
    )  # fmt: skip


def _erasing(low: float, high: float, act: Act, draw: Draw, size: Any) -> Call:
    options = {"scale": (0.0, high), "ratio": (0.3, 3.3), "fill": "random"}
    return Call("A.Erasing", (), options)


def _part(low: float, high: float, act: Act, draw: Draw, size: tuple[int, int] | None) -> Call:
    if size is None or low != high:
        raise NoWordsError("ResizedCrop without the size of the images (size=)")
    return Call("A.RandomResizedCrop", (), {"size": tuple(size), "scale": (low, 1.0)})


_WRITERS: dict[str, Writer] = {
    "ShearX": _sheared("x"), "ShearY": _sheared("y"), "TranslateX": _translated("x"),
    "TranslateY": _translated("y"), "Rotate": _rotate, "PadCrop": _pad_crop,
    "Brightness": _jitter("brightness"), "Contrast": _jitter("contrast"),
    "Color": _jitter("saturation"), "Hue": _jitter("hue"), "Sharpness": _sharpness,
    "Posterize": _posterize, "Solarize": _solarize, "Blur": _blur, "Noise": _noise,
    "Erosion": _morphology("erosion"), "Dilation": _morphology("dilation"), "Zoom": _zoom,
    "Cutout": _cutout, "RandomErasing": _erasing, "ResizedCrop": _part,
}  # fmt: skip


# --- reading ------------------------------------------------------------------------------------

_SKIPPED = (
    "ToTensorV2", "Normalize", "Resize", "LongestMaxSize", "SmallestMaxSize", "CenterCrop",
    "PadIfNeeded", "ToFloat",
)  # fmt: skip


def read(transform: Any) -> tuple[list[Draw], list[str]]:
    """The draws of a transform or pipeline, and what was left out."""
    notes: list[str] = []
    return _read(transform, notes), notes


def _read(transform: Any, notes: list[str], p: float | None = None) -> list[Draw]:
    """The draws of a transform; ``p`` stands for its own probability (a weight in ``OneOf``)."""
    kind = type(transform).__name__
    p = float(transform.p) if p is None else p
    if kind in _SKIPPED:
        notes.append(f"{kind} is no augmentation; keep it beside it")
        return []
    if kind in ("Compose", "Sequential"):
        draws = [draw for part in transform.transforms for draw in _read(part, notes)]
        if p >= 1:
            return draws
        acts = _acts(draws)
        return [Draw((acts, ()), (p, 1 - p), *_style(draws))]
    if kind == "OneOf":
        return _one_of(transform, notes, p)
    if kind not in _READERS:
        raise NotExpressibleError(
            f"got albumentations' {kind}, which no operation of the catalogue is; leave it out, or "
            "use it in a space: automorph.peer_operation"
        )
    return _READERS[kind](transform, p)


def _acts(draws: list[Draw]) -> tuple[Act, ...]:
    if any(len(draw.options) > 1 for draw in draws):
        raise NotExpressibleError(
            "got a choice inside a choice; a policy can say one choice after the other"
        )
    return tuple(act for draw in draws for act in draw.options[0])


def _style(draws: list[Draw]) -> tuple[Any, Any]:
    """Fill and interpolation of those that move the image."""
    for draw in draws:
        if any(act.kernel in _MOVED for option in draw.options for act in option):
            return draw.fill, draw.interpolation
    return 0, "nearest"


def _one_of(transform: Any, notes: list[str], p: float) -> list[Draw]:
    inside = [_read(part, notes, 1.0) for part in transform.transforms]
    options = [_acts(draws) for draws in inside]
    weights = [float(part.p) for part in transform.transforms]
    shares = [weight / sum(weights) for weight in weights]
    style = _style([draw for draws in inside for draw in draws])
    merged = _sides(options, shares, p)
    if merged is not None:
        return [Draw(((merged,),), (1.0,), *style)]
    if p < 1:
        options, shares = [*options, ()], [*(p * share for share in shares), 1 - p]
    return [Draw(tuple(options), tuple(shares), *style)]


def _sides(options: list[tuple[Act, ...]], shares: list[float], p: float) -> Act | None:
    """One act of two stretches, if the options are the two sides of one operation."""
    if len(options) != 2 or any(len(option) != 1 for option in options):
        return None
    (first,), (last,) = options
    same = first.kernel == last.kernel and first.probability == last.probability == 1
    if not same or len(first.stretches) != 1 or len(last.stretches) != 1:
        return None
    if abs(shares[0] - 0.5) > 1e-6:
        return None
    both = tuple(sorted((*first.stretches, *last.stretches)))
    if len(both) == 2 and first.kernel == "Sharpness" and both[0][1] == both[1][0]:
        both = ((both[0][0], both[1][1]),)
    return Act(first.operation, both, p)


Reader = Callable[[Any, float], list[Draw]]


def _moved(transform: Any, *acts: Act) -> list[Draw]:
    fill = transform.fill
    level = tuple(map(int, fill)) if isinstance(fill, (list, tuple)) else int(fill)
    if isinstance(level, tuple) and len(set(level)) == 1:
        level = level[0]
    if transform.interpolation not in (0, 1) or transform.border_mode not in (0, 1):
        raise NotExpressibleError(
            f"got {type(transform).__name__} with another interpolation or border; expected "
            "INTER_NEAREST or INTER_LINEAR with BORDER_CONSTANT"
        )
    mode = ("nearest", "bilinear")[transform.interpolation]
    return [always(*acts, fill=level, interpolation=mode)]


def _read_affine(t: Any, p: float) -> list[Draw]:
    acts = [act_of("Rotate", _pair(t.rotate), probability=p)] if any(t.rotate) else []
    if t.border_mode == 1 and t.scale["x"] == t.scale["y"] and not acts:
        zoomed = act_of("Zoom", _pair(t.scale["x"]), probability=p)
        return [always(zoomed)]
    for axis in "xy":
        if any(t.shear[axis]):
            low, high = (math.tan(math.radians(end)) for end in t.shear[axis])
            acts.append(act_of(f"Shear{axis.upper()}", (_tidy(low), _tidy(high)), probability=p))
    moves, unit = (t.translate_percent, None) if t.translate_percent else (t.translate_px, "px")
    ends = {axis: _pair(moves[axis]) for axis in "xy"} if moves else {}
    if ends and unit is None and ends["x"] == ends["y"] and ends["x"][0] == -ends["x"][1] != 0:
        acts.append(act_of("PadCrop", (ends["x"][1],) * 2, probability=p))
    else:
        acts += [
            act_of(f"Translate{axis.upper()}", pair, probability=p, unit=unit)
            for axis, pair in ends.items()
            if any(pair)
        ]
    scaled = any(end != 1 for axis in "xy" for end in t.scale[axis])
    if scaled or len(acts) > 1:
        raise NotExpressibleError(
            "got an Affine that does several things at once; a policy can say one after the other"
        )
    return _moved(t, *acts)


def _read_jitter(t: Any, p: float) -> list[Draw]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color"}
    found = [(kernel, _pair(getattr(t, name))) for name, kernel in named.items()]
    found = [(kernel, pair) for kernel, pair in found if pair != (1.0, 1.0)]
    found += [("Hue", _pair(t.hue))] if any(t.hue) else []
    acts = [act_of(kernel, pair) for kernel, pair in found]
    if p >= 1 or len(acts) == 1:
        return [always(Act(act.operation, act.stretches, p)) for act in acts]
    return [Draw((tuple(acts), ()), (p, 1 - p))]


def _read_sharpen(t: Any, p: float) -> list[Draw]:
    if t.method != "kernel" or _pair(t.lightness) != (1.0, 1.0):
        raise NotExpressibleError("got a Sharpen of another kernel; expected lightness=(1, 1)")
    ends = tuple(_tidy(13 * end + 1) for end in t.alpha)
    return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]


def _read_blur(t: Any, p: float) -> list[Draw]:
    if _pair(t.blur_limit) == (3.0, 3.0):
        ends = sorted(_tidy(_factor(end)) for end in t.sigma_limit)
        return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]
    return [always(act_of("Blur", _pair(t.sigma_limit), probability=p))]


def _factor(sigma: float) -> float:
    """The sharpness factor of a narrow Gaussian: the inverse of ``_sigma``."""
    beside = math.exp(-1 / (2 * sigma * sigma))
    middle = (1 / (1 + 2 * beside)) ** 2
    return (middle - 5 / 13) / (1 - 5 / 13)


def _read_dropout(t: Any, p: float) -> list[Draw]:
    side, other = t.hole_height_range, t.hole_width_range
    if tuple(side) != tuple(other) or t.fill != 128 or tuple(t.num_holes_range) != (1, 1):
        raise NotExpressibleError("got a CoarseDropout that is no grey square; see Cutout")
    unit = "px" if isinstance(side[0], int) else None
    return [always(act_of("Cutout", _pair(side), probability=p, unit=unit))]


def _named(kernel: str, attribute: str, scale: float = 1.0) -> Reader:
    def read(t: Any, p: float) -> list[Draw]:
        low, high = (_tidy(scale * end) for end in _pair(getattr(t, attribute)))
        return [always(act_of(kernel, (low, high), probability=p))]

    return read


def _plain(kernel: str) -> Reader:
    return lambda t, p: [always(act_of(kernel, probability=p))]


_MOVED = ("ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "PadCrop")
_READERS: dict[str, Reader] = {
    "NoOp": lambda t, p: [always(act_of("Identity"))],
    "Affine": _read_affine,
    "Rotate": lambda t, p: _moved(t, act_of("Rotate", _pair(t.limit), probability=p)),
    "ColorJitter": _read_jitter,
    "Sharpen": _read_sharpen,
    "GaussianBlur": _read_blur,
    "CoarseDropout": _read_dropout,
    "Posterize": _named("Posterize", "num_bits"),
    "Solarize": _named("Solarize", "threshold_range", 255.0),
    "GaussNoise": _named("Noise", "std_range"),
    "AutoContrast": _plain("AutoContrast"),
    "Equalize": _plain("Equalize"),
    "InvertImg": _plain("Invert"),
    "HorizontalFlip": _plain("HorizontalFlip"),
    "VerticalFlip": _plain("VerticalFlip"),
    "Morphological": lambda t, p: [
        always(act_of(t.operation.capitalize(), ((t.scale[0] - 1) / 2,) * 2, probability=p))
    ],
    "Erasing": lambda t, p: [
        always(act_of("RandomErasing", (float(t.scale[1]),) * 2, probability=p))
    ],
    "RandomResizedCrop": lambda t, p: [
        always(act_of("ResizedCrop", (float(t.scale[0]),) * 2, probability=p))
    ],
}


def _pair(ends: Any) -> tuple[float, float]:
    low, high = (float(end) for end in ends)
    return low, high


def _tidy(value: float) -> float:
    return float(f"{value:.6g}")
