"""Policy files of version 1, converted to version 2: omitted values are filled in.

The values are what a file of version 1 meant when it was written. They do not follow the defaults
of today's classes, and they never change, because a file of version 1 must replay forever.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RENDERING = {
    "fill": 0,  # pixels from outside the image are black
    "interpolation": "nearest",
}

_KINDS: dict[str, dict[str, Any]] = {
    "mixture": {
        **_RENDERING,
        "subpolicies": [],  # nothing is applied
        "weights": None,  # all sub-policies are equally likely
    },
    "uniform": {
        **_RENDERING,
        "length": 1,
        "low": 0.0,
        "high": 1.0,
        "levels": 0,  # magnitudes are continuous
        "spread": 0.0,
        "probability": 1.0,
    },
    "drawn": {
        **_RENDERING,
        "count": 25,
        "length": 2,
        "seed": None,  # the seed of the training
        # AutoAugment's prior: probabilities 0, 0.1, .. 1 and ten magnitudes from 0 to 1.
        "constants": {"probabilities": 11, "magnitudes": 10},
    },
    "augmix": {
        **_RENDERING,
        "severity": 3.0,
        "weakest": 0.1,
        "width": 3,
        "depth": 0,  # drawn for each chain
        "alpha": 1.0,
        "share": None,  # drawn from Beta(alpha, alpha)
        "constants": {"longest": 3},  # a drawn depth is 1 to 3
    },
    "generated": {
        **_RENDERING,
        "network": "mean-field",
        "length": 1,
        "bound": None,
    },
    "mixed": {
        "alpha": 1.0,
        "probability": 1.0,  # of CutMix too; the name `cutmix` means 0.5
    },
    "chain": {},
    "shuffled": {
        **_RENDERING,
        "steps": [],
        "counts": [0.2, 0.3, 0.5],  # the chances of 0, 1 and 2 operations
    },
    "schedule": {
        "label": "",  # named by its content
    },
}

_UNITS = {
    "": ("Identity", "AutoContrast", "Equalize", "Invert", "HorizontalFlip", "VerticalFlip"),
    "ratio": ("ShearX", "ShearY"),
    "share": ("TranslateX", "TranslateY", "Cutout", "PadCrop", "Elastic", "Noise"),
    "deg": ("Rotate",),
    "level": ("Solarize", "SolarizeAdd"),
    "bits": ("Posterize",),
    "factor": ("Contrast", "Color", "Brightness", "Sharpness", "Zoom"),
    "weight": ("SamplePairing",),
    "area": ("ResizedCrop", "RandomErasing"),
    "turn": ("Hue",),
    "strength": ("Swirl",),
    "px": ("Erosion", "Dilation", "Blur"),
}
_WHOLE = ("Posterize", "Erosion", "Dilation")
_IMAGES: dict[str, dict[str, Any]] = {
    kernel: {"unit": unit, "whole": kernel in _WHOLE, "domain": "image"}
    for unit, kernels in _UNITS.items()
    for kernel in kernels
}
_TEXTS = {"unit": "share", "whole": False, "domain": "text"}
"""Constants of every text kernel."""
_DISC = {"unit": "", "whole": False, "domain": "vector"}
"""Constants of operations in our own spaces that are functions: ``disc-axes`` and similar."""

_CONSTANTS: dict[str, dict[str, Any]] = {
    "Posterize": {"min_bits": 0},  # 0 bits leave a black image
    "SolarizeAdd": {"below": 128},  # only darker values are raised
    "Cutout": {"fill": 128},  # grey, independent of the policy's fill
    "RandomErasing": {
        "content": "noise",
        "ratio": [0.3, 3.3],  # height to width, log-uniform
    },
    "ResizedCrop": {
        "interpolation": "bilinear",  # independent of the policy's interpolation
        "ratio": [0.75, 1.3333333333333333],  # log-uniform, as far as the part fits
    },
    # These bend the image: bilinear, with continued edges, independent of the policy's rendering.
    "Zoom": {"interpolation": "bilinear", "edges": "replicate"},
    "Swirl": {"interpolation": "bilinear", "edges": "replicate"},
    "Elastic": {
        "interpolation": "bilinear",
        "edges": "replicate",
        "cells": 4,  # of the random field, along each side
    },
    "Blur": {
        "edges": "reflect",
        "reach": 3,  # deviations at which the Gaussian is cut
    },
}


def upgraded(
    content: dict[str, Any], own: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Convert the content of a file of version 1 to version 2; others are returned unchanged.

    ``own`` are declarations (``unit``, ``whole``, ``domain``) of the user's operations by name:
    values that a file left out came from the operation itself. Errors in a file stay in it, for the
    reader to refuse.
    """
    if content.get("version") != 1:
        return content
    return {**content, "version": 2, "policy": _policy(content.get("policy"), own or {})}


def _policy(node: Any, own: Mapping[str, Mapping[str, Any]]) -> Any:
    kind = node.get("kind") if isinstance(node, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        return node
    full = _with(node, _KINDS[kind])
    if "operations" in full:
        full["operations"] = _space(full["operations"], own)
    if isinstance(full.get("stages"), list):
        full["stages"] = [_policy(stage, own) for stage in full["stages"]]
    if isinstance(full.get("pieces"), list):
        full["pieces"] = [
            {**piece, "policy": _policy(piece["policy"], own)}
            if isinstance(piece, dict) and "policy" in piece
            else piece
            for piece in full["pieces"]
        ]
    return full


def _space(node: Any, own: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(node, dict) or not isinstance(node.get("operations"), list):
        return node
    ours = str(node.get("name")).startswith("disc-")
    return {**node, "operations": [_operation(item, own, ours) for item in node["operations"]]}


def _operation(entry: Any, own: Mapping[str, Mapping[str, Any]], ours: bool) -> Any:
    if not isinstance(entry, dict):
        return entry
    name, kernel = (entry.get(key) for key in ("name", "kernel"))
    if not isinstance(name, str) or not isinstance(kernel, str):
        return entry
    declared: Mapping[str, Any]
    if kernel == "user":
        declared = own.get(name) or own.get(name.partition("[")[0]) or (_DISC if ours else {})
    else:
        declared = _IMAGES.get(kernel, _TEXTS)
    constants = {"constants": _CONSTANTS[kernel]} if kernel in _CONSTANTS else {}
    return _with(entry, {"identity": None, **declared, "definition": 1, **constants})


def _with(entry: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, **{key: value for key, value in defaults.items() if key not in entry}}
