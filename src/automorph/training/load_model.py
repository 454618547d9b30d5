"""A trained network loaded from its file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from automorph.data import Chosen, Decode, Photographs, Resizing, Sizing, split_hashes
from automorph.errors import UsageError
from automorph.metrics import OperatingPoint
from automorph.models import Ensemble, build_model, build_text_model, without_weights
from automorph.targets import Classes, Masks, SeveralLabels, Target, Values
from automorph.training.batch import Encoder, Normaliser
from automorph.training.checkpoint import fill, read_checkpoint, read_facts
from automorph.training.checkpoint_validation import (
    check_facts,
    check_part,
    check_point,
    check_resizing,
)
from automorph.training.label_thresholds import threshold_facts
from automorph.training.task import Task
from automorph.training.text import TextEncoder, encoder_from

NETWORK = "network"
"""The run folder inside that of a search, with the network that it kept."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A network in evaluation mode, the names of its classes, and the encoder of its inputs.

    ``target`` is what it predicts; for another one than classes, ``classes`` are the names of its
    labels, values, or classes of pixels.
    """

    model: nn.Module
    classes: tuple[str, ...]
    encoder: Encoder | None
    target: Target


def weights_file(path: str | os.PathLike[str]) -> Path:
    """Return the file of weights at a path: the file itself, or the one in a run folder.

    In the folder of a search, it is that of the network that the search kept.
    """
    file = Path(path).expanduser()
    if not file.is_dir():
        return file
    own, kept = (place / "model.safetensors" for place in (file, file / NETWORK))
    return kept if kept.exists() and not own.exists() else own


def load_trained(path: str | os.PathLike[str], *, model: nn.Module | None = None) -> Trained:
    """Load the network from a ``model.safetensors``, or from the run folder that holds one.

    A custom network must be passed as ``model``, built but untrained. ``encoder`` is None if the
    run used a custom one. Nothing is downloaded, and no code named in the file is run.
    """
    file = weights_file(path)
    tensors, facts = read_checkpoint(file)
    check_facts(facts, tensors, file)
    return trained_from(tensors, facts, file, model=model)


def trained_from(
    tensors: dict[str, Tensor], facts: dict[str, Any], file: Path, *, model: nn.Module | None = None
) -> Trained:
    """Make the network from the checked content of a file."""
    if model is None:
        if facts["model"] is None:
            raise UsageError(
                f"{file} contains the weights of a network built by your own code; "
                "pass that network: load_trained(path, model=...)"
            )
        model = built(facts)
    fill(model, tensors, file)
    classes = tuple(facts["classes"])
    return Trained(model.eval(), classes, _encoder(facts), _target(facts))


def trained_on(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return number and hash of a network's training examples, as `split_hashes` gives them.

    Reads only the header of the file (or of the one in the folder). Returns None if it is no file
    of weights, or if its version did not record this. Raises `DamagedError`.
    """
    facts, file = _recorded(path)
    found = facts.get("trained_on")
    check_part(found, file)
    return found


def resized_as(path: str | os.PathLike[str]) -> Resizing | None:
    """Return how the images of a network's training were resized; None: in the usual way.

    Reads only the header of the file (or of the one in the folder), if it is one of weights. Raises
    `DamagedError`.
    """
    facts, file = _recorded(path)
    found = facts.get("resizing")
    check_resizing(found, file)
    return None if found is None else Resizing(**found)


def decoded_as(path: str | os.PathLike[str]) -> Decode:
    """Return how the JPEG files of a network's training were decoded; earlier ones: in full."""
    found = resized_as(path)
    return "exact" if found is None else found.decode


def sized_as(path: str | os.PathLike[str]) -> Sizing:
    """Return what reads photographs at the size of a network's training, with a note."""

    def choose(photographs: Photographs) -> Chosen | None:
        facts, file = _recorded(path)
        shape = facts.get("shape") or []
        if len(shape) != 3:
            return None
        height, width = shape[:2]
        note = (
            f"{photographs.words} are read at {height}x{width}, as in the training of the network"
        )
        return Chosen((height, width), resized_as(file), facts["model"] or "cnn", 0.0, 0.0, note)

    return choose


