"""Real images, and exported operations on them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from automorph import engine
from automorph.interop import convert_policy
from automorph.operations import OPERATIONS, Operation, SearchSpace, Sequences, Stream
from automorph.policies import Mixture, Step

Pixels = NDArray[np.uint8]
LIBRARIES = ("torchvision", "albumentations", "kornia")


@cache
def photos(n: int = 12, height: int = 32, width: int = 40) -> Pixels:
    """Crops of scikit-learn's two photographs, from wide to narrow, uint8 (n, H, W, 3)."""
    from sklearn.datasets import load_sample_images

    sources = load_sample_images().images
    rng = np.random.default_rng(0)
    parts = []
    for i in range(n):
        photo = sources[i % len(sources)]
        side = int(rng.integers(60, 400))
        top, left = (int(rng.integers(0, length - side + 1)) for length in photo.shape[:2])
        part = Image.fromarray(photo[top : top + side, left : left + side])
        parts.append(np.asarray(part.resize((width, height))))
    return np.stack(parts)


def values_of(operation: Operation) -> list[float]:
    """Values over the whole range, on both sides, without the identity."""
    if operation.magnitude_free:
        return [operation.low]
    signs = (1.0, -1.0) if operation.signed else (1.0,)
    magnitudes = (0.25, 0.5, 0.9)
    found = {round(float(operation.values(m, s)), 3) for m in magnitudes for s in signs}
    return sorted(found - {operation.identity})


def held(kernel: str, value: float, **rendering: Any) -> Mixture:
    """The policy that applies one operation at one value."""
    base = OPERATIONS[kernel]
    operation = base if base.magnitude_free else base.at(value)
    return Mixture(
        label=f"{kernel} at {value}", operations=SearchSpace("held", (operation,)),
        subpolicies=((Step(operation.name, 1.0, 1.0),),), **rendering,
    )  # fmt: skip


def ours(kernel: str, value: float, images: Pixels, stream: Stream | None = None) -> Pixels:
    """The output of Automorph."""
    policy = held(kernel, value)
    sequences = Sequences.of(np.zeros((len(images), 1)))
    stream = stream or Stream(index=np.arange(len(images)))
    return engine.apply(images, sequences, policy.operations, stream)


def run(library: str, transform: Any, images: Pixels) -> Pixels:
    """The output of a library's transform, image by image (kornia: per batch)."""
    if library == "kornia":
        batch = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
        out = (transform(batch).clamp(0, 1) * 255).round().to(torch.uint8)
        return out.permute(0, 2, 3, 1).contiguous().numpy()
    if library == "albumentations":
        return np.stack([transform(image=image)["image"] for image in images])
    return np.stack([np.asarray(transform(Image.fromarray(image))) for image in images])


def theirs(library: str, kernel: str, value: float, images: Pixels) -> Pixels:
    """The output of an exported operation."""
    size = images.shape[1:3] if kernel == "ResizedCrop" else None
    return run(library, convert_policy(held(kernel, value), library, size=size), images)


def apart(first: Pixels, second: Pixels) -> float:
    """The mean difference in levels."""
    return float(np.abs(first.astype(np.int64) - second).mean())
