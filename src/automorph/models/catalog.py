"""The names of the networks, and the one door that builds them."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from automorph.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

_PLACE = "automorph.models"
_WIDTH = re.compile(r"(cnn|resnet9)(?::([1-9]\d*))?")
_WIDE = re.compile(r"(wrn|pyramidnet)-([1-9]\d*)-([1-9]\d*)")
_FILES = {"wrn": "wide_resnet", "pyramidnet": "pyramidnet"}
_SHAKE = re.compile(r"shake-shake-26-2x([1-9]\d*)d")

_FOR_TEXTS = ("bag-of-words", "text-", "sentence:", "transformers:")

_KNOWN = {
    "cnn": "small CNN for 8 to 28 pixels, the default; `cnn:32` is twice as wide",
    "resnet9": "ResNet-9 for 32 pixels, width 64; `resnet9:16` trains fast on a CPU",
    "resnet18": "ResNet-18 with the stem for 32 pixels",
    "wrn-16-2": "Wide ResNet of depth 16 and widening factor 2 (any `wrn-DEPTH-WIDTH`)",
    "wrn-40-2": "Wide ResNet of depth 40 and widening factor 2",
    "wrn-28-10": "Wide ResNet of depth 28 and widening factor 10",
    "shake-shake-26-2x96d": "Shake-Shake, two branches a block (any `shake-shake-26-2xWIDTHd`)",
    "pyramidnet-272-200": "PyramidNet with ShakeDrop (any `pyramidnet-DEPTH-WIDENING`)",
    "bag-of-words": "texts: the mean of the words' embeddings",
    "text-cnn": "texts: convolutions over 3, 4 and 5 words, the default for texts",
    "text-transformer": "texts: a small encoder of two layers",
    "sentence:NAME": "texts: features of a pretrained encoder that stays as it is, a linear head",
    "transformers:NAME": "texts: any sequence classifier of transformers (folder, package, hub)",
    "timm:NAME": "any network of timm, untrained; `timm:NAME:pretrained` loads its weights",
}


def list_models() -> dict[str, str]:
    """The names that `build_model` understands, each with a line about it.

    >>> list(list_models())[:2]
    ['cnn', 'resnet9']
    """
    return dict(_KNOWN)


def build_model(
    name: str, *, channels: int, classes: int, size: int | tuple[int, int]
) -> nn.Module:
    """The network of that name, freshly initialised, for images of a shape.

    ``channels`` is 1, 3 or 4, ``size`` the side in pixels or (height, width). The network maps
    float ``(n, channels, height, width)`` to logits ``(n, classes)``. Initial weights are drawn
    from torch's global generator. Raises `UsageError` for a name or size that cannot be built.

    >>> model = build_model("wrn-16-2", channels=3, classes=10, size=32)
    >>> sum(p.numel() for p in model.parameters())
    691674
    """
    height, width = (size, size) if isinstance(size, int) else size
    if min(channels, classes, height, width) < 1:
        raise UsageError(
            f"model {name!r} for {channels} channels, {classes} classes and {height}x{width} "
            "pixels: expected positive numbers; check the data's shape and labels"
        )
    return _builder(name)(channels, classes, (height, width))


def build_text_model(name: str, *, inputs: int, classes: int) -> nn.Module:
    """The network of that name for texts; see `automorph.models.text`."""
    from automorph.models import text

    return text.build_text_model(name, inputs=inputs, classes=classes)


def _builder(name: str) -> Callable[[int, int, tuple[int, int]], nn.Module]:
    """What builds the network from channels, classes and (height, width)."""
    options: dict[str, int]
    if found := _WIDTH.fullmatch(name):
        file, options = found[1], {"width": int(found[2])} if found[2] else {}
    elif found := _WIDE.fullmatch(name):
        file, options = _FILES[found[1]], {"depth": int(found[2]), "widen": int(found[3])}
    elif found := _SHAKE.fullmatch(name):
        file, options = "shake_shake", {"width": int(found[1])}
    elif name == "resnet18":
        file, options = "resnet18", {}
    elif name.startswith("timm:"):
        from automorph.models.from_timm import build

        return partial(build, name)
    elif name.startswith(_FOR_TEXTS):
        raise UsageError(
            f"the model {name!r} is for texts, and these are images; `automorph list models` "
            "tells which is for which"
        )
    else:
        near = get_close_matches(name, _KNOWN, n=3, cutoff=0.4)
        hint = f"near matches: {', '.join(near)}" if near else f"known: {', '.join(_KNOWN)}"
        raise UsageError(
            f"unknown model {name!r}; {hint}; `automorph list models` shows all, "
            "and any network of timm is `timm:NAME`"
        )
    # Torch is slow to import, and names are looked at by commands that need no network.
    return partial(import_module(f"{_PLACE}.{file}").build, **options)
