"""What is read from pipelines of albumentations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.peers.albumentations import NAME
from automorph.peers.readings import act_of, always, no_operation, one_of, pair, perhaps
from automorph.peers.terms import Act, Draw, NotExpressibleError, tidy

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
        return draws if p >= 1 else [perhaps(draws, p)]
    if kind == "OneOf":
        inside = [_read(part, notes, 1.0) for part in transform.transforms]
        return [one_of(inside, [float(part.p) for part in transform.transforms], p)]
    if kind not in _READERS:
        raise no_operation(NAME, kind)
    return _READERS[kind](transform, p)


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
    acts = [act_of("Rotate", pair(t.rotate), probability=p)] if any(t.rotate) else []
    if t.border_mode == 1 and t.scale["x"] == t.scale["y"] and not acts:
        zoomed = act_of("Zoom", pair(t.scale["x"]), probability=p)
        return [always(zoomed)]
    for axis in "xy":
        if any(t.shear[axis]):
            low, high = (math.tan(math.radians(end)) for end in t.shear[axis])
            acts.append(act_of(f"Shear{axis.upper()}", (tidy(low), tidy(high)), probability=p))
    moves, unit = (t.translate_percent, None) if t.translate_percent else (t.translate_px, "px")
    ends = {axis: pair(moves[axis]) for axis in "xy"} if moves else {}
    if ends and unit is None and ends["x"] == ends["y"] and ends["x"][0] == -ends["x"][1] != 0:
        acts.append(act_of("PadCrop", (ends["x"][1],) * 2, probability=p))
    else:
        acts += [
            act_of(f"Translate{axis.upper()}", span, probability=p, unit=unit)
            for axis, span in ends.items()
            if any(span)
        ]
    scaled = any(end != 1 for axis in "xy" for end in t.scale[axis])
    if scaled or len(acts) > 1:
        raise NotExpressibleError(
            "got an Affine that does several things at once; a policy can say one after the other"
        )
    return _moved(t, *acts)


def _read_jitter(t: Any, p: float) -> list[Draw]:
    named = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "Color"}
    found = [(kernel, pair(getattr(t, name))) for name, kernel in named.items()]
    found = [(kernel, ends) for kernel, ends in found if ends != (1.0, 1.0)]
    found += [("Hue", pair(t.hue))] if any(t.hue) else []
    draws = [always(act_of(kernel, ends)) for kernel, ends in found]
    return draws if p >= 1 else [perhaps(draws, p)]


def _read_sharpen(t: Any, p: float) -> list[Draw]:
    if t.method != "kernel" or pair(t.lightness) != (1.0, 1.0):
        raise NotExpressibleError("got a Sharpen of another kernel; expected lightness=(1, 1)")
    ends = tuple(tidy(13 * end + 1) for end in t.alpha)
    return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]


def _read_blur(t: Any, p: float) -> list[Draw]:
    if pair(t.blur_limit) == (3.0, 3.0):
        ends = sorted(tidy(_factor(end)) for end in t.sigma_limit)
        return [always(act_of("Sharpness", (ends[0], ends[1]), probability=p))]
    return [always(act_of("Blur", pair(t.sigma_limit), probability=p))]


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
    return [always(act_of("Cutout", pair(side), probability=p, unit=unit))]


def _named(kernel: str, attribute: str, scale: float = 1.0) -> Reader:
    def read(t: Any, p: float) -> list[Draw]:
        low, high = (tidy(scale * end) for end in pair(getattr(t, attribute)))
        return [always(act_of(kernel, (low, high), probability=p))]

    return read


def _plain(kernel: str) -> Reader:
    return lambda t, p: [always(act_of(kernel, probability=p))]


_READERS: dict[str, Reader] = {
    "NoOp": lambda t, p: [always(act_of("Identity"))],
    "Affine": _read_affine,
    "Rotate": lambda t, p: _moved(t, act_of("Rotate", pair(t.limit), probability=p)),
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
