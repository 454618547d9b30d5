"""The kernels by name: all image operations but moves, which the plan puts together itself."""

from __future__ import annotations

from automorph.engine.points import TABLES
from automorph.engine.torch import colour, erasing, filters, points, resizing, warps
from automorph.engine.torch.kernel import Kernel, alphas, colours_only, nothing_drawn

_WHOLE_PIXELS: dict[str, Kernel] = {
    "ResizedCrop": Kernel(resizing.draw_parts, resizing.resized_crop),
    "Zoom": Kernel(warps.draw_values, warps.zoom),
    "Swirl": Kernel(warps.draw_values, warps.swirl),
    "Elastic": Kernel(warps.draw_field, warps.elastic),
    "SamplePairing": Kernel(erasing.draw_partners, erasing.sample_pairing),
}

_COLOURS: dict[str, Kernel] = {
    "AutoContrast": Kernel(nothing_drawn, points.autocontrast),
    "Equalize": Kernel(nothing_drawn, points.equalize),
    "Contrast": Kernel(alphas, points.contrast),
    "Color": Kernel(alphas, colour.saturation),
    "Hue": Kernel(colour.draw_turns, colour.hue),
    "Sharpness": Kernel(alphas, filters.sharpness),
    "Blur": Kernel(filters.draw_weights, filters.blur),
    "Noise": Kernel(filters.draw_noise, filters.noise),
    "Erosion": Kernel(filters.draw_passes, filters.erosion),
    "Dilation": Kernel(filters.draw_passes, filters.dilation),
    "Cutout": Kernel(erasing.draw_squares, erasing.cutout),
    "RandomErasing": Kernel(erasing.draw_rectangles, erasing.random_erasing),
}

_TABLE = Kernel(points.draw_tables, colours_only(points.look_up))

KERNELS: dict[str, Kernel] = {
    **_WHOLE_PIXELS,
    **{name: Kernel(both.draw, colours_only(both.run)) for name, both in _COLOURS.items()},
    **dict.fromkeys(TABLES, _TABLE),
}
"""Kernels by name. Those that move pixels treat alpha as a colour; all others keep it."""
