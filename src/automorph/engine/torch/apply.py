"""The device path: plan on the host, send all random draws in one transfer, run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from automorph.engine.torch.plan import PlannedCall, plan
from automorph.engine.torch.transfer import send
from automorph.engine.validation import check_batch, check_fill
from automorph.operations import DeviceContext, SearchSpace, Sequences, Stream

_MOST_VALUES = {"cpu": 1 << 16}
_MOST_VALUES_ELSEWHERE = 1 << 25
"""Kernels get at most about this many pixel values at once: as many as fit into a CPU's cache, or
keep an accelerator busy without filling its memory (the largest tables take 8 bytes per value)."""


@torch.no_grad()
def apply_on_device(
    images: Tensor,
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    fill: int | str | Sequence[int] = 0,
    interpolation: str = "nearest",
    mode: str = "exact",
    prefixes: bool = False,
) -> Tensor:
    """Apply sequences to uint8 images ``(n, C, H, W)`` on their device; see ``engine.apply``.

    The host draws the random numbers and sends them in one transfer; nothing is read back, so work
    queues up on the device. Results are pixel-identical to the reference path, except for Swirl,
    whose sines may differ in the last bit (off by one level in rare pixels). On devices without
    float64 (Apple's), bilinear interpolation, AutoContrast and the rare operations are off by at
    most a few levels. Functions of the user, and maps too wide for PIL's fixed point, run on the
    host, and the device waits for them.

    >>> from automorph.operations import named_space
    >>> space = SearchSpace("one", (named_space("autoaugment")["Invert"],))
    >>> images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    >>> out = apply_on_device(images, Sequences.of([[0], [-1]]), space, Stream(index=[0, 1]))
    >>> out.amax((1, 2, 3)).tolist()
    [255, 0]
    """
    n, channels, height, width = images.shape
    shaped = np.broadcast_to(np.uint8(0), (n, height, width, channels))
    check_batch(shaped, sequences, space, stream, interpolation, mode, 1)
    colour, outside = check_fill(fill, shaped)
    positions = plan(
        sequences,
        space,
        stream,
        images=shaped,
        fill=colour,
        outside=outside,
        bilinear=interpolation == "bilinear",
        fused=mode == "fused",
    )
    # Pending maps in between are needed for prefixes only.
    rests = [p.rest if prefixes or p is positions[-1] else () for p in positions]
    ordered = [call for p, rest in zip(positions, rests, strict=True) for call in (*p.calls, *rest)]
    wide = wide_type(images.device)
    (fills,), *arguments = send(
        [(colour,), *((call.rows, *call.arguments) for call in ordered)], images.device, wide=wide
    )
    arrived = iter(arguments)
    setting = DeviceContext(images, fills, wide, outside)

    def carried_out(calls: Iterable[PlannedCall], done: Tensor) -> Tensor:
        for call in calls:
            rows, *drawn = next(arrived)
            done = (
                _on_host(call, done, rows) if call.host else _run(call, done, rows, drawn, setting)
            )
        return done

    done = images.clone(memory_format=torch.contiguous_format)
    steps = [done.clone()] if prefixes else []
    for position, rest in zip(positions, rests, strict=True):
        done = carried_out(position.calls, done)
        if prefixes:
            steps.append(carried_out(rest, done.clone()))
        elif rest:
            done = carried_out(rest, done)
    return torch.stack(steps, dim=1).contiguous() if prefixes else done


def wide_type(device: torch.device) -> torch.dtype:
    """Return the most precise float type of a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def _run(
    call: PlannedCall,
    images: Tensor,
    rows: Tensor,
    arguments: Sequence[Tensor],
    setting: DeviceContext,
) -> Tensor:
    """Run a kernel on some rows, in chunks, in place."""
    assert call.run is not None
    most = _MOST_VALUES.get(images.device.type, _MOST_VALUES_ELSEWHERE)
    size = max(1, most // images[0].numel())
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        own = [argument[part] for argument in arguments]
        # Rows are sorted and distinct, so an equal count means all images.
        if len(rows) == len(images):
            images[part] = call.run(images[part], setting, *own)
        else:
            chosen = images.index_select(0, rows[part])
            images.index_copy_(0, rows[part], call.run(chosen, setting, *own))
    return images


def _on_host(call: PlannedCall, images: Tensor, rows: Tensor) -> Tensor:
    """Process some rows on the host and copy them back."""
    assert call.host is not None
    here = images.index_select(0, rows).permute(0, 2, 3, 1).cpu().numpy()
    done = np.ascontiguousarray(call.host(np.ascontiguousarray(here)))
    images.index_copy_(0, rows, torch.from_numpy(done).permute(0, 3, 1, 2).to(images.device))
    return images
