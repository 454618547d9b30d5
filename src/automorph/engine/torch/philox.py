"""Random numbers for every pixel: the Philox words of ``operations.random``, on the device."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from automorph.engine.context import DRAWS_A_POSITION, Context, Values
from automorph.engine.torch.kernel import Arguments, Size
from automorph.operations import stream_key

_M0, _M1 = 0xD2511F53, 0xCD9E8D57
_W0, _W1 = 0x9E3779B9, 0xBB67AE85
_LOW = 0xFFFFFFFF
_ROUNDS = 10


def draw_counters(values: Values, step: Context, size: Size) -> Arguments:
    """The counters ``(m, 4)`` of draw 0 of this position, and the key ``(m, 2)``."""
    block = np.array([(step.position << DRAWS_A_POSITION) // 4])
    counters = step.stream.counters(block)[:, 0].astype(np.int64)
    key = np.array(stream_key(step.stream.seed, "op"), np.int64)
    return counters, np.broadcast_to(key, (len(values), 2))


def random_words(counters: Tensor, keys: Tensor, *, count: int, draw: int) -> Tensor:
    """Words ``(m, count)``, int64 below 2^32, from draw number ``draw`` of the position on."""
    blocks = (draw + count + 3) // 4
    c0, c1, c2, c3 = (word[:, None] for word in counters.unbind(1))
    c2 = c2 + torch.arange(blocks, device=counters.device)
    k0, k1 = (key[:, None] for key in keys.unbind(1))
    words = torch.stack(philox((c0, c1, c2, c3), (k0, k1)), dim=-1)
    return words.flatten(1)[:, draw : draw + count]


def philox(
    counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Philox 4x32-10 of four counter words and two key words, each int64 below 2^32.

    >>> zero = torch.tensor(0)
    >>> [hex(word) for word in philox((zero,) * 4, (zero,) * 2)]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for turn in range(_ROUNDS):
        r0, r1 = (k0 + turn * _W0) & _LOW, (k1 + turn * _W1) & _LOW
        # Products wrap around as signed numbers; their 64 bits are the right ones.
        p0, p1 = c0 * _M0, c2 * _M1
        c0, c1, c2, c3 = (
            ((p1 >> 32) & _LOW) ^ c1 ^ r0,
            p1 & _LOW,
            ((p0 >> 32) & _LOW) ^ c3 ^ r1,
            p0 & _LOW,
        )
    return c0, c1, c2, c3
