"""The transform and operations of which exports to torchvision v2 consist.

Exported files hold copies of what they need from here, so everything is plain torchvision.
"""

# Users read these functions in files of their own, so signatures are bare.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc"

from __future__ import annotations

import math
from functools import wraps

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F  # noqa: N812


class Drawn(v2.Transform):
    """An operation at a value drawn from one of some ranges (``levels``: in equal steps).

    With ``moves``, boxes, masks and key points follow the image; else they stay as they are.
    """

    def __init__(
        self, operation, *ranges, p=1.0, levels=0, moves=False, pixels=False, fill=0,
        interpolation="nearest", paint=None,
    ):  # fmt: skip
        super().__init__()
        self.operation, self.ranges, self.p, self.levels = operation, ranges, p, levels
        self.moves, self.pixels, self.fill = moves, pixels, fill
        self.interpolation, self.paint = interpolation, paint

    def make_params(self, flat_inputs):
        """A value and four more numbers in [0, 1); nothing if the coin says no."""
        if torch.rand(()) >= self.p:
            return {}
        low, high = self.ranges[int(torch.randint(len(self.ranges), ()))]
        share, *chance = torch.rand(5, dtype=torch.float64).tolist()
        if self.levels:
            share = int(share * self.levels) / max(self.levels - 1, 1)
        return {"value": low + (high - low) * share, "chance": chance}

    def transform(self, inpt, params):
        """The operation on an image, or on what follows it."""
        annotation = isinstance(inpt, tv_tensors.TVTensor) and not isinstance(
            inpt, (tv_tensors.Image, tv_tensors.Video)
        )
        if not annotation:
            check_image(inpt)
        if not params or (annotation and not self.moves):
            return inpt
        return self.operation(inpt, params["value"], params["chance"], self)

    def extra_repr(self):
        """The operation and its ranges, for ``print``."""
        return f"{self.operation.__name__}, {self.ranges}, p={self.p}"


def check_image(image):
    """Refuse images that come back wrong: fills and levels are those of 8 bits a channel."""
    kind = str(image.dtype) if hasattr(image, "dtype") else image.mode
    if kind not in ("L", "RGB", "RGBA", "torch.uint8"):
        raise ValueError(
            f"got an image of type {kind}; expected a PIL image (L, RGB, RGBA) or a uint8 tensor: "
            'use image.convert("RGB"), or augment before images become floats'
        )


def affine(image, how, **change):
    """torchvision's affine map; masks are filled with 0."""
    fill = 0 if isinstance(image, tv_tensors.Mask) else how.fill
    still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    options = {**still, **change, "interpolation": v2.InterpolationMode(how.interpolation)}
    return F.affine(image, **options, fill=fill)


def shear_x(image, value, chance, how):
    """Moves rows sideways, the lower the farther."""
    return affine(image, how, shear=[math.degrees(math.atan(value)), 0.0], center=[0, 0])


def shear_y(image, value, chance, how):
    """Moves columns up or down, the farther right the more."""
    return affine(image, how, shear=[0.0, math.degrees(math.atan(value))], center=[0, 0])


def whole_pixels(image, value, axis, how):
    """Pixels, cut to whole ones; a share is one of the side."""
    side = F.get_size(image)[axis]
    return int(np.float32(value if how.pixels else value * side))


def translate_x(image, value, chance, how):
    """Moves sideways."""
    return affine(image, how, translate=[whole_pixels(image, value, 1, how), 0])


def translate_y(image, value, chance, how):
    """Moves up or down."""
    return affine(image, how, translate=[0, whole_pixels(image, value, 0, how)])


def rotate(image, value, chance, how):
    """Turns about the centre, counter-clockwise when positive."""
    fill = 0 if isinstance(image, tv_tensors.Mask) else how.fill
    mode = v2.InterpolationMode(how.interpolation)
    return F.rotate(image, value, interpolation=mode, fill=fill)


def pad_crop(image, value, chance, how):
    """Pads all sides and cuts the old size out at a random place: a move by whole pixels."""
    sides = F.get_size(image)[::-1]
    pads = [round(value * side) for side in sides]
    x, y = (pad - math.floor(u * (2 * pad + 1)) for pad, u in zip(pads, chance, strict=False))
    return affine(image, how, translate=[x, y])


