"""The names of the networks, and the functions that build them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from automorph.errors import UsageError
from automorph.models.weights import Weights, is_pretrained
from automorph.registry import Entry, Registry

if TYPE_CHECKING:
    from torch import nn

_WRN = r"wrn-(?P<depth>[1-9]\d*)-(?P<widen>[1-9]\d*)"


@dataclass(frozen=True)
class ModelEntry(Entry["nn.Module"]):
    """A network, the pattern of the names that it goes by, and the kind of examples it takes.

    One that is ``per_pixel`` predicts masks. Groups of the pattern are options of the factory. The
    factory takes channels, classes and (height, width), or for texts inputs and classes, and then
    the options.
    """

    pattern: str = ""
    domain: str = "image"
    per_pixel: bool = False

    def matched(self, name: str) -> dict[str, Any] | None:
        """Return the options in a name; None if it names another network."""
        match = re.fullmatch(self.pattern or re.escape(self.name), name)
        if match is None:
            return None
        given = {key: value for key, value in match.groupdict().items() if value is not None}
        return {key: int(value) if value.isdecimal() else value for key, value in given.items()}


MODELS = Registry(
    "model",
    ModelEntry(
        "cnn",
        "automorph.models.cnn:build",
        "small CNN for 8 to 28 pixels, the default; `cnn:32` is twice as wide",
        r"cnn(?::(?P<width>[1-9]\d*))?",
    ),
    ModelEntry(
        "resnet9",
        "automorph.models.resnet9:build",
        "ResNet-9 for 32 pixels, width 64; `resnet9:16` trains fast on a CPU, `resnet9:16/2` "
        "costs the same at 64 pixels, `/4` at 128",
        r"resnet9(?::(?P<width>[1-9]\d*))?(?:/(?P<stride>[248]))?",
    ),
    ModelEntry(
        "resnet18", "automorph.models.resnet18:build", "ResNet-18 with a stem for 32 pixels"
    ),
    ModelEntry(
        "unet",
        "automorph.models.unet:build",
        "masks: a small U-Net, width 16, the default for masks; `unet:32` is twice as wide, "
        "`unet:16/2` costs at 128 pixels what `unet:16` costs at 64",
        r"unet(?::(?P<width>[1-9]\d*))?(?:/(?P<stride>[248]))?",
        per_pixel=True,
    ),
    ModelEntry(
        "wrn-16-2",
        "automorph.models.wide_resnet:build",
        "Wide ResNet of depth 16 and widening factor 2 (any `wrn-DEPTH-WIDTH`)",
        _WRN,
    ),
    ModelEntry(
        "wrn-40-2",
        "automorph.models.wide_resnet:build",
        "Wide ResNet of depth 40 and widening factor 2",
        _WRN,
    ),
    ModelEntry(
        "wrn-28-10",
        "automorph.models.wide_resnet:build",
        "Wide ResNet of depth 28 and widening factor 10",
        _WRN,
    ),
    ModelEntry(
        "shake-shake-26-2x96d",
        "automorph.models.shake_shake:build",
        "Shake-Shake, two branches per block (any `shake-shake-26-2xWIDTHd`)",
        r"shake-shake-26-2x(?P<width>[1-9]\d*)d",
    ),
    ModelEntry(
        "pyramidnet-272-200",
        "automorph.models.pyramidnet:build",
        "PyramidNet with ShakeDrop (any `pyramidnet-DEPTH-WIDENING`)",
        r"pyramidnet-(?P<depth>[1-9]\d*)-(?P<widen>[1-9]\d*)",
    ),
    ModelEntry(
        "bag-of-words",
        "automorph.models.text:BagOfWords",
        "texts: the mean of the words' embeddings",
        domain="text",
    ),
    ModelEntry(
        "text-cnn",
        "automorph.models.text:TextCNN",
        "texts: convolutions over 3, 4 and 5 words, the default for texts",
        domain="text",
    ),
    ModelEntry(
        "text-transformer",
        "automorph.models.text:Transformer",
        "texts: a small two-layer encoder",
        domain="text",
    ),
    ModelEntry(
        "sentence:NAME",
        "automorph.models.text:linear_head",
        "texts: a linear head on the features of a frozen pretrained encoder",
        r"sentence:.*",
        domain="text",
    ),
    ModelEntry(
        "transformers:NAME",
        "automorph.models.text:sequence_classifier",
        "texts: any sequence classifier from transformers (folder, package, hub)",
        r"(?P<name>transformers:.*)",
        domain="text",
    ),
    ModelEntry(
        "timm:NAME",
        "automorph.models.from_timm:build",
        "any timm network, untrained; `timm:NAME:pretrained` starts from its weights, those of "
        "`--weights FILE` if given",
        r"(?P<name>timm:.*)",
    ),
    ModelEntry(
        "features:timm:NAME",
        "automorph.models.from_timm:build_features",
        "a linear head on the features of a frozen timm network with its pretrained weights, "
        "those of `--weights FILE` if given",
        r"(?P<name>features:timm:.*)",
    ),
    ModelEntry(
        "features:sentence:NAME",
        "automorph.models.frozen:on_sentences",
        "texts: a linear head on the features of a frozen pretrained encoder, fitted exactly",
        r"features:sentence:.*",
        domain="text",
    ),
    example="resnet9:16",
    listing="models",
)


def list_models() -> dict[str, str]:
    """List the names that `build_model` accepts, with a summary of each.

    >>> list(list_models())[:2]
    ['cnn', 'resnet9']
    """
    return MODELS.about()


def build_model(
    name: str,
    *,
    channels: int,
    classes: int,
    size: int | tuple[int, int],
    weights: Weights | None = None,
) -> nn.Module:
    """Build the named network, freshly initialised, for images of a shape.

    ``channels`` is 1, 3 or 4, ``size`` the side in pixels or (height, width). The network maps
    float ``(n, channels, height, width)`` to logits ``(n, classes)``. Initial weights are drawn
    from torch's global generator; those of pretrained networks are read from ``weights`` (see
    `weights_for`; None: from timm), except the output layer. Raises `UsageError` for a name or size
    that cannot be built.

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
    builder = _builder(name, "image")
    if weights is not None and is_pretrained(name):
        builder = partial(builder, weights=weights)
    return builder(channels, classes, (height, width))


