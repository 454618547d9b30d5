"""Whole programs give the same pixels as torchvision on PIL images, operation by operation."""

from __future__ import annotations

import numpy as np
import pytest
from native_programs import pictures
from numpy.typing import NDArray

from automorph.engine import apply_native
from automorph.operations import NOTHING, SearchSpace, Sequences, Stream
from automorph.policies import load_policy
from pil_oracle import their_magnitude, torchvision_on_pil

POLICIES = (
    "randaugment(n=2,m=9)",
    "randaugment(n=6,m=27)",
    "trivialaugment-wide",
    "autoaugment:cifar10",
    "autoaugment:svhn",
    "autoaugment:imagenet",
)


def _through_torchvision(
    image: NDArray[np.uint8],
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    **options: object,
) -> NDArray[np.uint8]:
    """One image ``(1, H, W, C)`` through its sequence."""
    for position in range(sequences.length):
        number = int(sequences.op[0, position])
        if number == NOTHING or not sequences.fire[0, position]:
            continue
        operation = space.operations[number]
        heads = stream.at_stage(0).bits("op", 1, start=position << 24)[:, 0] < 2**31
        values = operation.values(sequences.magnitude[:, position], np.where(heads, 1.0, -1.0))
        magnitude = their_magnitude(operation, values, image.shape[1:3])
        image = torchvision_on_pil(image, operation.name, magnitude, **options)
    return image


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("name", POLICIES)
def test_policies(variant: str, name: str, interpolation: str) -> None:
    policy = load_policy(name)
    rng = np.random.default_rng(len(name))
    for channels, size in ((3, (32, 32)), (1, (28, 28)), (3, (17, 43))):
        images = pictures(rng, (48, *size, channels))
        fill = rng.integers(0, 256, channels).tolist()
        stream = Stream(seed=channels, epoch=3, index=rng.integers(0, 10**6, len(images)))
        sequences = policy.sample(stream)
        ours = apply_native(
            images, sequences, policy.space, stream, fill=fill, interpolation=interpolation
        )
        for row in range(len(images)):
            theirs = _through_torchvision(
                images[row : row + 1],
                sequences.take([row]),
                policy.space,
                stream.take([row]),
                fill=fill,
                interpolation=interpolation,
            )
            np.testing.assert_array_equal(ours[row : row + 1], theirs, err_msg=f"row {row}")
