"""The kernels of the image operations by name."""

from __future__ import annotations

import numpy as np

from automorph.engine import colour, erasing, filters, geometry, points, resizing, warps
from automorph.engine.context import Context, Images, Kernel, Values


def _identity(images: Images, values: Values, step: Context) -> Images:
    return images.copy()


def _colours_only(kernel: Kernel) -> Kernel:
    """The kernel with alpha kept aside."""

    def apply(images: Images, values: Values, step: Context) -> Images:
        if images.shape[3] < 4:
            return kernel(images, values, step)
        colours = np.ascontiguousarray(images[..., :3])
        return np.concatenate([kernel(colours, values, step), images[..., 3:]], axis=3)

    return apply


_WHOLE_PIXELS: dict[str, Kernel] = {
    "Identity": _identity,
    **dict.fromkeys(geometry.MATRICES, geometry.move),
    "ResizedCrop": resizing.resized_crop,
    "Zoom": warps.zoom,
    "Swirl": warps.swirl,
    "Elastic": warps.elastic,
    "SamplePairing": erasing.sample_pairing,
}

_COLOURS: dict[str, Kernel] = {
    **dict.fromkeys(points.TABLES, points.replace_levels),
    "AutoContrast": points.autocontrast,
    "Equalize": points.equalize,
    "Contrast": points.contrast,
    "Color": colour.saturation,
    "Hue": colour.hue,
    "Sharpness": filters.sharpness,
    "Blur": filters.blur,
    "Noise": filters.noise,
    "Erosion": filters.erosion,
    "Dilation": filters.dilation,
    "Cutout": erasing.cutout,
    "RandomErasing": erasing.random_erasing,
}

KERNELS: dict[str, Kernel] = {
    **_WHOLE_PIXELS,
    **{name: _colours_only(kernel) for name, kernel in _COLOURS.items()},
}
"""Kernels by name. Those that move pixels treat alpha as a colour; all others keep it."""
