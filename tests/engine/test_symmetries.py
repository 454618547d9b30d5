"""The symmetries of a square, in squares of every side: each variant gives NumPy's pixels."""

from __future__ import annotations

import numpy as np
import pytest

from automorph import native
from automorph.engine import apply_native, apply_reference
from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream

SIDES = (*range(1, 41), 63, 64, 65, 100, 224)


@pytest.mark.skipif(not native.available(), reason="the compiled engine is not built")
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_turned_images_are_numpys(channels: int) -> None:
    seen = set()
    for side in SIDES:
        images = np.random.default_rng(side).integers(0, 256, (24, side, side, channels), np.uint8)
        everyone = Stream(seed=side, index=np.arange(24))
        for name in ("Transpose", "D4"):
            space = SearchSpace("one", (OPERATIONS[name],))
            drawn = Sequences.of([[0]] * 24, 1.0)
            wanted = apply_reference(images, drawn, space, everyone)
            for variant in native.variants():
                with native.using(variant):
                    found = apply_native(images, drawn, space, everyone)
                np.testing.assert_array_equal(found, wanted, err_msg=f"{name} {side} {variant}")
            if name == "Transpose":
                np.testing.assert_array_equal(wanted, images.swapaxes(1, 2))
            elif side > 8:
                seen |= {number(a, b) for a, b in zip(images, wanted, strict=True)}
    assert seen == set(range(8))


def number(image: np.ndarray, turned: np.ndarray) -> int:
    """Which of the eight symmetries of an image this is."""
    eight = [np.rot90(one, k) for one in (image, image.swapaxes(0, 1)) for k in range(4)]
    return next(k for k, one in enumerate(eight) if np.array_equal(one, turned))