def operating_point_of(path: str | os.PathLike[str]) -> OperatingPoint | None:
    """Return the threshold by which a network decides; None: it answers the likeliest class.

    Reads only the header of the file (or of the one in the folder), if it is one of weights. Raises
    `DamagedError`.
    """
    facts, file = _recorded(path)
    found = facts.get("operating_point")
    check_point(found, facts.get("classes"), file)
    return None if found is None else OperatingPoint(**found)


def _recorded(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Path]:
    """Return the header of a file of weights, empty if it is no such file, and the file."""
    file = weights_file(path)
    is_one = file.suffix == ".safetensors" and file.exists()
    return (read_facts(file) if is_one else {}), file


def built(facts: dict[str, Any]) -> nn.Module:
    """Build the named network that the facts of a file describe, untrained."""
    if (count := facts.get("members")) is not None:
        one = {**facts, "members": None}
        return Ensemble([built(one) for _ in range(count)], facts.get("target", "classes"))
    name, classes = facts["model"], len(facts["classes"])
    if facts.get("texts"):
        inputs = encoder_from(facts["texts"]).inputs
        return build_text_model(name, inputs=inputs, classes=classes)
    height, width, channels = facts["shape"]
    return build_model(name, channels=channels, classes=classes, size=(height, width))


def _encoder(facts: dict[str, Any]) -> Encoder | None:
    if facts.get("texts"):
        return encoder_from(facts["texts"])
    scale = facts["normaliser"]
    return None if scale is None else Normaliser(tuple(scale["mean"]), tuple(scale["std"]))


def _target(facts: dict[str, Any]) -> Target:
    """Return what the network of a file predicts."""
    if (scale := facts.get("values")) is not None:
        return Values(tuple(scale["mean"]), tuple(scale["std"]))
    if facts.get("target") == "labels":
        return SeveralLabels(len(facts["classes"]))
    if facts.get("target") == "masks":
        return Masks.of_classes(len(facts["classes"]))
    return Classes(len(facts["classes"]))


def trained_facts(task: Task, thresholds: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Return what `load_trained` needs besides the weights.

    ``thresholds`` are those of the task's metrics: that of the first one decides.
    """
    scale = encoder = task.encoder
    # Pretrained weights need not be downloaded again only to be overwritten.
    name = without_weights(task.model) if isinstance(task.model, str) else None
    return {
        "model": name,
        "shape": list(task.data.train.data.shape[1:]),
        "classes": list(task.data.predicted),
        **({} if task.data.annotation is None else {"target": task.data.target}),
        **_scale(task.target),
        **_ignored(task),
        "trained_on": split_hashes(task.data)["train"],
        "normaliser": {"mean": scale.mean, "std": scale.std}
        if isinstance(scale, Normaliser)
        else None,
        "texts": encoder.facts() if isinstance(encoder, TextEncoder) else None,
        **({"resizing": task.data.resizing.to_dict()} if task.data.resizing else {}),
        **_point(task, thresholds or {}),
        **threshold_facts(task, thresholds or {}),
    }


def _scale(target: Target) -> dict[str, Any]:
    """Return the mean and deviation by which values were standardised."""
    if not isinstance(target, Values):
        return {}
    return {"values": {"mean": list(target.mean), "std": list(target.std)}}


def _ignored(task: Task) -> dict[str, Any]:
    """Return the value of pixels to ignore, if masks have some."""
    annotation = task.data.annotation
    return {} if annotation is None or annotation.ignore is None else {"ignore": annotation.ignore}


def _point(task: Task, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """Return the operating point of the metric that chooses, if it has one."""
    scorer = task.scorer
    if task.data.target != "classes" or scorer.name not in thresholds or scorer.positive is None:
        return {}
    label = task.data.predicted[scorer.positive]
    point = OperatingPoint(scorer.name, label, thresholds[scorer.name])
    return {"operating_point": point.to_dict()}
