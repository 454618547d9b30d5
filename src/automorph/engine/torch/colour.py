"""Colours of RGB images, as ``engine.colour`` has them; grey images stay as they are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from automorph.engine.context import Context, Values
from automorph.engine.torch.kernel import Arguments, DeviceContext, Size, quotient, spread
from automorph.engine.torch.points import blend, grey


def saturation(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Blends the grey image with the image."""
    if images.shape[1] == 1:
        return images
    return blend(grey(images)[:, None], images, spread(arguments[0]))


def draw_turns(values: Values, step: Context, size: Size) -> Arguments:
    """How far the hue of 8 bits is turned."""
    return (np.trunc(values * 255.0).astype(np.int64),)


def hue(images: Tensor, setting: DeviceContext, /, *arguments: Tensor) -> Tensor:
    """Turns the hue of PIL's 8-bit HSV image."""
    if images.shape[1] == 1:
        return images
    h, s, v = _to_hsv(images, setting.wide)
    return _from_hsv((h + arguments[0][:, None, None]) & 255, s, v, setting.wide)


def _to_hsv(images: Tensor, wide: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value, whole numbers ``(m, H, W)``, in PIL's arithmetic."""
    colours = images.to(torch.float32)
    red, green, _ = colours.unbind(1)
    most, least = colours.amax(1), colours.amin(1)
    chroma = most - least
    r, g, b = ((most[:, None] - colours) / chroma.clamp(min=1)[:, None]).unbind(1)
    # PIL's constants are doubles: sums with them are, and the result is a float again.
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


def _from_hsv(h: Tensor, s: Tensor, v: Tensor, wide: torch.dtype) -> Tensor:
    """RGB images ``(m, 3, H, W)`` of hue, saturation and value, in PIL's arithmetic."""
    place = quotient(h.to(wide) * 6.0, 255.0)
    sector = torch.floor(place)
    f = (place - sector).to(torch.float32)
    fs = quotient(s.to(wide), 255.0).to(torch.float32)

    def part(share: Tensor) -> Tensor:
        return torch.floor(v.to(wide) * (1.0 - share) + 0.5).to(torch.int64)

    p, q, t = part(fs.to(wide)), part((fs * f).to(wide)), part(fs * (1.0 - f.to(wide)))
    turns = torch.stack([v, q, p, p, t, v])
    # Green and blue go through the same turns as red, a third and two thirds of a circle behind.
    sectors = [(sector.to(torch.int64) + shift) % 6 for shift in (0, 4, 2)]
    colours = torch.stack([turns.gather(0, one[None])[0] for one in sectors], dim=1)
    return torch.where((s == 0)[:, None], v[:, None], colours).to(torch.uint8)
