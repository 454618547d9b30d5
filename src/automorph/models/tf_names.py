"""Weights of EfficientNets converted from TensorFlow, renamed for timm.

The names are those of the packages ``efficientnet_pytorch`` and ``efficientnet_lite_pytorch``
(github.com/ml-illustrated/EfficientNet-Lite-PyTorch at 1213079). Their networks pad as TensorFlow
does (SAME) and normalise with an epsilon of 1e-3: these are timm's ``tf_efficientnet_..``. Its
``efficientnet_..`` of the same shapes pad and normalise otherwise, so that the weights fit them and
give other answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
"""Blocks of the first stage expand nothing, and so have one convolution less."""
_NAME = re.compile(r"(?:_blocks\.(?P<block>\d+)\.)?(?P<layer>_[a-z0-9_]+)\.(?P<rest>\w+)")


def has_tf_names(tensors: dict[str, Tensor]) -> bool:
    """Return whether weights bear the names of these packages."""
    return "_conv_stem.weight" in tensors


def timm_names(tensors: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Rename weights for timm's network; names that these packages never give stay as they are."""
    # timm numbers blocks within stages; the packages number them through.
    stages: nn.Module = model.blocks  # type: ignore[assignment]
    places = [
        f"blocks.{i}.{j}"
        for i, stage in enumerate(stages.children())
        for j, _ in enumerate(stage.children())
    ]
    expanding = {
        int(found["block"]) for name in tensors
        if (found := _NAME.fullmatch(name)) and found["layer"] == "_expand_conv" and found["block"]
    }  # fmt: skip

    def renamed(name: str) -> str:
        found = _NAME.fullmatch(name)
        if found is None:
            return name
        if found["block"] is None:
            layer = _OUTSIDE.get(found["layer"])
            return name if layer is None else f"{layer}.{found['rest']}"
        number = int(found["block"])
        layer = (_BLOCK if number in expanding else _FIRST_BLOCK).get(found["layer"])
        if layer is None or number >= len(places):
            return name
        return f"{places[number]}.{layer}.{found['rest']}"

    return {renamed(name): tensor for name, tensor in tensors.items()}
