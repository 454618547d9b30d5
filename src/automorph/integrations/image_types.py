"""Images of any types and sizes, augmented one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from automorph.errors import UsageError
from automorph.operations import Stream
from automorph.policies import Policy, as_given, as_uint8, augment_one, drawable

_WORTH_ONE_BY_ONE = 1 << 14
"""Bytes of an image from which on stacking costs more than a call for each."""


def augment_each(policy: Policy, images: Sequence[Any], stream: Stream) -> list[Any]:
    """Augment images of any sizes and types one by one; results keep their type.

    Small images of equal size are passed to the engine together.
    """
    if len(images) == 1 or _bytes(images[0]) >= _WORTH_ONE_BY_ONE:
        done = _one_by_one(policy, images, stream)
        if done is not None:
            return done
    arrays = [as_uint8(image) for image in images]
    # A user function that takes batches may combine their images: pass one image at a time.
    apart = any(operation.batched for operation in policy.space)
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, array in enumerate(arrays):
        alike[(*array.shape, number if apart else 0)].append(number)
    out: list[Any] = [None] * len(images)
    for rows in alike.values():
        batch = np.stack([arrays[row] for row in rows])
        for row, done in zip(rows, policy.transform(batch, stream.take(rows)), strict=True):
            out[row] = as_given(done, images[row])
    return out


def _one_by_one(policy: Policy, images: Sequence[Any], stream: Stream) -> list[Any] | None:
    """Augment images by the shortest way; None if one of them needs the general one."""
    out = []
    numbers = zip(images, stream.index.tolist(), stream.copy.tolist(), strict=True)
    for image, index, copy in numbers:
        done = augment_one(
            policy, image, seed=stream.seed, epoch=stream.epoch, index=index, copy=copy
        )
        if done is None:
            return None
        out.append(done)
    return out


def _bytes(image: Any) -> int:
    """Return how large an image is: exactly for arrays and tensors, at least 3 for a pixel."""
    known = getattr(image, "nbytes", None)
    width, height = getattr(image, "size", (0, 0)) if known is None else (0, 0)
    return 3 * width * height if known is None else int(known)


def need_no_others(
    policy: Policy,
    who: str,
    instead: str = "use automorph.Collate(policy) as the collate_fn of the DataLoader",
) -> None:
    """Raise ``UsageError`` for a policy that combines examples; ``instead`` is the remedy."""
    partners = [operation.name for operation in drawable(policy) if operation.partner]
    if policy.mixes_labels or partners:
        what = "mixes labels" if policy.mixes_labels else f"uses {partners[0]}"
        raise UsageError(
            f"the policy {policy.name!r} {what}, so it needs whole batches, but {who} sees single "
            f"examples; {instead}"
        )
