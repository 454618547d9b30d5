"""What a pipeline of another library draws of one image, and numbers that describe its draws."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peer_pipelines import MEAN, STD
from PIL import Image

Pixels = NDArray[np.uint8]
FEATURES = (
    "red", "green", "blue", "spread", "along x", "along y", "left - right", "top - bottom",
    "above - below the diagonal", "corners", "middle", "dark", "bright",
)  # fmt: skip


def draws_of(transform: Any, image: Pixels, count: int) -> NDArray[np.float64]:
    """Draw ``count`` results ``(count, H, W, 3)`` in levels from 0 to 255."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = _drawn(transform, image, count)
    if out.min() < -1:  # After Normalize; noise alone reaches less far.
        out = out * STD + MEAN
    return np.clip(out * (255.0 if out.max() < 3 else 1.0), 0, 255)


def _drawn(transform: Any, image: Pixels, count: int) -> NDArray[np.float64]:
    library = _library(transform)
    planes = torch.from_numpy(image.transpose(2, 0, 1).copy()).float() / 255.0
    if library == "kornia":
        return transform(planes.repeat(count, 1, 1, 1)).permute(0, 2, 3, 1).double().numpy()
    call: Callable[[], Any] = lambda: transform(Image.fromarray(image))  # noqa: E731
    if library == "albumentations":
        # After set_random_seed, all transforms of a pipeline would toss the same coins.
        transform.set_random_state(np.random.default_rng(0), random.Random(0))
        call = lambda: transform(image=image)["image"]  # noqa: E731
    elif library == "monai":
        transform.set_random_state(0)
        keyed = type(transform.transforms[0]).__name__.endswith("d")
        call = lambda: transform({"image": planes.clone()} if keyed else planes.clone())  # noqa: E731
    elif library == "torchio":
        call = lambda: _scan(transform, planes)  # noqa: E731
    elif library == "ultralytics":
        call = lambda: _photo(transform, image)  # noqa: E731
    return np.stack([_array(call()) for _ in range(count)])


def _scan(transform: Any, planes: torch.Tensor) -> torch.Tensor:
    import torchio

    # TorchIO's axes are x, y and z.
    volume = torchio.ScalarImage(tensor=planes.permute(0, 2, 1)[..., None])
    return transform(volume).data[..., 0].permute(0, 2, 1)


def _photo(transform: Any, image: Pixels) -> Any:
    from ultralytics.utils.instance import Instances

    none = Instances(np.zeros((0, 4), np.float32), np.zeros((0, 0, 2), np.float32))
    return transform({"img": image[..., ::-1].copy(), "instances": none})["img"][..., ::-1]


def _library(transform: Any) -> str:
    parts = transform.children() if isinstance(transform, torch.nn.Module) else [transform]
    return type(next(iter(parts), transform)).__module__.partition(".")[0]


def _array(found: Any) -> NDArray[np.float64]:
    """Convert an image of any library to ``(H, W, 3)``."""
    found = found["image"] if isinstance(found, dict) else found
    if isinstance(found, torch.Tensor):
        found = found.detach().numpy().transpose(1, 2, 0)
    return np.asarray(found, np.float64)


def features_of(images: NDArray[Any]) -> NDArray[np.float64]:
    """Describe images ``(n, H, W, 3)`` by numbers ``(n, k)``, named in `FEATURES`."""
    grey = images.astype(np.float64).mean(3)
    n, h, w = grey.shape
    upper = np.triu(np.ones((h, w), bool), 1)
    middle = grey[:, h // 3 : -(h // 3), w // 3 : -(w // 3)]
    ends = (slice(3), slice(-3, None))
    corners = [grey[:, rows, columns] for rows in ends for columns in ends]
    return np.stack([
        *(images[..., k].reshape(n, -1).mean(1) for k in range(3)), grey.reshape(n, -1).std(1),
        np.abs(np.diff(grey, axis=2)).mean((1, 2)), np.abs(np.diff(grey, axis=1)).mean((1, 2)),
        grey[:, :, : w // 2].mean((1, 2)) - grey[:, :, w // 2 :].mean((1, 2)),
        grey[:, : h // 2].mean((1, 2)) - grey[:, h // 2 :].mean((1, 2)),
        grey[:, upper].mean(1) - grey[:, upper.T].mean(1),
        np.mean([corner.mean((1, 2)) for corner in corners], axis=0), middle.mean((1, 2)),
        255 * (grey < 16).mean((1, 2)), 255 * (grey > 239).mean((1, 2)),
    ], axis=1)  # fmt: skip
