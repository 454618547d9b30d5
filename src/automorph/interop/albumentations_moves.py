"""The readers of albumentations transforms that move the image."""

from __future__ import annotations

import math
from typing import Any

from automorph.interop.ir import Act, Draw, tidy
from automorph.interop.reader_base import Notes, act_of, always
from automorph.interop.reader_refusals import level, pair, refuse, refused
from automorph.policies import Fill

_BORDERS: dict[int, Fill] = {1: "edge", 2: "reflect", 4: "reflect"}


def _style(t: Any, notes: Notes) -> dict[str, Any]:
    """Return the fill and the interpolation of a transform that moves the image."""
    kind = type(t).__name__
    if t.border_mode not in (0, *_BORDERS):
        raise refused(t, "border_mode", t.border_mode, "a constant, replicated or reflected border")
    if t.border_mode == 2:
        notes.others.append(f"the border of {kind} mirrors the image without its edge pixels")
    fill = _BORDERS.get(t.border_mode)
    fill = level(t, t.fill) if fill is None else fill
    if t.interpolation not in (0, 1):
        notes.others.append(f"{kind} interpolates bilinearly; the library otherwise")
    return {"fill": fill, "interpolation": "bilinear" if t.interpolation else "nearest"}


def moved(transform: Any, notes: Notes, *acts: Act) -> list[Draw]:
    """Make a draw of acts that move the image, with its border and interpolation."""
    return [always(*acts, **_style(transform, notes))]


def read_affine(t: Any, p: float, notes: Notes) -> list[Draw]:
    """Read an Affine or ShiftScaleRotate: one move, or several at once."""
    acts = [act_of("Rotate", pair(t.rotate), probability=p)] if any(t.rotate) else []
    for axis in "xy":
        if any(t.shear[axis]):
            low, high = (math.tan(math.radians(end)) for end in t.shear[axis])
            acts.append(act_of(f"Shear{axis.upper()}", (tidy(low), tidy(high)), probability=p))
    acts += _moves(t, p)
    scaled = any(end != 1 for axis in "xy" for end in t.scale[axis])
    if scaled and not acts and _is_zoom(t):
        return [always(act_of("Zoom", pair(t.scale["x"]), probability=p))]
    if len(acts) + scaled == 1 and not scaled:
        return moved(t, notes, *acts)
    return moved(t, notes, _several_moves(t, p)) if acts or scaled else []


def _is_zoom(t: Any) -> bool:
    """Return whether a scale about the middle is our Zoom."""
    (low, high), other = pair(t.scale["x"]), pair(t.scale["y"])
    one = (low, high) == other and (low == high or t.keep_ratio)
    return one and t.border_mode == 1 and t.interpolation == 1


def _several_moves(t: Any, p: float) -> Act:
    moves, unit = (t.translate_percent, "share") if t.translate_percent else (t.translate_px, "px")
    moves = moves or {"x": (0.0, 0.0), "y": (0.0, 0.0)}
    return act_of("Affine", probability=p, settings={
        "order": "albumentations", "unit": unit, "same_scale": int(bool(t.keep_ratio)),
        "rotate": pair(t.rotate),
        "translate_x": pair(moves["x"]), "translate_y": pair(moves["y"]),
        "scale_x": pair(t.scale["x"]), "scale_y": pair(t.scale["y"]),
        "shear_x": pair(t.shear["x"]), "shear_y": pair(t.shear["y"]),
    })  # fmt: skip


def _moves(t: Any, p: float) -> list[Act]:
    moves, unit = (t.translate_percent, None) if t.translate_percent else (t.translate_px, "px")
    ends = {axis: pair(moves[axis]) for axis in "xy"} if moves else {}
    if ends and unit is None and ends["x"] == ends["y"] and ends["x"][0] == -ends["x"][1] != 0:
        return [act_of("PadCrop", (ends["x"][1],) * 2, probability=p)]
    return [
        act_of(f"Translate{axis.upper()}", span, probability=p, unit=unit)
        for axis, span in ends.items()
        if any(span)
    ]


def read_grid(t: Any, p: float, notes: Notes) -> list[Draw]:
    """Read a grid distortion."""
    settings = {"steps": int(t.num_steps), "limit": pair(t.distort_limit),
                "normalized": int(bool(t.normalized))}  # fmt: skip
    return moved(t, notes, act_of("GridDistortion", probability=p, settings=settings))


def read_optical(t: Any, p: float, notes: Notes) -> list[Draw]:
    """Read the distortion of a lens."""
    settings = {"limit": pair(t.distort_limit), "mode": str(t.mode)}
    return moved(t, notes, act_of("OpticalDistortion", probability=p, settings=settings))


def read_elastic(t: Any, p: float, notes: Notes) -> list[Draw]:
    """Read an elastic deformation."""
    refuse(t, same_dxdy=False)
    if t.approximate:
        notes.others.append("ElasticTransform smooths with a whole Gaussian, not a short kernel")
    noise = "normal" if t.noise_distribution == "gaussian" else "uniform"
    settings = {"alpha_x": float(t.alpha), "alpha_y": float(t.alpha), "sigma": float(t.sigma),
                "noise": noise}  # fmt: skip
    return moved(t, notes, act_of("ElasticTransform", probability=p, settings=settings))
