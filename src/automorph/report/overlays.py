"""Masks drawn over their images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
COLOURS = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
     (204, 121, 167)]
)  # fmt: skip
"""The palette of Okabe and Ito, which colour-blind readers can tell apart."""
STRENGTH = 0.45
"""Share of a colour over the image."""
IGNORED = 128
"""The grey of pixels that are ignored."""


def overlaid(images: Pixels, masks: Pixels) -> Pixels:
    """Draw masks ``(.., H, W)`` over images ``(.., H, W, C)``: RGB ``(.., H, W, 3)``.

    Pixels of class 0, the background, stay as they are; ignored ones (255) are grey.

    >>> overlaid(np.zeros((1, 1, 2, 1), np.uint8), np.array([[[0, 255]]], np.uint8)).tolist()
    [[[[0, 0, 0], [128, 128, 128]]]]
    """
    shown = images[..., :3].astype(np.float64)
    shown = np.broadcast_to(shown, (*masks.shape, 3)).copy()
    marked = (masks > 0) & (masks < 255)
    over = COLOURS[(masks[marked].astype(np.intp) - 1) % len(COLOURS)]
    shown[marked] = (1 - STRENGTH) * shown[marked] + STRENGTH * over
    shown[masks == 255] = IGNORED
    return np.rint(shown).astype(np.uint8)


def beside(images: Pixels, *masks: Pixels) -> Pixels:
    """Place images ``(n, H, W, C)`` beside themselves with masks: RGB ``(n, 1 + m, H, W, 3)``."""
    plain = np.zeros(images.shape[:3], np.uint8)
    return np.stack([overlaid(images, one) for one in (plain, *masks)], axis=1)
