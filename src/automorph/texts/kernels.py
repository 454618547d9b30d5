"""The operations on texts by name: tokens in, tokens out, with one value a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from automorph.texts.draws import Draws, Floats
from automorph.texts.order import delete, swap
from automorph.texts.tokens import Tokens

Kernel = Callable[[Tokens, Floats, Draws], Tokens]

KERNELS: Mapping[str, Kernel] = {
    "Swap": swap,
    "Delete": delete,
}
