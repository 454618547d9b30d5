"""Operations on the colours of RGB images; grey images stay unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from automorph import native
from automorph.native import Rows
from automorph.operations.kernels import (
    Arguments,
    Context,
    DeviceContext,
    Family,
    Images,
    Size,
    Values,
    colours,
    spread,
    the_factors,
)
from automorph.operations.photometric import blend, blend_on_device, grey, grey_on_device
from automorph.operations.spec import Operation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Bytes = NDArray[np.uint8]
_f32 = np.float32


def saturation(images: Images, values: Values, context: Context) -> Images:
    """Blend the grey image with the image, as ``ImageEnhance.Color`` does."""
    if images.shape[3] == 1:
        return images.copy()
    return blend(grey(images)[..., None], images, values[:, None, None, None])


def saturation_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blend the grey image with the image."""
    if images.shape[1] == 1:
        return images
    return blend_on_device(grey_on_device(images)[:, None], images, spread(arguments[0]))


def hue(images: Images, values: Values, context: Context) -> Images:
    """Rotate the hue of PIL's 8-bit HSV image by ``int(255 * value)``, as torchvision does."""
    if images.shape[3] == 1:
        return images.copy()
    turn = np.trunc(values * 255.0).astype(np.int64)[:, None, None]
    h, s, v = to_hsv(images)
    return from_hsv(((h + turn) & 255).astype(np.uint8), s, v)


def hue_compiled(rows: Rows, values: Values, context: Context) -> None:
    """Rotate the hue."""
    native.run_step("hue", rows, np.trunc(values * 255.0))


def _turns(values: Values, context: Context, size: Size) -> Arguments:
    """Return the rotation of the 8-bit hue."""
    return (np.trunc(values * 255.0).astype(np.int64),)


def hue_on_device(images: Tensor, device: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Rotate the hue of PIL's 8-bit HSV image."""
    if images.shape[1] == 1:
        return images
    h, s, v = _to_hsv_on_device(images, device.wide)
    return _from_hsv_on_device((h + arguments[0][:, None, None]) & 255, s, v, device.wide)


def to_hsv(images: Images) -> tuple[Bytes, Bytes, Bytes]:
    """Convert RGB images to hue, saturation and value, uint8 ``(m, H, W)``, as PIL does."""
    red, green, blue = (images[..., i].astype(_f32) for i in range(3))
    most, least = images.max(3).astype(_f32), images.min(3).astype(_f32)
    chroma = most - least
    flat = chroma == 0
    safe = np.where(flat, _f32(1), chroma)
    r, g, b = ((most - c) / safe for c in (red, green, blue))
    # PIL's constants are doubles, so these sums are computed in double and stored as float.
    h = np.where(
        red == most,
        b - g,
        np.where(
            green == most,
            (2.0 + r.astype(np.float64) - b).astype(_f32),
            (4.0 + g.astype(np.float64) - r).astype(_f32),
        ),
    )
    h = np.fmod(h.astype(np.float64) / 6.0 + 1.0, 1.0).astype(_f32)
    s = chroma / np.where(most == 0, _f32(1), most)
    whole = (np.trunc(part.astype(np.float64) * 255.0).astype(np.uint8) for part in (h, s))
    h8, s8 = (np.where(flat, np.uint8(0), part) for part in whole)
    return h8, s8, images.max(3)


def from_hsv(h: Bytes, s: Bytes, v: Bytes) -> Images:
    """Convert hue, saturation and value to RGB images ``(m, H, W, 3)``, as PIL does."""
    place = h.astype(np.float64) * 6.0 / 255.0
    sector = np.floor(place).astype(np.int64)
    f = (place - sector).astype(_f32)
    fs = (s / 255.0).astype(_f32)
    level = v.astype(np.float64)

    def part(share: Values) -> Bytes:
        return np.floor(level * (1.0 - share) + 0.5).astype(np.uint8)

    p = part(fs.astype(np.float64))
    q = part((fs * f).astype(np.float64))
    t = part(fs * (1.0 - f.astype(np.float64)))
    which = [sector % 6 == i for i in range(6)]
    red = np.select(which, [v, q, p, p, t, v])
    green = np.select(which, [t, v, v, q, p, p])
    blue = np.select(which, [p, p, t, v, v, q])
    return np.where((s == 0)[..., None], v[..., None], np.stack([red, green, blue], axis=3))


def _to_hsv_on_device(images: Tensor, wide: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Convert RGB to hue, saturation and value, integers ``(m, H, W)``, as PIL does."""
    import torch

    from automorph.operations.device import quotient

    colours = images.to(torch.float32)
    red, green, _ = colours.unbind(1)
    most, least = colours.amax(1), colours.amin(1)
    chroma = most - least
    r, g, b = ((most[:, None] - colours) / chroma.clamp(min=1)[:, None]).unbind(1)
    # PIL's constants are doubles, so these sums are computed in double and stored as float.
    h = torch.where(
        red == most,
        b - g,
        torch.where(
            green == most,
            (2.0 + r.to(wide) - b).to(torch.float32),
            (4.0 + g.to(wide) - r).to(torch.float32),
        ),
    )
    h = torch.fmod(quotient(h.to(wide), 6.0) + 1.0, 1.0).to(torch.float32)
    s = chroma / most.clamp(min=1)
    h8, s8 = (torch.trunc(part.to(wide) * 255.0).to(torch.int64) for part in (h, s))
    return torch.where(chroma == 0, 0, h8), torch.where(chroma == 0, 0, s8), most.to(torch.int64)


def _from_hsv_on_device(h: Tensor, s: Tensor, v: Tensor, wide: torch.dtype) -> Tensor:
    """Convert hue, saturation and value to RGB images ``(m, 3, H, W)``, as PIL does."""
    import torch

    from automorph.operations.device import quotient

    place = quotient(h.to(wide) * 6.0, 255.0)
    sector = torch.floor(place)
    f = (place - sector).to(torch.float32)
    fs = quotient(s.to(wide), 255.0).to(torch.float32)

    def part(share: Tensor) -> Tensor:
        return torch.floor(v.to(wide) * (1.0 - share) + 0.5).to(torch.int64)

    p, q, t = part(fs.to(wide)), part((fs * f).to(wide)), part(fs * (1.0 - f.to(wide)))
    turns = torch.stack([v, q, p, p, t, v])
    # Green and blue follow the same sequence as red, a third and two thirds of a circle later.
    sectors = [(sector.to(torch.int64) + shift) % 6 for shift in (0, 4, 2)]
    colours = torch.stack([turns.gather(0, one[None])[0] for one in sectors], dim=1)
    return torch.where((s == 0)[:, None], v[:, None], colours).to(torch.uint8)


FAMILY: Family = {
    Operation(
        "Color", low=0.01, high=1.99, identity=1, unit="factor",
        about="Blends the image with its grey version (saturation).",
    ): colours(saturation, saturation_on_device, the_factors, native=13),
    Operation(
        "Hue", low=-0.5, high=0.5, identity=0, unit="turn",
        about="Rotates the hue; grey images stay unchanged.",
    ): colours(hue, hue_on_device, _turns, compiled=hue_compiled),
}  # fmt: skip
