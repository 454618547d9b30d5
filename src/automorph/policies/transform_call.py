"""Policies called as the transforms of other libraries: one argument, no seed and no index."""

from __future__ import annotations

import random
import sys
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from automorph.engine import is_tensor
from automorph.errors import DataError, UsageError
from automorph.operations import Operation, SearchSpace, Stream
from automorph.policies.image_types import CHANNELS, as_given, as_uint8
from automorph.policies.one_image import augment_one
from automorph.policies.plans import Drawing
from automorph.policies.tensors import are_texts, as_texts

_INDEX_BITS, _COPY_BITS = 32, 16


class _Policy(Protocol):
    """What a call needs of a policy."""

    @property
    def name(self) -> str: ...
    @property
    def mixes_labels(self) -> bool: ...
    @property
    def needs_epoch(self) -> bool: ...
    @property
    def needs_seed(self) -> bool: ...
    @property
    def drawable(self) -> tuple[Operation, ...]: ...
    @property
    def space(self) -> SearchSpace: ...
    @property
    def _partners(self) -> tuple[str, ...]: ...
    @property
    def _refusal(self) -> str: ...
    def _drawing(self, seed: int) -> Drawing | None: ...
    def transform(self, examples: Any, stream: Stream, *, threads: int = 1) -> Any: ...


class TransformCall:
    """A mixin for policies: ``policy(example)``."""

    def __call__(self: _Policy, example: Any, *others: Any) -> Any:
        """Augment an image, a text or a batch, as a transform in another library's pipeline.

        Images are a PIL image, a uint8 array ``(H, W)``, ``(H, W, C)`` or ``(n, H, W, C)``, or a
        tensor ``(H, W)``, ``(C, H, W)`` or ``(n, C, H, W)``, uint8 or float in [0, 1]; the result
        has type and shape of the input.

        Every call draws anew: it takes one number from torch's default generator on the CPU (from
        Python's ``random`` where torch is not imported). So ``torch.manual_seed`` repeats the
        draws, workers of a ``DataLoader`` and epochs draw differently, and all policies take the
        same amount of random numbers. As for other transforms, draws depend on the number of
        workers; those of `augment` and of `automorph.Augmented` do not, because they know the seed,
        the epoch and the number of each example.

        Raises `UsageError` for policies that need more than one example: those that mix labels or
        blend examples, that change with the epoch, or are drawn by the seed of the training.

        >>> from automorph import load_policy
        >>> load_policy("trivialaugment")(np.zeros((8, 9, 3), np.uint8)).shape
        (8, 9, 3)
        """
        if self._refusal:
            raise UsageError(self._refusal)
        if others:
            kinds = ", ".join(type(other).__name__ for other in others)
            raise UsageError(
                f"the policy {self.name!r:.60} got an image and {kinds}; as a transform it takes "
                "the image only. Call the Compose with the image, use automorph.Augmented(dataset, "
                "policy), or automorph.policies.follow for boxes and masks"
            )
        if isinstance(example, str):
            return str(self.transform(as_texts([example]), _stream(1, *_next_numbers()))[0])
        if are_texts(example):
            return self.transform(as_texts(example), _stream(len(example), *_next_numbers()))
        if self._partners and getattr(example, "ndim", 2) != 4:
            raise UsageError(
                f"the policy {self.name!r} uses {self._partners[0]}, which needs a batch, but got "
                "a single image; pass a batch, use automorph.Collate(policy) as the collate_fn of "
                "the DataLoader, or take a policy without it, such as random(space=randaugment)"
            )
        one = getattr(example, "ndim", 2) < 4
        numbers = _next_numbers()
        if one:
            index, copy = numbers
            done = augment_one(self, example, seed=0, epoch=0, index=index, copy=copy)
            if done is not None:
                return done
        if is_tensor(example):
            batch = _as_batch(example)
            out = self.transform(batch, _stream(len(batch), *numbers))
            return out.reshape(example.shape).as_subclass(type(example))
        if not one and isinstance(example, np.ndarray):
            return self.transform(example, _stream(len(example), *numbers))
        out = self.transform(as_uint8(example)[None], _stream(1, *numbers))
        return as_given(out[0], example)

    @cached_property
    def _refusal(self: _Policy) -> str:
        """Why the policy cannot be called as a transform; empty if it can."""
        return _refusal(self)

    @cached_property
    def _partners(self: _Policy) -> tuple[str, ...]:
        """Operations that combine examples of a batch."""
        return tuple(operation.name for operation in self.drawable if operation.partner)


def _as_batch(images: Any) -> Any:
    """Return a tensor, of any subclass (torchvision's images), as a plain one ``(n, C, H, W)``."""
    import torch

    batch = images.as_subclass(torch.Tensor)
    while 2 <= batch.ndim < 4:
        batch = batch[None]
    fits = batch.dtype == torch.uint8 or batch.is_floating_point()
    if not fits or batch.ndim != 4 or batch.shape[1] not in CHANNELS:
        kind = str(images.dtype).removeprefix("torch.")
        raise DataError(
            f"got a tensor {kind} of shape {tuple(images.shape)}; expected an image (H, W) or "
            "(C, H, W) or a batch (n, C, H, W), uint8 or floats in [0, 1], with 1, 3 or 4 channels"
        )
    return batch


def _next_numbers() -> tuple[int, int]:
    """Return an index and a copy from the random state of the process."""
    torch = sys.modules.get("torch")
    bits = _INDEX_BITS + _COPY_BITS
    if torch is None:
        drawn = random.getrandbits(bits)
    else:
        drawn = int(torch.randint(1 << bits, (), device="cpu"))
    return drawn & ((1 << _INDEX_BITS) - 1), drawn >> _INDEX_BITS


def _stream(n: int, first: int, copy: int) -> Stream:
    """Return the random numbers of ``n`` examples, numbered from ``first`` on."""
    return Stream(index=(first + np.arange(n)) % (1 << _INDEX_BITS), copy=copy)


def _refusal(policy: _Policy) -> str:
    who = f"the policy {policy.name!r}"
    if policy.mixes_labels:
        return (
            f"{who} mixes labels, but as a transform it gets none; use automorph.Collate(policy) "
            "as the collate_fn of the DataLoader, or policy.augment(images, labels=...)"
        )
    if policy.needs_epoch:
        return (
            f"{who} changes with the epoch, which a transform does not know; use "
            "automorph.Augmented(dataset, policy) and call its set_epoch before each epoch"
        )
    if policy.needs_seed:
        return (
            f"{who} is drawn by the seed of the training, which a transform does not know; give it "
            "one: random(seed=0), or use automorph.Augmented(dataset, policy, seed=seed)"
        )
    return ""
