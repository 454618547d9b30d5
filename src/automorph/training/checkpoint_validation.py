"""The facts in a file of weights, checked before a network is built from them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from automorph.data import IGNORE, TARGET_KINDS, Resizing
from automorph.errors import DamagedError, UsageError
from automorph.metrics import is_point
from automorph.models import build_model, is_pretrained
from automorph.text import on_this_machine

_MOST_CLASSES, _MOST_WORDS, _MOST_PIXELS = 1_000_000, 10_000_000, 32_768
_MOST_MEMBERS = 100
_LONG_NUMBER = re.compile(r"\d{5,}")
_FOLDERS = ("transformers:", "sentence:", "features:sentence:")
"""What a folder or a hub name follows, which may hold any number."""
_OURS = re.compile(r"(cnn|resnet|wrn|shake-shake|pyramidnet|unet)[\w:/-]*")


def check_facts(facts: dict[str, Any], tensors: dict[str, Tensor], file: Path) -> None:
    """Refuse facts that `trained_facts` did not write, and networks too large for the weights.

    Raises `DamagedError`, or `UsageError` for a pretrained network that is not on this machine.
    """
    for name, fits in _CHECKS.items():
        missing = name not in facts and name not in _LATER
        if missing or not fits(facts.get(name)):
            raise _strange(name, facts.get(name), file)
    width = len(facts["classes"])
    if (facts.get("target") == "values") != (facts.get("values") is not None) or (
        facts.get("values") and len(facts["values"]["mean"]) != width
    ):
        raise _strange("values", facts.get("values"), file)
    if facts["model"] and not facts.get("texts") and len(facts["shape"]) != 3:
        raise DamagedError(f"{file} specifies neither the image size nor the text encoding")
    name = (facts["model"] or "").removeprefix("features:")
    kind, _, source = name.partition(":")
    if kind in ("transformers", "sentence"):
        from automorph.models.from_transformers import source_of

        if not on_this_machine(source_of(name)):
            raise UsageError(
                f"{file} was trained on top of {source!r:.200}, which is not on this machine; "
                "loading a file never downloads anything. Download it first: hf download NAME"
            )
    elif _OURS.fullmatch(facts["model"] or "") and not facts.get("texts"):
        _check_size(facts, tensors, file)


def check_part(value: Any, file: Path) -> None:
    """Refuse a ``trained_on`` that `trained_facts` did not write. Raises `DamagedError`."""
    if not _is_part(value):
        raise _strange("trained_on", value, file)


def check_point(value: Any, classes: Any, file: Path) -> None:
    """Refuse an ``operating_point`` that no training wrote. Raises `DamagedError`."""
    if not is_point(value, classes if isinstance(classes, list) else []):
        raise _strange("operating_point", value, file)


def check_resizing(value: Any, file: Path) -> None:
    """Refuse a ``resizing`` that `trained_facts` did not write. Raises `DamagedError`."""
    if not _is_resizing(value):
        raise _strange("resizing", value, file)


def _strange(name: str, value: Any, file: Path) -> DamagedError:
    return DamagedError(
        f"{file} has {name!r} set to {value!r:.80}, a value that automorph never "
        "writes. Train again, or pass the network: load_trained(path, model=...)"
    )


def _check_size(facts: dict[str, Any], tensors: dict[str, Tensor], file: Path) -> None:
    """Refuse a small file that names a network large enough to exhaust memory."""
    height, width, channels = facts["shape"]
    with torch.device("meta"):
        built = build_model(
            facts["model"], channels=channels, classes=len(facts["classes"]), size=(height, width)
        )
    wanted = {name: tensor.shape for name, tensor in built.state_dict().items()}
    if (members := facts.get("members")) is not None:
        wanted = {
            f"members.{number}.{name}": shape
            for number in range(members)
            for name, shape in wanted.items()
        }
    if wanted != {name: tensor.shape for name, tensor in tensors.items()}:
        raise UsageError(
            f"the weights in {file} do not fit the network it specifies, {facts['model']!r}"
        )


def _is_model(value: Any) -> bool:
    return value is None or (
        isinstance(value, str)
        and len(value) <= 4096
        and not is_pretrained(value)
        and (value.startswith(_FOLDERS) or not _LONG_NUMBER.search(value))
    )


def _are_texts(value: Any, max_length: int = _MOST_CLASSES) -> bool:
    return (
        isinstance(value, list) and len(value) <= max_length and all(type(x) is str for x in value)
    )


def _is_shape(value: Any) -> bool:
    if not isinstance(value, list) or len(value) not in (0, 3):
        return False
    return all(type(n) is int and 1 <= n <= _MOST_PIXELS for n in value)


def _is_normaliser(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or set(value) != {"mean", "std"}:
        return False
    sides = (value["mean"], value["std"])
    return all(isinstance(side, list) and len(side) in (1, 3, 4) for side in sides) and all(
        isinstance(x, (int, float)) and math.isfinite(x) for side in sides for x in side
    )


def _is_scale(value: Any) -> bool:
    """Return whether this is the mean and the deviation of values."""
    if value is None:
        return True
    if not isinstance(value, dict) or set(value) != {"mean", "std"}:
        return False
    mean, std = value["mean"], value["std"]
    return (
        all(isinstance(side, list) and 1 <= len(side) <= _MOST_CLASSES for side in (mean, std))
        and len(mean) == len(std)
        and all(type(x) is float and math.isfinite(x) for x in (*mean, *std))
        and all(x > 0 for x in std)
    )


def _is_texts(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or type(value.get("longest")) is not int:
        return False
    if value.get("kind") == "words":
        return _are_texts(value.get("words"), _MOST_WORDS)
    return value.get("kind") in ("tokens", "sentence") and type(value.get("name")) is str


def _is_part(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or set(value) != {"n", "hash"}:
        return False
    return type(value["n"]) is int and value["n"] >= 0 and type(value["hash"]) is str


def _is_resizing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(Resizing(**value).to_dict() == value)
    except (TypeError, UsageError):
        return False


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "model": _is_model,
    "classes": _are_texts,
    "shape": _is_shape,
    "normaliser": _is_normaliser,
    "texts": _is_texts,
    "trained_on": _is_part,
    "resizing": _is_resizing,
    "target": lambda value: value is None or value in TARGET_KINDS,
    "values": _is_scale,
    "ignore": lambda value: value in (None, IGNORE),
    "members": lambda value: value is None or (type(value) is int and 1 <= value <= _MOST_MEMBERS),
}
_LATER = ("texts", "trained_on", "resizing", "target", "values", "ignore", "members")
"""Facts that the first versions did not write."""
