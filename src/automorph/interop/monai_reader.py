"""The readers of 2-D transforms of MONAI (tested with monai 1.6.1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from automorph.interop.ir import NotExpressibleError, tidy
from automorph.interop.reader_base import Notes, Part, act_of, always, one_of, perhaps
from automorph.interop.reader_refusals import pair, refuse, refused
from automorph.interop.reader_steps import scaled, several_moves, window
from automorph.policies import Fill

Reader = Callable[[Any, float, Notes], Sequence[Part]]

_EDGES: dict[str, Fill] = {"border": "edge", "edge": "edge", "zeros": 0, "constant": 0,
                           "reflection": "reflect", "reflect": "reflect"}  # fmt: skip


def _axes(axes: Iterable[int], kind: str, notes: Notes) -> list[str]:
    """Return the flips along some axes of an array (channels, rows, columns)."""
    found = []
    for axis in axes:
        if axis % 3 == 2:
            raise NotExpressibleError(
                f"got {kind} along the third axis; a policy works on images of two. Leave it out"
            )
        found.append("HorizontalFlip" if bool(axis) != notes.columns_first else "VerticalFlip")
    return found


def _flip(t: Any, p: float, notes: Notes) -> list[Part]:
    axis = t.flipper.spatial_axis
    if not notes.columns_first:
        notes.others.append("RandFlip: the first axis is read as rows (LoadImage makes it columns)")
    axes = (0, 1) if axis is None else axis if isinstance(axis, (list, tuple)) else (axis,)
    acts = [act_of(kernel) for kernel in _axes(axes, "RandFlip", notes)]
    return [perhaps([always(*acts)], p)]


def _either(t: Any, p: float, notes: Notes) -> list[Part]:
    flips = [[always(act_of(kernel))] for kernel in ("HorizontalFlip", "VerticalFlip")]
    return [one_of(flips, [1.0, 1.0], p)]


def _quarters(t: Any, p: float, notes: Notes) -> list[Part]:
    settings = {"turns": (1, int(t.max_k))}
    return [always(act_of("RandomRotate90", probability=p, settings=settings))]


def _edge(t: Any, notes: Notes) -> dict[str, Any]:
    """Return fill and interpolation; a dictionary transform has those of each key."""
    mode, padding = (
        str(getattr(value, "value", value))
        for value in (
            one[0] if isinstance(one, (list, tuple)) else one for one in (t.mode, t.padding_mode)
        )
    )
    if padding not in _EDGES:
        raise refused(t, "padding_mode", padding, f"one of {', '.join(_EDGES)}")
    if mode not in ("nearest", "bilinear"):
        notes.others.append(f"{type(t).__name__} interpolates bilinearly, not by {mode}")
    return {"fill": _EDGES[padding],
            "interpolation": "nearest" if mode == "nearest" else "bilinear"}  # fmt: skip


def _rotate(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, keep_size=True)
    low, high = (math.degrees(end) for end in t.range_x)
    # Along an array with rows first, a positive angle turns clockwise.
    ends = (low, high) if notes.columns_first else (0.0 - high, 0.0 - low)
    return [always(act_of("Rotate", ends, probability=p), **_edge(t, notes))]


def _zoom(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, keep_size=True)
    if len(set(t.min_zoom)) > 1 or len(set(t.max_zoom)) > 1:
        raise refused(t, "min_zoom", t.min_zoom, "one factor for all axes")
    style = _edge(t, notes)
    ends = float(t.min_zoom[0]), float(t.max_zoom[0])
    if style["fill"] == "edge":
        return [always(act_of("Zoom", ends, probability=p))]
    return [always(several_moves(p, "kornia", scale_x=ends, scale_y=ends), **style)]


def _affine(t: Any, p: float, notes: Notes) -> list[Part]:
    grid = t.rand_affine_grid

    def ranges(given: Any) -> list[tuple[float, float]]:
        found = [pair(f) if isinstance(f, (list, tuple)) else (-float(f), float(f))
                 for f in given or () if f is not None]  # fmt: skip
        return (found + [(0.0, 0.0)] * 2)[:2]

    if any(map(any, ranges(grid.shear_range))):
        raise refused(t, "shear_range", grid.shear_range, None)
    # MONAI moves the grid from which it reads: larger scales shrink, and moves go backwards.
    rows, columns = (
        (1.0 / (1.0 + high), 1.0 / (1.0 + low)) for low, high in ranges(grid.scale_range)
    )
    down, across = ((0.0 - high, 0.0 - low) for low, high in ranges(grid.translate_range))
    if notes.columns_first:
        rows, columns, down, across = columns, rows, across, down
    low, high = (math.degrees(end) for end in ranges(grid.rotate_range)[0])
    ends = (low, high) if notes.columns_first else (0.0 - high, 0.0 - low)
    act = several_moves(p, "kornia", unit="px", same_scale=0, rotate=ends, scale_x=columns,
                  scale_y=rows, translate_x=across, translate_y=down)  # fmt: skip
    return [always(act, **_edge(t, notes))]


def _noise(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, mean=0.0)
    scaled("RandGaussianNoise", notes)
    ends = (0.0 if t.sample_std else float(t.std), float(t.std))
    return [always(act_of("Noise", ends, probability=p))]


def _gamma(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, invert_image=False, retain_stats=False)
    scaled("RandAdjustContrast", notes)
    notes.others.append("RandAdjustContrast: exponents are uniform in their logarithm")
    low, high = (tidy(math.log2(end)) for end in t.gamma)
    return [always(act_of("Gamma", (low, high), probability=p))]


def _smooth(t: Any, p: float, notes: Notes) -> list[Part]:
    if tuple(t.sigma_x) != tuple(t.sigma_y):
        raise refused(t, "sigma_y", t.sigma_y, "the same range as sigma_x")
    notes.others.append("RandGaussianSmooth blurs by one deviation along both axes")
    return [always(act_of("Blur", pair(t.sigma_x), probability=p))]


def _scale(t: Any, p: float, notes: Notes) -> list[Part]:
    scaled("RandScaleIntensity", notes)
    low, high = pair(t.factors)
    return [always(act_of("Brightness", (tidy(1 + low), tidy(1 + high)), probability=p))]


def _shift(t: Any, p: float, notes: Notes) -> list[Part]:
    scaled("RandShiftIntensity", notes)
    settings = {"brightness": pair(t.offsets), "contrast": (0.0, 0.0), "by": "max"}
    return [always(act_of("BrightnessContrast", probability=p, settings=settings))]


def _holes(t: Any, p: float, notes: Notes) -> list[Part]:
    refuse(t, dropout_holes=True)
    scaled("RandCoarseDropout", notes)
    sizes = t.spatial_size if isinstance(t.spatial_size, (list, tuple)) else [t.spatial_size] * 2
    most = t.max_spatial_size or sizes
    most = most if isinstance(most, (list, tuple)) else [most] * 2
    settings: dict[str, Any] = {
        "count": (t.holes, t.max_holes or t.holes), "unit": "px",
        "height": (sizes[0], most[0]), "width": (sizes[1], most[1]),
    }  # fmt: skip
    if isinstance(t.fill_value, (int, float)):
        settings["fill"] = (255.0 * float(t.fill_value),)
    else:
        settings["content"] = "noise"
    return [always(act_of("CoarseDropout", probability=p, settings=settings))]


def _window(t: Any, p: float, notes: Notes) -> list[Part]:
    cropper = getattr(t, "cropper", t)
    refuse(cropper, random_size=False)
    size = cropper.roi_size
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    return [window(notes, height, width)]


READERS: dict[str, Reader] = {
    "RandFlip": _flip,
    "RandAxisFlip": _either,
    "RandRotate90": _quarters,
    "RandRotate": _rotate,
    "RandZoom": _zoom,
    "RandAffine": _affine,
    "RandGaussianNoise": _noise,
    "RandAdjustContrast": _gamma,
    "RandGaussianSmooth": _smooth,
    "RandScaleIntensity": _scale,
    "RandShiftIntensity": _shift,
    "RandCoarseDropout": _holes,
    "RandSpatialCrop": _window,
}
"""The readers of array transforms; dictionary transforms hold them."""
