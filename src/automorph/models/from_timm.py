"""Any network of timm, by name: `timm:resnet50`, or `timm:resnet50:pretrained` for its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from automorph.errors import UsageError
from automorph.registry import closest

if TYPE_CHECKING:
    from torch import nn


def build(channels: int, classes: int, size: tuple[int, int], *, name: str) -> nn.Module:
    """Build the network of `timm:NAME` or `timm:NAME:pretrained`, with a head for the classes.

    Nothing is downloaded unless `pretrained` is given. Networks that are tied to one image size
    (vision transformers) are built for the size of the data. Raises `UsageError` with close matches
    for a name that timm does not know, and for a shape that the network cannot process.
    """
    import timm

    architecture, pretrained = _parse(name)
    options: dict[str, Any] = {}
    # timm's own tag of fixed-size networks; the others take any size and lack the option.
    config = timm.get_pretrained_cfg(architecture, allow_unregistered=True)
    if config is not None and config.fixed_input_size:
        options["img_size"] = size
    try:
        model = timm.create_model(
            architecture, pretrained=pretrained, in_chans=channels, num_classes=classes, **options
        )
        _try(model, channels, size)
    except OSError as error:
        raise UsageError(
            f"the weights of {architecture!r} could not be downloaded: {error}; "
            f"connect to the internet once, or leave out `:pretrained`"
        ) from error
    except (AssertionError, RuntimeError, TypeError, ValueError, Warning) as error:
        raise UsageError(
            f"timm could not build {architecture!r} for {channels} channels and "
            f"{size[0]}x{size[1]} pixels: {error}; choose another network or larger images"
        ) from error
    return cast("nn.Module", model)


def _try(model: nn.Module, channels: int, size: tuple[int, int]) -> None:
    """Run one forward pass: many networks only then raise that the images are too small."""
    import torch

    from automorph.models.modes import evaluating

    with evaluating(model), torch.inference_mode():
        model(torch.zeros(1, channels, *size))


def _parse(name: str) -> tuple[str, bool]:
    """Return the architecture in a `timm:...` name, and whether its weights are wanted."""
    import timm

    _, architecture, *rest = name.split(":")
    if rest not in ([], ["pretrained"]):
        raise UsageError(f"{name!r}: expected timm:NAME or timm:NAME:pretrained")
    if not timm.is_model(architecture):
        near = timm.list_models(f"*{architecture}*")[:5] if architecture else []
        near = near or closest(architecture, timm.list_models(), most=5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UsageError(
            f"unknown timm network {architecture!r}.{hint} Expected a name from timm.list_models()"
        )
    return architecture, rest == ["pretrained"]
