"""The readers of albumentations transforms that erase parts of the image."""

from __future__ import annotations

from typing import Any

from automorph.interop.ir import Draw
from automorph.interop.reader_base import Notes, act_of, always
from automorph.interop.reader_refusals import pair, refused


def _content(t: Any, notes: Notes) -> dict[str, Any]:
    """Return what fills holes, in levels."""
    if isinstance(t.fill, str):
        if t.fill not in ("random", "random_uniform"):
            raise refused(t, "fill", t.fill, "levels, random or random_uniform")
        if t.fill == "random_uniform":
            notes.others.append(f"{type(t).__name__} fills with noise, not with one random colour")
        return {"content": "noise"}
    return {"content": "colour", "fill": _levels(t.fill, notes)}


def _levels(fill: Any, notes: Notes) -> tuple[float, ...]:
    given = [float(v) for v in (fill if isinstance(fill, (list, tuple)) else [fill])]
    if notes.normal is None:
        return tuple(given)
    count = max(len(given), len(notes.normal[0]))
    given, mean, deviation = ([*part] * (count // len(part)) for part in (given, *notes.normal))
    return tuple(255.0 * (m + v * d) for v, m, d in zip(given, mean, deviation, strict=True))


def read_dropout(t: Any, p: float, notes: Notes) -> list[Draw]:
    """Read holes whose number and sides come from ranges."""
    height, width = tuple(t.hole_height_range), tuple(t.hole_width_range)
    unit = "px" if height[1] >= 1 else "share"
    square = height == width and tuple(t.num_holes_range) == (1, 1) and notes.normal is None
    if square and t.fill == 128:
        own = "px" if unit == "px" else None
        return [always(act_of("Cutout", pair(height), probability=p, unit=own))]
    settings = {"count": pair(t.num_holes_range), "height": pair(height), "width": pair(width),
                "unit": unit, **_content(t, notes)}  # fmt: skip
    return [always(act_of("CoarseDropout", probability=p, settings=settings))]


def read_erasing(t: Any, p: float, notes: Notes) -> list[Draw]:
    """Read one erased rectangle."""
    settings = {"draws": "albumentations", "scale": pair(t.scale), "ratio": pair(t.ratio),
                **_content(t, notes)}  # fmt: skip
    return [always(act_of("Erasing", probability=p, settings=settings))]
