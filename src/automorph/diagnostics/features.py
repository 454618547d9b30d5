"""Fixed features in which examples are compared: random convolutions, pixels, a network's own.

A feature map takes uint8 images ``(n, H, W, C)``, or texts ``(n,)``, and returns float32 features
``(n, D)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from automorph.diagnostics.text_features import hashed_words
from automorph.errors import UsageError
from automorph.models import evaluating, is_pretrained
from automorph.training import Task, make_task, train

Images = NDArray[Any]
FeatureMap = Callable[[Images], NDArray[np.float32]]

LARGEST = 32
"""Pixels per side; for features without a network, larger images are averaged down."""
MOST = 768
"""Largest number of features; a map with more is reduced by random projections."""
_PATCHES = 20_000
_BATCH = 32
"""Images at once, so that their responses stay in the cache."""


@dataclass(frozen=True, eq=False)
class RandomConvolutions:
    """Convolutions with random patches of the data, rectified on both sides, pooled to a grid.

    Patches ``x`` are whitened, ``W (x - mean)`` with ``W = (Cov + e I)^(-1/2)``, e the mean
    variance; each filter is a random whitened patch, so a response is a whitened inner product. Of
    a response z (in its own standard deviations) both ``max(0, z - 1/4)`` and ``max(0, -z - 1/4)``
    are averaged over a grid of 3 x 3 (Coates and Ng, "Learning feature representations with
    k-means", 2012, with random patches as centroids). `random_convolutions` draws them.
    """

    weight: Tensor
    bias: Tensor
    stride: int
    grid: int = 3

    def __call__(self, images: Images) -> NDArray[np.float32]:
        """Return features float32 ``(n, 2 * filters * grid ** 2)``."""
        filters, cells = len(self.weight), self.grid**2
        found = torch.empty(len(images), 2, filters * cells)
        # The memory format of images: pooling is then vectorised over the filters.
        weight = self.weight.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                rows = slice(start, start + _BATCH)
                z = functional.conv2d(_small(images[rows]), weight, self.bias, self.stride)
                for side, one in enumerate(((z - 0.25).relu_(), z.neg_().sub_(0.25).relu_())):
                    pooled = functional.adaptive_avg_pool2d(one, self.grid)
                    found[rows, side] = pooled.flatten(1)
        return found.flatten(1).numpy()


def random_convolutions(images: Images, *, filters: int = 32, seed: int = 0) -> RandomConvolutions:
    """Draw filters of at most 6 x 6 pixels from images uint8 ``(n, H, W, C)``."""
    pixels = _small(images[:2000]).numpy()
    n, _, height, width = pixels.shape
    side = max(1, min(6, max(3, min(height, width) // 4), height, width))
    rng = np.random.default_rng(seed)
    positions = zip(
        rng.integers(n, size=_PATCHES),
        rng.integers(height - side + 1, size=_PATCHES),
        rng.integers(width - side + 1, size=_PATCHES),
        strict=True,
    )
    patches = np.stack([pixels[i, :, y : y + side, x : x + side] for i, y, x in positions])
    flat = patches.reshape(_PATCHES, -1).astype(np.float64)
    mean = flat.mean(0)
    flat -= mean
    variance, axes = np.linalg.eigh(flat.T @ flat / _PATCHES)
    # Images of one colour have no variance.
    whiten = (axes / np.sqrt(variance + max(variance.mean(), 1e-8))) @ axes.T
    white = flat @ whiten
    length = np.linalg.norm(white, axis=1)
    # Skip empty patches (a plain background).
    structured = np.flatnonzero(length >= np.quantile(length, 0.3))
    chosen = white[rng.choice(structured, filters)]
    weight = chosen @ whiten
    weight /= np.maximum((flat @ weight.T).std(0), 1e-8)[:, None]
    return RandomConvolutions(
        torch.tensor(weight.reshape(filters, -1, side, side), dtype=torch.float32),
        torch.tensor(-(weight @ mean), dtype=torch.float32),
        stride=2 if min(height, width) >= 16 else 1,
    )


def pixels(images: Images) -> NDArray[np.float32]:
    """Return the pixels ``(n, H * W * C)``; images above 32 pixels per side are averaged down."""
    return np.asarray(_small(images).flatten(1).numpy(), np.float32)


def network_features(task: Task, network: nn.Module) -> FeatureMap:
    """Return a map to the inputs of the last linear layer of a network (penultimate features)."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    if not layers:
        raise UsageError(
            f"{type(network).__name__} has no linear layer; expected one whose inputs serve as "
            "features: choose another model, or pass a function of images as features"
        )
    device = next(network.parameters()).device

    def features(images: Images) -> NDArray[np.float32]:
        parts: list[Tensor] = []
        hook = layers[-1].register_forward_pre_hook(lambda _, inputs: parts.append(inputs[0]))
        try:
            with evaluating(network), torch.inference_mode():
                for start in range(0, len(images), _BATCH):
                    network(task.encoder(images[start : start + _BATCH], device))
        finally:
            hook.remove()
        return np.concatenate([part.flatten(1).float().cpu().numpy() for part in parts])

    return features


def trained_features(task: Task, *, seed: int = 0) -> FeatureMap:
    """Return features of the task's network, trained by its recipe without augmentation."""
    result = train(task, None, seed=seed, parts=(), progress=False)
    assert result.model is not None
    return network_features(task, result.model)


def feature_map(
    task: Task,
    features: str | FeatureMap,
    *,
    seed: int = 0,
    weights: str | os.PathLike[str] | None = None,
) -> FeatureMap:
    """Return a feature map by name; a function of images is returned unchanged.

    Names: ``random``, ``pixels``, or a model of `automorph.models` (untrained, unless it is
    ``timm:NAME:pretrained`` or ``features:timm:NAME``, whose ``weights`` may come from a file; the
    task's own model has the task's). For texts ``random`` is
    `hashed_words`, and ``sentence:NAME`` a pretrained network.
    """
    known = isinstance(features, str) and features not in ("random", "pixels")
    if weights is not None and not known:
        raise UsageError(
            f"got the weights {weights}, and features that need none; expected the name of their "
            "network: features='timm:NAME:pretrained' (--model)"
        )
    if callable(features):
        return features
    if features == task.model and weights is None:
        return network_features(task, task.build(seed))
    if task.data.domain == "text":
        return _of_texts(task, features, seed)
    if features == "random":
        return random_convolutions(task.data.train.data, seed=seed)
    if features == "pixels":
        return pixels
    other = make_task(
        task.data, model=features, weights=weights,
        encoder=None if is_pretrained(features) else task.encoder,
    )  # fmt: skip
    return network_features(other, other.build(seed))


def _of_texts(task: Task, features: str, seed: int) -> FeatureMap:
    texts = task.data.train.data
    if features == "random":
        return hashed_words(texts, seed=seed)
    if features == "pixels":
        raise UsageError(
            f"{task.name} contains texts, which have no pixels; expected random (words and word "
            "pairs) or a model such as sentence:NAME"
        )
    # Another model has its own text encoder.
    other = make_task(task.data, model=features, protect=task.protect)
    return network_features(other, other.build(seed))


def checked(features: Any, n: int) -> NDArray[np.float32]:
    """Return a user's features as float32 ``(n, D)``; raise `UsageError` for another shape."""
    array = np.asarray(features, np.float32)
    if array.ndim < 2 or len(array) != n:
        raise UsageError(
            f"the features have shape {array.shape} for {n} examples; expected ({n}, D): return "
            "one row per example"
        )
    return array.reshape(n, -1)


def _small(images: Images) -> Tensor:
    """Convert images to floats ``(n, C, h, w)`` in [0, 1], at most 32 pixels per side.

    They keep the memory format of images, channels last.
    """
    height, width = images.shape[1:3]
    scale = LARGEST / max(height, width)
    if scale < 1:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        return _averaged(images, size).permute(0, 3, 1, 2)
    x = torch.from_numpy(np.require(images, requirements=("C", "W")))
    return x.to(torch.float32).mul_(1 / 255).permute(0, 3, 1, 2)


def _averaged(images: Images, size: tuple[int, int]) -> Tensor:
    """Average images down to ``(n, h, w, C)``, over the windows of torch's adaptive pooling.

    Sums of levels are whole numbers, which floats hold exactly: in any order they are the same.
    """
    n, height, width, channels = images.shape
    rows = np.empty((n, size[0], width, channels), np.float32)
    down, across = _windows(height, size[0]), _windows(width, size[1])
    for number, (start, end) in enumerate(down):
        # The levels of up to 256 rows fit into 16 bits.
        dtype = np.uint16 if end - start <= 256 else np.uint32
        rows[:, number] = np.add.reduce(images[:, start:end], axis=1, dtype=dtype)
    inside = np.zeros((width, size[1]), np.float32)
    for number, (start, end) in enumerate(across):
        inside[start:end, number] = 1
    # One matrix for all channels: numbers (column, channel) to numbers (window, channel).
    both = np.kron(inside, np.eye(channels, dtype=np.float32))
    sums = (rows.reshape(-1, width * channels) @ both).reshape(n, *size, channels)
    heights, widths = (np.array([end - start for start, end in one]) for one in (down, across))
    share = 1 / (255.0 * heights[:, None, None] * widths[:, None])
    return torch.from_numpy(sums * share.astype(np.float32))


def _windows(length: int, count: int) -> list[tuple[int, int]]:
    """Return where the windows of adaptive pooling start and end.

    >>> _windows(5, 2)
    [(0, 3), (2, 5)]
    """
    return [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