def resized_crop(image, value, chance, how):
    """Cuts a random part of at least this share of the area out and resizes it back."""
    height, width = F.get_size(image)
    area = value + (1.0 - value) * chance[0]
    max_stretch = min(math.log(4 / 3), -math.log(area))
    stretch = (2.0 * chance[1] - 1.0) * max_stretch
    w = max(1, min(width, round(width * math.sqrt(area * math.exp(stretch)))))
    h = max(1, min(height, round(height * math.sqrt(area * math.exp(-stretch)))))
    left = math.floor(chance[2] * (width - w + 1))
    top = math.floor(chance[3] * (height - h + 1))
    return F.resized_crop(image, top, left, h, w, [height, width])


def colours(change):
    """An operation on colours that keeps alpha; torchvision drops it, changes it or raises."""

    @wraps(change)
    def kept(image, value, chance, how):
        if isinstance(image, Image.Image) and image.mode == "RGBA":
            out = change(image.convert("RGB"), value, chance, how)
            out.putalpha(image.getchannel("A"))
            return out
        if isinstance(image, torch.Tensor) and image.shape[-3] == 4:
            out = change(image[..., :3, :, :], value, chance, how)
            out = torch.cat([out, image[..., 3:, :, :]], dim=-3)
            return tv_tensors.wrap(out, like=image) if isinstance(image, tv_tensors.Image) else out
        return change(image, value, chance, how)

    return kept


@colours
def brightness(image, value, chance, how):
    """Blends with black."""
    return F.adjust_brightness(image, value)


@colours
def color(image, value, chance, how):
    """Blends with the grey image."""
    return F.adjust_saturation(image, value)


@colours
def contrast(image, value, chance, how):
    """Blends with the mean grey."""
    return F.adjust_contrast(image, value)


@colours
def sharpness(image, value, chance, how):
    """Blends with the smoothed image."""
    return F.adjust_sharpness(image, value)


@colours
def hue(image, value, chance, how):
    """Turns the hue circle."""
    return F.adjust_hue(image, value)


@colours
def gamma(image, value, chance, how):
    """Raises every value to a power of 2 to this."""
    return F.adjust_gamma(image, 2.0**value)


@colours
def posterize(image, value, chance, how):
    """Keeps the upper bits."""
    return F.posterize(image, round(value))


@colours
def solarize(image, value, chance, how):
    """Inverts what is at or above a threshold."""
    return F.solarize(image, round(value, 3))


@colours
def blur(image, value, chance, how):
    """Gaussian blur."""
    size = 2 * math.ceil(3 * value) + 1
    return F.gaussian_blur(image, [size, size], [value, value]) if value > 0 else image


def cutout(image, value, chance, how):
    """Paints a square, cut off at the edges; grey by default."""
    height, width = F.get_size(image)
    side = int(np.float32(value if how.pixels else value * min(height, width)))
    left = math.floor(chance[0] * width) - side // 2
    top = math.floor(chance[1] * height) - side // 2
    x, y = max(left, 0), max(top, 0)
    w, h = min(left + side, width) - x, min(top + side, height) - y
    if min(w, h) <= 0:
        return image
    colour = torch.full((1, 1, 1), 128, dtype=torch.uint8)
    if how.paint:
        colour = colour.new_tensor(how.paint)[:, None, None]
    return F.erase(image, y, x, h, w, colour.expand(F.get_num_channels(image), h, w))


def random_erasing(image, value, chance, how):
    """Fills a rectangle with noise."""
    height, width = F.get_size(image)
    area = value * chance[0] * height * width
    ratio = math.exp(math.log(0.3) + chance[1] * math.log(3.3 / 0.3))
    h = min(round(math.sqrt(area * ratio)), height)
    w = min(round(math.sqrt(area / ratio)), width)
    if min(w, h) == 0:
        return image
    left = math.floor(chance[2] * (width - w + 1))
    top = math.floor(chance[3] * (height - h + 1))
    size = (F.get_num_channels(image), h, w)
    return F.erase(image, top, left, h, w, torch.randint(256, size, dtype=torch.uint8))
