"""Operations on the colours of RGB images; grey images stay as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automorph.engine.context import Context, Images, Values
from automorph.engine.points import blend, grey

Bytes = NDArray[np.uint8]
_f32 = np.float32


def saturation(images: Images, values: Values, step: Context) -> Images:
    """Blends the grey image with the image, as ``ImageEnhance.Color``."""
    if images.shape[3] == 1:
        return images.copy()
    return blend(grey(images)[..., None], images, values[:, None, None, None])


def hue(images: Images, values: Values, step: Context) -> Images:
    """Turns the hue of PIL's 8-bit HSV image by ``int(255 * value)``, as torchvision does."""
    if images.shape[3] == 1:
        return images.copy()
    turn = np.trunc(values * 255.0).astype(np.int64)[:, None, None]
    h, s, v = to_hsv(images)
    return from_hsv(((h + turn) & 255).astype(np.uint8), s, v)


def to_hsv(images: Images) -> tuple[Bytes, Bytes, Bytes]:
    """Hue, saturation and value ``(m, H, W)``, uint8, of RGB images, in PIL's arithmetic."""
    red, green, blue = (images[..., i].astype(_f32) for i in range(3))
    most, least = images.max(3).astype(_f32), images.min(3).astype(_f32)
    chroma = most - least
    flat = chroma == 0
    safe = np.where(flat, _f32(1), chroma)
    r, g, b = ((most - c) / safe for c in (red, green, blue))
    # PIL's constants are doubles: sums with them are, and the result is a float again.
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
    """RGB images ``(m, H, W, 3)`` of hue, saturation and value, in PIL's arithmetic."""
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
