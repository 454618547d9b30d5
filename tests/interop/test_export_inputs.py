"""Exported files take the images that the library takes, and refuse all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from automorph.errors import DataError, UsageError
from automorph.interop import export_policy
from automorph.policies import load_policy

POLICY = "flip(p=1) + randaugment(n=2,m=9) + cutout(4)"
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
GREY = PIXELS[..., 0]


def exported(policy: str, to: str) -> Any:
    names: dict[str, Any] = {}
    exec(export_policy(policy, to), names)
    return names["augment"]


PYTHON = exported(POLICY, "python")
MODES = ("1", "L", "P", "PA", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV",
         "LAB", "I", "F", "I;16")  # fmt: skip
ARRAYS = {
    "grey": GREY,
    "one channel": GREY[..., None],
    "two channels": PIXELS[..., :2],
    "colour": PIXELS,
    "alpha": np.concatenate([PIXELS, GREY[..., None]], axis=2),
    "five channels": np.zeros((8, 8, 5), np.uint8),
    "planes": np.moveaxis(PIXELS, -1, 0),
    "row": GREY[0],
    "floats in [0, 1]": (PIXELS / 255).astype(np.float32),
    "floats of levels": PIXELS.astype(np.float64),
    "16 bits": PIXELS.astype(np.uint16) * 257,
    "signed": PIXELS.astype(np.int64),
    "booleans": GREY > 127,
    "a list": GREY.tolist(),
    "nothing": None,
}


def in_mode(mode: str) -> Image.Image:
    if mode in ("RGBa", "La"):
        return Image.fromarray(PIXELS).convert("RGBA" if mode == "RGBa" else "LA").convert(mode)
    if mode == "I;16":
        return Image.fromarray(GREY.astype(np.uint16) * 257)
    if mode in ("RGBX", "PA", "LAB"):
        return Image.new(mode, (30, 20))
    return Image.fromarray(PIXELS).convert(mode)


@pytest.mark.parametrize("image", [
    *(pytest.param(in_mode(mode), id=f"PIL {mode}") for mode in MODES),
    *(pytest.param(array, id=name) for name, array in ARRAYS.items()),
])  # fmt: skip
def test_a_python_file_takes_what_the_library_takes(image: Any) -> None:
    augment = exported(POLICY, "python")
    try:
        load_policy(POLICY)(image)
    except DataError:
        with pytest.raises(ValueError, match=r"got .* expected a Pillow image"):
            augment(image)
        return
    array = np.asarray(image)
    batch = array[None, ..., None] if array.ndim == 2 else array[None]
    expected = load_policy(POLICY).augment(batch, index=[7])[0].reshape(array.shape)
    out = augment(image, 7)
    assert type(out) is type(image) or isinstance(out, Image.Image)
    np.testing.assert_array_equal(np.asarray(out), expected)


def test_batches_and_tensors_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"got uint8 of shape \(1, 20, 30, 3\) as an image"):
        exported(POLICY, "python")(PIXELS[None])
    with pytest.raises(ValueError, match="got Tensor as an image"):
        exported(POLICY, "python")(torch.zeros(3, 8, 3, dtype=torch.uint8))


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    st.sampled_from(("seed", "epoch", "index", "copy")),
    st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=2)),
)
def test_numbers_are_checked_as_in_the_library(name: str, value: Any) -> None:
    options = {"seed": 1, "epoch": 2, "index": 3, "copy": 0, name: value}
    whole = isinstance(value, int) and not isinstance(value, bool)
    given = {**options, "index": [options["index"] % 2**32] if whole else [0]}
    try:
        if not whole:
            raise UsageError("NumPy would make whole numbers of some others")
        expected = load_policy(POLICY).augment(PIXELS[None], **given)[0]
    except UsageError:
        with pytest.raises(ValueError, match=rf"got {name}=.* expected a whole number"):
            PYTHON(PIXELS, **options)
        return
    np.testing.assert_array_equal(PYTHON(PIXELS, **options), expected)


@pytest.mark.parametrize("policy", ["crop", "cutout(4)", "random-erasing(p=1)"])
def test_a_torchvision_file_refuses_what_fills_and_levels_do_not_fit(policy: str) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    augment = exported(policy, "torchvision")
    for mode in MODES:
        image = in_mode(mode)
        if mode in ("L", "RGB", "RGBA"):
            assert augment(image).mode == mode
        else:
            with pytest.raises(ValueError, match=f"got an image of type {mode}; expected"):
                augment(image)
    planes = torch.from_numpy(PIXELS).permute(2, 0, 1)
    assert augment(planes).dtype == torch.uint8
    for other in (planes / 255, planes.to(torch.int16)):
        with pytest.raises(ValueError, match=r"got an image of type torch\.\w+; expected"):
            augment(other)
