"""Any network of timm, by name: `timm:resnet50`, or `timm:resnet50:pretrained` for its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from automorph.errors import UsageError
from automorph.models.tf_names import has_tf_names, timm_names
from automorph.models.weights import Weights, architecture_of, is_pretrained, read_weights
from automorph.registry import closest

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Preprocessing:
    """How the images of a pretrained network were prepared, as timm states it.

    ``mean`` and ``std`` of RGB as shares of 255; ``interpolation`` of the resizing, as timm names
    it; ``crop_share`` is the side of the centre crop, as a share of the resized image's.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    crop_share: float

    def for_channels(self, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and deviation of 1, 3 or 4 channels.

        Those of grey images, and of an alpha channel, are the means over RGB.
        """
        mean, std = sum(self.mean) / len(self.mean), sum(self.std) / len(self.std)
        if channels == 1:
            return (mean,), (std,)
        more = channels - len(self.mean)
        return (*self.mean, *[mean] * more), (*self.std, *[std] * more)


def preprocessing_of(name: str) -> Preprocessing:
    """Return how images are prepared for `timm:NAME:pretrained` or `features:timm:NAME`.

    >>> preprocessing_of("timm:tf_efficientnet_lite0:pretrained")
    Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), interpolation='bicubic', \
crop_share=0.875)
    """
    import timm

    cfg = timm.get_pretrained_cfg(_parse(name)[0], allow_unregistered=True)
    return Preprocessing(tuple(cfg.mean), tuple(cfg.std), cfg.interpolation, float(cfg.crop_pct))


def build(
    channels: int,
    classes: int,
    size: tuple[int, int],
    *,
    name: str,
    weights: Weights | None = None,
) -> nn.Module:
    """Build the network of `timm:NAME` or `timm:NAME:pretrained`, with a head for the classes.

    Nothing is downloaded unless `pretrained` is given without ``weights``. Networks that are tied
    to one image size (vision transformers) are built for the size of the data. Raises `UsageError`
    with close matches for a name that timm does not know, for a shape that the network cannot
    process, and for weights of another network.
    """
    import timm

    architecture, pretrained = _parse(name)
    options: dict[str, Any] = {"in_chans": channels}
    # timm's own tag of fixed-size networks; the others take any size and lack the option.
    config = timm.get_pretrained_cfg(architecture, allow_unregistered=True)
    if config is not None and config.fixed_input_size:
        options["img_size"] = size
    try:
        if weights is not None:
            model = whole(architecture, weights, **options)
            model.reset_classifier(classes)
        else:
            model = timm.create_model(
                architecture, pretrained=pretrained, num_classes=classes, **options
            )
        _try(model, channels, size)
    except OSError as error:
        raise UsageError(
            f"the weights of {architecture!r} could not be downloaded: {error}; connect to the "
            "internet once, pass a file of them (--weights FILE), or leave out `:pretrained`"
        ) from error
    except (AssertionError, RuntimeError, TypeError, ValueError, Warning) as error:
        raise UsageError(
            f"timm could not build {architecture!r} for {channels} channels and "
            f"{size[0]}x{size[1]} pixels: {error}; choose another network or larger images"
        ) from error
    return cast("nn.Module", model)


def whole(architecture: str, weights: Weights, **options: Any) -> Any:
    """Build a network and fill it with the weights of a file, the output layer included.

    The network is built with the outputs of the file, since timm, given another number of them,
    also accepts files that lack weights of other layers.
    """
    import timm

    tensors = read_weights(weights)
    tensors = _for_timm(tensors, architecture, weights)
    head = timm.get_pretrained_cfg(architecture, allow_unregistered=True).classifier
    heads = [head] if isinstance(head, str) else list(head or ())
    found = [tensors[f"{one}.weight"] for one in heads if f"{one}.weight" in tensors]
    outputs = len(found[0]) if found else 0
    cfg = {"state_dict": tensors, "num_classes": outputs}
    try:
        model = timm.create_model(
            architecture, pretrained=True, num_classes=outputs, pretrained_cfg_overlay=cfg,
            **options,
        )  # fmt: skip
        model.pretrained_cfg.pop("state_dict")  # A second copy of all weights.
        return model
    except (RuntimeError, KeyError, ValueError) as error:
        raise UsageError(
            f"the weights in {weights.file} are not those of {architecture!r}: {str(error)[:400]}; "
            f"expected a state_dict of timm.create_model({architecture!r})"
        ) from error


def build_features(
    channels: int,
    classes: int,
    size: tuple[int, int],
    *,
    name: str,
    weights: Weights | None = None,
) -> nn.Module:
    """Build `features:timm:NAME`: the network without its output layer, and a new linear head.

    With `:untrained` at its end, its weights are random: a control, and a network whose weights
    are to be loaded. Raises as `build` does.
    """
    import torch

    from automorph.models.frozen import FrozenFeatures
    from automorph.models.modes import evaluating

    backbone = build(channels, 0, size, name=name, weights=weights)
    with evaluating(backbone), torch.inference_mode():
        found = backbone(torch.zeros(1, channels, *size))
    if found.ndim != 2:
        raise UsageError(
            f"{name!r}: the network returns features of the shape {tuple(found.shape[1:])}; "
            "expected one row of numbers for each image: choose another network"
        )
    return FrozenFeatures(backbone, found.shape[1], classes)


def _for_timm(tensors: dict[str, Tensor], architecture: str, weights: Weights) -> dict[str, Tensor]:
    """Return weights under timm's names. Raises `UsageError` if they only seem to fit."""
    import timm
    import torch

    if not has_tf_names(tensors):
        return tensors
    if not architecture.startswith("tf_efficientnet"):
        other = f"tf_{architecture}"
        hint = f": use --model timm:{other}:pretrained" if timm.is_model(other) else ""
        raise UsageError(
            f"the weights in {weights.file} were converted from TensorFlow (they have its names, "
            f"such as _conv_stem.weight); expected one of timm's tf_efficientnet networks, which "
            f"pad and normalise like the original, and not {architecture!r}{hint}"
        )
    with torch.device("meta"):
        return timm_names(tensors, timm.create_model(architecture))


def _try(model: nn.Module, channels: int, size: tuple[int, int]) -> None:
    """Run one forward pass: many networks only then raise that the images are too small."""
    import torch

    from automorph.models.modes import evaluating

    with evaluating(model), torch.inference_mode():
        model(torch.zeros(1, channels, *size))


def _parse(name: str) -> tuple[str, bool]:
    """Return the architecture in a `timm:...` name, and whether its weights are wanted."""
    import timm

    architecture = architecture_of(name)
    forms = {
        f"timm:{architecture}": "timm:NAME",
        f"timm:{architecture}:pretrained": "timm:NAME:pretrained",
        f"features:timm:{architecture}": "features:timm:NAME",
        f"features:timm:{architecture}:untrained": "features:timm:NAME:untrained",
    }
    if name not in forms:
        raise UsageError(f"{name!r}: expected one of {', '.join(forms.values())}")
    if not timm.is_model(architecture):
        near = timm.list_models(f"*{architecture}*")[:5] if architecture else []
        near = near or closest(architecture, timm.list_models(), most=5)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UsageError(
            f"unknown timm network {architecture!r}.{hint} Expected a name from timm.list_models()"
        )
    return architecture, is_pretrained(name)
