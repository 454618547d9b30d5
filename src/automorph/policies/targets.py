"""Boxes, masks and key points that a policy moves along with their images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automorph.engine import Places, refuse
from automorph.engine import follow as follow_sequences
from automorph.errors import UsageError
from automorph.operations import NOTHING, Outside, SearchSpace, Sequences, Stream
from automorph.policies.base import Images, Policy, stream_for
from automorph.policies.chain import Chain
from automorph.policies.schedule import Schedule
from automorph.policies.traversal import drawable

_ALONG = 8
"""Points along each side of a box, from which bent boxes are found."""


@dataclass(frozen=True, eq=False)
class Followed:
    """Augmented images ``(n, H, W, C)``, with their boxes, masks and key points.

    ``boxes`` ``(k, 4)`` of each image are cut at its edges; ``visible`` ``(k,)`` is the share of
    each box that remains in the image (0: none, and the box has no area). ``points`` ``(k, 2)`` may
    lie outside. ``masks`` ``(n, H, W)`` keep their type. Fields that were not given are None.
    """

    images: Images
    boxes: list[Places] | None = None
    visible: list[NDArray[np.float64]] | None = None
    masks: NDArray[Any] | None = None
    points: list[Places] | None = None


def follow(
    policy: Policy | str | os.PathLike[str],
    images: Images,
    *,
    boxes: Sequence[ArrayLike] | None = None,
    masks: ArrayLike | None = None,
    points: Sequence[ArrayLike] | None = None,
    seed: int = 0,
    epoch: int = 0,
    index: ArrayLike | None = None,
    copy: int = 0,
    ignore: int | None = None,
) -> Followed:
    """Augment images ``(n, H, W, C)``, and move their boxes, masks and key points with them.

    ``boxes`` holds for each image its boxes ``(k, 4)`` as left, top, right, bottom in pixels;
    ``points`` its key points ``(k, 2)`` as x, y; ``masks`` is ``(n, H, W)``, of any whole numbers;
    ``ignore`` is their value for what comes in from outside an image (None: 0).
    Images are those of ``policy.augment``. A turned box becomes the smallest upright one around it.

    Raises ``UsageError`` for policies that blend images (AugMix, mixup, CutMix, SamplePairing), and
    for custom operations, because where they move pixels is unknown.

    >>> image = np.zeros((1, 10, 10, 3), np.uint8)
    >>> out = follow("flip(p=1)", image, boxes=[[[0, 0, 4, 10]]], points=[[[1, 5]]])
    >>> out.boxes[0].tolist(), out.points[0].tolist()
    ([[6.0, 0.0, 10.0, 10.0]], [[9.0, 5.0]])
    """
    from automorph.policies.loading import load_policy

    loaded = load_policy(policy)
    check_follow(loaded)
    stream = stream_for(images, seed, epoch, index, copy)
    out = loaded.transform(images, stream)
    size = (images.shape[1], images.shape[2])
    positions = _positions(boxes, points, len(images))
    covered = None if masks is None else _masks(masks, images, ignore)
    for sequences, space, part, outside in _passes(loaded, stream):
        positions, covered = follow_sequences(
            positions, covered, sequences, space, part, size, outside, ignore or 0
        )
    counts = [0] * len(images) if boxes is None else [len(np.reshape(b, (-1, 4))) for b in boxes]
    found = [_boxes(p[: 4 * _ALONG * k], size) for p, k in zip(positions, counts, strict=True)]
    rest = [p[4 * _ALONG * k :] for p, k in zip(positions, counts, strict=True)]
    return Followed(
        images=out,
        boxes=None if boxes is None else [box for box, _ in found],
        visible=None if boxes is None else [share for _, share in found],
        masks=covered,
        points=None if points is None else rest,
    )


def check_follow(policy: Policy) -> None:
    """Raise ``UsageError`` if it is unknown where a policy moves pixels, by name.

    >>> from automorph.policies import load_policy
    >>> check_follow(load_policy("cutmix"))
    Traceback (most recent call last):
        ...
    automorph.errors.UsageError: the policy 'cutmix(alpha=1,p=0.5)' blends images, but boxes, ...
    """
    if policy.mixes_labels or not policy.is_sequence:
        raise UsageError(
            f"the policy {policy.name!r} blends images, but boxes, masks and key points cannot "
            "be blended; use a policy of operations, such as flip-crop + randaugment"
        )
    for operation in drawable(policy):
        refuse(operation)


def _passes(
    policy: Policy, stream: Stream
) -> Iterator[tuple[Sequences, SearchSpace, Stream, Outside]]:
    """Yield the sequences, space, random numbers and outside of each pass of ``transform``."""
    if isinstance(policy, Schedule):
        yield from _passes(policy.at(stream.epoch), stream)
        return
    if not isinstance(policy, Chain):
        if len(policy.space):
            yield policy.sample(stream), policy.space, stream, _outside(policy)
        return
    position = 0
    for number, stage in enumerate(policy.stages):
        if isinstance(stage, Schedule):
            # It runs separately, and counts its positions from 0.
            yield from _passes(stage, stream.at_stage(number))
        elif len(stage.space):
            part = stage.sample(stream.at_stage(number))
            before = Sequences.of(np.full((len(stream), position), NOTHING))
            yield before.then(part), stage.space, stream, _outside(stage)
            position += part.length


def _outside(policy: Policy) -> Outside:
    fill = getattr(policy, "fill", None)
    return fill if fill in ("edge", "reflect") else "fill"


def _positions(
    boxes: Sequence[ArrayLike] | None, points: Sequence[ArrayLike] | None, n: int
) -> list[Places]:
    """Return all points of each image: along its boxes, then its key points."""
    for what, given, width in (("boxes", boxes, 4), ("points", points, 2)):
        if given is None:
            continue
        if len(given) != n:
            raise UsageError(
                f"got {what} for {len(given)} images, but {n} images; expected one entry per image"
            )
        for part in given:
            shape = np.shape(part)
            if np.size(part) and (len(shape) != 2 or shape[1] != width):
                raise UsageError(f"got {what} of shape {shape} for an image; expected (k, {width})")
    out = []
    for row in range(n):
        box = np.zeros((0, 4)) if boxes is None else np.reshape(boxes[row], (-1, 4))
        point = np.zeros((0, 2)) if points is None else np.reshape(points[row], (-1, 2))
        out.append(np.concatenate([_outlines(np.asarray(box, np.float64)), point]))
    return out


def _outlines(boxes: Places) -> Places:
    """Return points along the sides of boxes, ``(32 k, 2)``."""
    t = np.arange(_ALONG) / _ALONG
    left, top, right, bottom = (boxes[:, i, None] for i in range(4))
    still = np.zeros_like(t)
    x = [left + (right - left) * t, right + still, right - (right - left) * t, left + still]
    y = [top + still, top + (bottom - top) * t, bottom + still, bottom - (bottom - top) * t]
    return np.stack([np.concatenate(x, 1), np.concatenate(y, 1)], axis=2).reshape(-1, 2)


def _boxes(outlines: Places, size: tuple[int, int]) -> tuple[Places, NDArray[np.float64]]:
    """Return upright boxes around outlines, cut at the edges, and the shares that remain."""
    sides = outlines.reshape(-1, 4 * _ALONG, 2)
    if not len(sides):
        return np.zeros((0, 4)), np.zeros(0)
    low, high = sides.min(1), sides.max(1)
    edge = np.array([size[1], size[0]], np.float64)
    inside = np.concatenate([np.clip(low, 0, edge), np.clip(high, 0, edge)], axis=1)
    area = np.maximum((high - low).prod(1), 1e-9)
    return inside, (inside[:, 2:] - inside[:, :2]).prod(1) / area


def _masks(masks: ArrayLike, images: Images, ignore: int | None) -> NDArray[Any]:
    array = np.asarray(masks)
    whole = isinstance(ignore, int | np.integer) and not isinstance(ignore, bool)
    known = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
    if ignore is not None and not (whole and known and known.min <= ignore <= known.max):
        raise UsageError(
            f"got ignore={ignore!r} for masks of type {array.dtype}; expected a whole number of "
            "that type, such as 255"
        )
    if array.shape != images.shape[:3] or array.dtype.kind not in "iub":
        raise UsageError(
            f"got masks of shape {array.shape} and type {array.dtype} for images "
            f"{images.shape}; expected whole numbers of shape {images.shape[:3]}"
        )
    return array
