"""Policies exported as transforms of torchvision v2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from automorph.interop.call_ast import Call, Name
from automorph.interop.fidelity import EQUAL, OWN_PLACES, Fidelity, missing, none
from automorph.interop.ir import MOVED, Act, Draw, NoWordsError, colour_of, does_nothing
from automorph.interop.source_extract import definitions, function_name
from automorph.operations import CATALOGUE, GREY
from automorph.policies import TABLES, Mixture, Policy, Uniform, known_fill, load_policy

NAME = "torchvision"
PARTS = "automorph.interop.torchvision_runtime"
IMPORTS = "from torchvision.transforms import v2"
TITLE = "torchvision v2"
USE = """\
augment(image) takes PIL images and uint8 tensors, with boxes, masks and key points.

Its draws follow torch's generator: torch.manual_seed repeats them for the same number of workers,
and a DataLoader seeds its workers differently in every epoch."""

NATIVE = {
    "HorizontalFlip": "v2.RandomHorizontalFlip",
    "VerticalFlip": "v2.RandomVerticalFlip",
    "AutoContrast": "v2.RandomAutocontrast",
    "Equalize": "v2.RandomEqualize",
    "Invert": "v2.RandomInvert",
}
FUNCTIONS = {
    operation.name: function
    for operation in CATALOGUE
    if (function := function_name(operation.name)) in definitions(PARTS)
}
"""The functions that are applied at drawn values, by operation: they are named alike."""

FIDELITY: dict[str, Fidelity] = {
    **missing(TITLE),
    "Identity": EQUAL,
    **dict.fromkeys(NATIVE, EQUAL),
    **dict.fromkeys(FUNCTIONS, EQUAL),
    "PadCrop": OWN_PLACES,
    "ResizedCrop": OWN_PLACES,
    "Cutout": OWN_PLACES,
    "RandomErasing": Fidelity("alike", note="positions and noise are drawn by the library"),
    "Blur": Fidelity("close", 0.5, "rounding differences"),
    "SolarizeAdd": none("torchvision cannot add to only some of the levels"),
    "SamplePairing": none("it needs the batch"),
    "Zoom": none("torchvision does not replicate edges"),
    "Swirl": none("torchvision has no swirl"),
    "Elastic": none("torchvision uses a different displacement field"),
    "Erosion": none("torchvision has no morphology"),
    "Dilation": none("torchvision has no morphology"),
    "Noise": none("torchvision's noise does not support PIL images"),
}


def names() -> dict[str, Any]:
    """Return the modules behind the names in an export."""
    from torchvision.transforms import v2

    return {"v2": v2, **vars(import_module(PARTS))}


def write(draws: Sequence[Draw], *, size: Any = None) -> tuple[list[Call], list[str]]:
    """Return the draws as transforms, in order, and notes on the differences."""
    steps = []
    for draw in draws:
        if len(draw.options) == 1:
            steps += [_act(act, draw) for act in draw.options[0]]
            continue
        options = [together([_act(act, draw) for act in option]) for option in draw.options]
        weights = {} if draw.even else {"p": [round(weight, 9) for weight in draw.weights]}
        steps.append(Call("v2.RandomChoice", (options,), weights))
    return steps, []


def ready(policy: Policy) -> Call | None:
    """Return torchvision's own class for a policy, if it has an equivalent one."""
    if not isinstance(policy, (Uniform, Mixture)):
        return None
    fill = known_fill(policy.fill)
    options: dict[str, Any] = {"fill": fill} if fill else {}
    if policy.interpolation == "bilinear":
        options["interpolation"] = Name("v2.InterpolationMode.BILINEAR")
    plain = replace(policy, fill=0, interpolation="nearest")
    if isinstance(plain, Mixture):
        published = plain.label.removeprefix("autoaugment:")
        if published not in TABLES or plain != load_policy(f"autoaugment:{published}"):
            return None
        table = Name(f"v2.AutoAugmentPolicy.{published.upper()}")
        return Call("v2.AutoAugment", (table,), options)
    if plain == load_policy("trivialaugment-wide"):
        return Call("v2.TrivialAugmentWide", (), options)
    magnitude = round(plain.high * 30)
    if plain == load_policy(f"randaugment(n={plain.length},m={magnitude})"):
        return Call("v2.RandAugment", (), {"num_ops": plain.length, "magnitude": magnitude,
                                           **options})  # fmt: skip
    return None


def together(steps: list[Call]) -> Call:
    """Return transforms in order as one."""
    if len(steps) == 1:
        return steps[0]
    return Call("v2.Compose", (steps,)) if steps else Call("v2.Identity")


def _act(act: Act, draw: Draw) -> Call:
    kernel = act.kernel
    if does_nothing(act):
        return Call("v2.Identity")
    if kernel in NATIVE:
        return Call(NATIVE[kernel], (), {"p": act.probability})
    if kernel not in FUNCTIONS:
        raise NoWordsError(kernel)
    options: dict[str, Any] = {} if act.probability >= 1 else {"p": act.probability}
    options |= {"levels": act.levels} if act.levels else {}
    options |= {"moves": True} if kernel in (*MOVED, "ResizedCrop") else {}
    options |= {"pixels": True} if act.operation.unit == "px" and kernel != "Blur" else {}
    if kernel == "Cutout" and (paint := colour_of(act.operation)) != GREY:
        options |= {"paint": paint if isinstance(paint, tuple) else (paint,)}
    if kernel in MOVED:
        options |= {"fill": draw.fill} if draw.fill else {}
        linear = draw.interpolation != "nearest"
        options |= {"interpolation": draw.interpolation} if linear else {}
    return Call("Drawn", (Name(FUNCTIONS[kernel]), *act.stretches), options)
