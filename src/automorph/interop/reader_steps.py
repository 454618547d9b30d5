"""Steps that several libraries have, read from their parameters."""

from __future__ import annotations

import math
from typing import Any

from automorph.interop.ir import Act, Draw
from automorph.interop.reader_base import Notes, act_of, always
from automorph.interop.reader_refusals import pair, refused


def resized_crop(
    notes: Notes, scale: Any, ratio: Any, size: Any, mode: str, probability: float = 1.0
) -> Draw:
    """Read a crop of a random area and ratio, drawn as all libraries do; images keep their size."""
    sides = size if isinstance(size, (list, tuple)) else (size, size)
    notes.skipped.append(f"resizing crops to {' x '.join(str(int(side)) for side in sides[:2])}")
    if mode != "bilinear":
        notes.others.append(f"RandomResizedCrop interpolates bilinearly, the library with {mode}")
    settings = {"scale": pair(scale), "ratio": pair(ratio)}
    return always(act_of("RandomResizedCrop", probability=probability, settings=settings))


def window(notes: Notes, height: float, width: float, probability: float = 1.0) -> Draw:
    """Read a crop of a fixed size, in the units of the resize before it; images keep their size."""
    resized = notes.resized
    settings: dict[str, Any] = {"height": float(height), "width": float(width), "unit": "px"}
    if resized is not None:
        sides = resized if isinstance(resized, tuple) else (resized, resized)
        unit = "share" if isinstance(resized, tuple) else "shorter"
        settings = {"height": height / sides[0], "width": width / sides[1], "unit": unit}
    else:
        notes.others.append(
            f"RandomCrop crops {height} x {width} px of images as they come, and resizes the crop "
            "back to their size"
        )
    notes.skipped.append(f"cropping to {height} x {width}")
    return always(act_of("RandomCrop", probability=probability, settings=settings))


def erased(
    notes: Notes, draws: str, scale: Any, ratio: Any, value: Any, probability: float, **more: Any
) -> Draw:
    """Read erased rectangles; ``value`` is a number, one per channel, or None for normal noise.

    Numbers are those of the pipeline at this place: after a normalisation, 0 is the mean colour.
    """
    mean, deviation = notes.normal or ((0.0,), (1.0,))
    white = 255.0 if notes.normal else 255.0 / notes.level
    settings: dict[str, Any] = {"draws": draws, "scale": pair(scale), "ratio": pair(ratio), **more}
    if value is None:
        settings.setdefault("content", "normal")
        settings |= {"fill": tuple(white * m for m in mean),
                     "deviation": tuple(white * d for d in deviation)}  # fmt: skip
    else:
        levels = value if isinstance(value, (list, tuple)) else [value]
        count = max(len(levels), len(mean))
        levels, mean, deviation = (
            tuple(part) * (count // len(part)) for part in (levels, mean, deviation)
        )
        fill = [white * (m + v * d) for v, m, d in zip(levels, mean, deviation, strict=True)]
        settings["fill"] = tuple(round(min(max(level, 0.0), 255.0), 4) for level in fill)
    return always(act_of("Erasing", probability=probability, settings=settings))


def blurred(transform: Any, name: str, kernel: Any, deviations: Any, probability: float) -> Draw:
    """Read a Gaussian blur; a kernel that is narrow for its deviations stays so."""
    low, high = pair(deviations)
    sides = kernel if isinstance(kernel, (list, tuple)) else (kernel,)
    # On photographs, a kernel of two deviations per side is within half a level of a full one.
    min_side = math.ceil(4 * high) + 1
    if min(sides) < min_side:
        if len(set(sides)) > 1:
            raise refused(transform, name, kernel, "the same along both sides")
        settings = {"sigma": (low, high), "side": (int(sides[0]), int(sides[0]))}
        return always(act_of("GaussianBlur", probability=probability, settings=settings))
    return always(act_of("Blur", (low, high), probability=probability))


def scaled(kind: str, notes: Notes) -> None:
    """Note that a transform of float images is read for intensities from 0 to 1."""
    notes.others.append(f"{kind} is read for intensities scaled to [0, 1]")


def several_moves(p: float, order: str, **settings: Any) -> Act:
    """Make an act of several moves at once; those not named stay still."""
    none = {"rotate": (0.0, 0.0), "translate_x": (0.0, 0.0), "translate_y": (0.0, 0.0),
            "scale_x": (1.0, 1.0), "scale_y": (1.0, 1.0), "same_scale": 1}  # fmt: skip
    return act_of("Affine", probability=p, settings={**none, "order": order, **settings})
