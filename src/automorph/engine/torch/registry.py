"""The kernels by name: all image operations but moves, which the plan puts together itself."""

from __future__ import annotations

from automorph.engine.points import TABLES
from automorph.engine.torch import colour, erasing, filters, points, resizing, warps
from automorph.engine.torch.kernel import TorchKernel, alphas, colours_only, nothing_drawn

_WHOLE_PIXELS: dict[str, TorchKernel] = {
    "ResizedCrop": TorchKernel(resizing.draw_parts, resizing.resized_crop),
    "Zoom": TorchKernel(warps.draw_values, warps.zoom),
    "Swirl": TorchKernel(warps.draw_values, warps.swirl),
    "Elastic": TorchKernel(warps.draw_field, warps.elastic),
    "SamplePairing": TorchKernel(erasing.draw_partners, erasing.sample_pairing),
}

_COLOURS: dict[str, TorchKernel] = {
    "AutoContrast": TorchKernel(nothing_drawn, points.autocontrast),
    "Equalize": TorchKernel(nothing_drawn, points.equalize),
    "Contrast": TorchKernel(alphas, points.contrast),
    "Color": TorchKernel(alphas, colour.saturation),
    "Hue": TorchKernel(colour.draw_turns, colour.hue),
    "Sharpness": TorchKernel(alphas, filters.sharpness),
    "Blur": TorchKernel(filters.draw_weights, filters.blur),
    "Noise": TorchKernel(filters.draw_noise, filters.noise),
    "Erosion": TorchKernel(filters.draw_passes, filters.erosion),
    "Dilation": TorchKernel(filters.draw_passes, filters.dilation),
    "Cutout": TorchKernel(erasing.draw_squares, erasing.cutout),
    "RandomErasing": TorchKernel(erasing.draw_rectangles, erasing.random_erasing),
}

_TABLE = TorchKernel(points.draw_tables, colours_only(points.look_up))

KERNELS: dict[str, TorchKernel] = {
    **_WHOLE_PIXELS,
    **{name: TorchKernel(both.draw, colours_only(both.run)) for name, both in _COLOURS.items()},
    **dict.fromkeys(TABLES, _TABLE),
}
"""Kernels by name. Those that move pixels treat alpha as a colour; all others keep it."""
