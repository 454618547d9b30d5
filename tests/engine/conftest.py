"""Real images, and every available engine."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import numpy as np
import pytest
from engine_paths import ENGINES
from numpy.typing import NDArray


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests with an argument ``apply`` run on every engine."""
    if "apply" in metafunc.fixturenames:
        metafunc.parametrize("apply", ENGINES, ids=lambda engine: engine.__name__)


def _file(pattern: str) -> Path | None:
    folder = os.environ.get("AUTOMORPH_DATA")
    return next(iter(sorted(Path(folder).glob(pattern))), None) if folder else None


@pytest.fixture(scope="session")
def colour_images() -> NDArray[np.uint8]:
    """200 real colour images ``(200, 32, 32, 3)``: CIFAR-10, or else parts of photos."""
    path = _file("cifar10/plain_text/test-*.parquet")
    if path is None:
        return _parts_of_photos(200, 32)
    from PIL import Image
    from pyarrow import parquet

    first = next(parquet.ParquetFile(path).iter_batches(200, columns=["img"]))
    files = [row["bytes"] for row in first["img"].to_pylist()]
    return np.stack([np.asarray(Image.open(io.BytesIO(file)).convert("RGB")) for file in files])


@pytest.fixture(scope="session")
def grey_images() -> NDArray[np.uint8]:
    """200 real grey images ``(200, 28, 28, 1)``: Fashion-MNIST, or else parts of photos."""
    path = _file("FashionMNIST/raw/t10k-images-idx3-ubyte.gz")
    if path is None:
        return np.ascontiguousarray(_parts_of_photos(200, 28)[..., 1:2])
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(16 + 200 * 28 * 28), np.uint8, offset=16)
    return pixels.reshape(200, 28, 28, 1)


def _parts_of_photos(n: int, side: int) -> NDArray[np.uint8]:
    """Random squares of scikit-learn's two photos, from wide to narrow, scaled to ``side`` px."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    photos = load_sample_images().images
    rng = np.random.default_rng(0)
    parts = []
    for i in range(n):
        photo = photos[i % len(photos)]
        size = int(rng.integers(side, 400))
        top, left = (int(rng.integers(0, length - size + 1)) for length in photo.shape[:2])
        part = Image.fromarray(photo[top : top + size, left : left + size])
        parts.append(np.asarray(part.resize((side, side))))
    return np.stack(parts)
