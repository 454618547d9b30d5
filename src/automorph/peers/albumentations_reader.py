"""What is read from pipelines of albumentations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from automorph.peers.readings import act_of, always
from automorph.peers.terms import (
    MOVED,
    Act,
    Draw,
    NotExpressibleError,
)

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
        if any(act.kernel in MOVED for option in draw.options for act in option):
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