def build_text_model(name: str, *, inputs: int, classes: int) -> nn.Module:
    """Build the named network for texts.

    ``inputs`` is the number of different words, or of features for ``sentence:NAME``. Raises
    `UsageError` for an unknown name.

    >>> import torch
    >>> model = build_text_model("text-cnn", inputs=50, classes=2)
    >>> model(torch.tensor([[4, 7, 9, 0, 0, 0]])).shape
    torch.Size([1, 2])
    """
    return _builder(name, "text")(inputs, classes)


def check_model(name: str) -> None:
    """Refuse a name that no network goes by, for images or texts, without building it."""
    _matched(name)


def check_output(name: str, *, masks: bool) -> None:
    """Refuse a network that predicts one class per image for masks, and the other way round.

    >>> check_output("unet:16", masks=True)
    """
    entry, _ = _matched(name)
    if entry.per_pixel == masks:
        return
    fitting = [one.name for one in MODELS.values() if one.per_pixel == masks]
    what = "a class for each pixel" if entry.per_pixel else "one class for each example"
    raise UsageError(
        f"the model {name!r} predicts {what}, but the data have "
        f"{'masks' if masks else 'no masks'}; expected {' or '.join(fitting[:4])}, or a network of "
        "your own in Python: model=FUNCTION"
    )


def _matched(name: str) -> tuple[ModelEntry, dict[str, Any]]:
    """The entry of a name, and the options in it."""
    for entry in MODELS.values():
        options = entry.matched(name)
        if options is not None:
            return entry, options
    raise MODELS.unknown(name)


def _builder(name: str, domain: str) -> Callable[..., nn.Module]:
    """Return the factory of a named network for images or texts, with its options bound."""
    entry, options = _matched(name)
    if entry.domain != domain:
        fitting = ", ".join(one.name for one in MODELS.values() if one.domain == domain)
        raise UsageError(
            f"the model {name!r} is for {entry.domain}s, but the data are {domain}s; expected one "
            f"of {fitting}; see: automorph list models"
        )
    return partial(entry.load(), **options)
