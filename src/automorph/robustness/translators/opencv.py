"""What the translators on OpenCV share: holes are filled, soft masks paste, donors are drawn."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import MissingExtraError
from automorph.robustness.translators.base import Images

Mask = NDArray[np.bool_]


def opencv() -> Any:
    """Return the module ``cv2``; raise `MissingExtraError` if OpenCV is not installed."""
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError(
            "this translator needs OpenCV; expected the package opencv-python-headless: "
            "pip install 'automorph[opencv]'"
        ) from error
    return cv2


def three_channels(image: Images) -> Images:
    """Return an image as uint8 ``(H, W, 3)``: grey is repeated, further channels are left out."""
    return np.ascontiguousarray(
        np.repeat(image, 3, axis=2) if image.shape[2] < 3 else image[..., :3]
    )


def filled(image: Images, hole: Mask) -> Images:
    """Return an image whose hole is filled from its rim (Bertalmio et al. 2001).

    Telea's method (2004) would leave a trace of the hole, even in an image of one colour; see
    findings/opencv_inpaint.sh.
    """
    if not hole.any() or hole.all():
        return np.array(image)
    cv2 = opencv()
    radius = max(2, image.shape[0] // 32)
    made = [
        cv2.inpaint(np.ascontiguousarray(channel), hole.astype(np.uint8), radius, cv2.INPAINT_NS)
        for channel in np.moveaxis(image, 2, 0)
    ]
    return np.stack(made, axis=2)


def pasted(image: Images, over: Images, mask: Mask) -> Images:
    """Return ``over`` with the masked part of ``image``, by a mask whose edge is softened."""
    soft = opencv().GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]
    return np.asarray(np.rint(soft * image + (1 - soft) * over), np.uint8)


def donor(image: Images, count: int, draw: int = 0) -> int:
    """Return a number below ``count`` that depends on the content of an image alone.

    ``draw`` counts from 0 to 7: further numbers for the same image.
    """
    words = blake2b(image.tobytes(), digest_size=64).digest()
    return int.from_bytes(words[8 * draw : 8 * draw + 8], "little") % count
