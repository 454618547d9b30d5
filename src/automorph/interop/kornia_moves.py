"""The readers of kornia modules that move the image."""

from __future__ import annotations

import math
from typing import Any

from automorph.interop.ir import Draw, NotExpressibleError, tidy
from automorph.interop.reader_base import Notes, act_of, always
from automorph.interop.reader_refusals import refuse, refused
from automorph.interop.reader_steps import resized_crop, window
from automorph.policies import Fill


def given(module: Any, name: str) -> Any:
    """Return a parameter from any of the places where kornia stores it."""
    for source in (module.flags, vars(module), vars(module._param_generator or module)):
        if name in source:
            return source[name]
    if f"{name}_factor" in getattr(module._param_generator, "sampler_dict", {}):
        return ends_of(module, f"{name}_factor")
    raise AttributeError(f"kornia's {type(module).__name__} has no {name}")


def ends_of(module: Any, name: str) -> tuple[float, float]:
    """Return the ends of the range from which a parameter is drawn; a number is both ends."""
    source = module._param_generator
    sampler = getattr(source, "sampler_dict", {}).get(name)
    sampler = getattr(source, f"{name}_sampler") if sampler is None else sampler
    return (0.0, 0.0) if sampler is None else (float(sampler.low), float(sampler.high))


def drawn(module: Any, kernel: str, ends: tuple[float, float], mode: str = "nearest") -> Draw:
    """Make a draw of one operation with a module's probability."""
    low, high = map(tidy, ends)
    return always(act_of(kernel, (low, high), probability=module.p), interpolation=mode)


def mode_of(module: Any, notes: Notes) -> str:
    """Return the interpolation; note any other than nearest and bilinear."""
    mode: str = module.flags["resample"].name.lower()
    if mode not in ("nearest", "bilinear"):
        notes.others.append(f"{type(module).__name__} interpolates bilinearly, not {mode}")
        return "bilinear"
    return mode


_PADDING: dict[str, Fill] = {"zeros": 0, "constant": 0, "border": "edge", "reflection": "reflect",
                             "reflect": "reflect", "replicate": "edge"}  # fmt: skip


def _padding(module: Any, given: Any) -> Fill:
    name = str(getattr(given, "name", given)).lower()
    if name not in _PADDING:
        raise refused(module, "padding_mode", name, f"one of {', '.join(_PADDING)}")
    return _PADDING[name]


def read_affine(m: Any, notes: Notes) -> list[Draw]:
    """Read an affine map: one move, or several at once."""
    low, high = ends_of(m, "degree")
    source = m._param_generator
    fill = _padding(m, m.flags["padding_mode"])
    names = ("translate_x", "translate_y", "shear_x", "shear_y")
    moves = {name: ends_of(m, name) for name in names}
    alone = not any(any(ends) for ends in moves.values())
    if source.scale is None and alone and fill == 0:
        # kornia's RandomAffine rotates clockwise, its RandomRotation does not.
        return [drawn(m, "Rotate", (0.0 - high, 0.0 - low), mode_of(m, notes))]
    one = source.scale_4_sampler is None
    if alone and one and not (low or high) and fill == "edge" and mode_of(m, notes) == "bilinear":
        return [drawn(m, "Zoom", ends_of(m, "scale_2"))]
    scale = (1.0, 1.0) if source.scale is None else ends_of(m, "scale_2")
    act = act_of("Affine", probability=m.p, settings={
        "order": "kornia", "unit": "share", "same_scale": int(one), **moves,
        "rotate": (0.0 - high, 0.0 - low), "scale_x": scale,
        "scale_y": scale if one else ends_of(m, "scale_4"),
    })  # fmt: skip
    return [always(act, fill=fill, interpolation=mode_of(m, notes))]


def read_crop(m: Any, notes: Notes) -> list[Draw]:
    """Read a crop, padded or not."""
    (height, width), padding = m.flags["size"], m.flags["padding"]
    sides = {padding} if isinstance(padding, int) else set(padding or (0,))
    if sides == {0}:
        return [window(notes, height, width, m.p)]
    if height != width or len(sides) != 1:
        raise refused(m, "padding", padding, "one number for all sides, and a square size")
    share, fill = sides.pop() / height, _padding(m, m.flags["padding_mode"])
    if fill == 0:
        refuse(m, given, fill=0)
    return [always(act_of("PadCrop", (share, share), probability=m.p), fill=fill)]


def read_part(m: Any, notes: Notes) -> list[Draw]:
    """Read a resized crop."""
    scale, ratio = (tuple(map(float, getattr(m._param_generator, name))) for name in
                    ("scale", "ratio"))  # fmt: skip
    mode = m.flags["resample"].name.lower()
    return [resized_crop(notes, scale, ratio, m.flags["size"], mode, m.p)]


def read_shear(m: Any, notes: Notes) -> list[Draw]:
    """Read a shear along one axis."""
    x, y = (ends_of(m, f"shear_{axis}") for axis in "xy")
    if any(x) and any(y):
        raise NotExpressibleError("got a RandomShear along both axes; expected a single axis")
    kernel, degrees = ("ShearY", y) if any(y) else ("ShearX", x)
    low, high = (math.tan(math.radians(end)) for end in degrees)
    return [drawn(m, kernel, (low, high), mode_of(m, notes))]


def read_translate(m: Any, notes: Notes) -> list[Draw]:
    """Read a translation along one axis or both."""
    x, y = (ends_of(m, f"translate_{axis}") for axis in "xy")
    if not (any(x) and any(y)):
        return [drawn(m, "TranslateY" if any(y) else "TranslateX", y if any(y) else x,
                       mode_of(m, notes))]  # fmt: skip
    if x != y or x[0] != -x[1]:
        act = act_of("Affine", probability=m.p, settings={
            "order": "kornia", "rotate": (0.0, 0.0), "scale_x": (1.0, 1.0),
            "scale_y": (1.0, 1.0), "translate_x": x, "translate_y": y,
        })  # fmt: skip
        return [always(act, interpolation=mode_of(m, notes))]
    return [drawn(m, "PadCrop", (x[1], x[1]), mode_of(m, notes))]
