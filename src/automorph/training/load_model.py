"""A trained network from its file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from automorph.data import split_hashes
from automorph.errors import UsageError
from automorph.models import build_model, build_text_model
from automorph.training.batch import Encoder, Normaliser
from automorph.training.checkpoint import fill, read_checkpoint, read_facts
from automorph.training.checkpoint_validation import check_facts, check_part
from automorph.training.task import Task
from automorph.training.text import TextEncoder, encoder_from


@dataclass(frozen=True, eq=False)
class Trained:
    """A network in evaluation mode, the names of its classes, and what makes its inputs."""

    model: nn.Module
    classes: tuple[str, ...]
    encoder: Encoder | None


def weights_file(path: str | os.PathLike[str]) -> Path:
    """The file of weights that a path means: itself, or that in a run folder."""
    file = Path(path).expanduser()
    return file / "model.safetensors" if file.is_dir() else file


def load_trained(path: str | os.PathLike[str], *, model: nn.Module | None = None) -> Trained:
    """The network in a ``model.safetensors`` of a run folder (or in the folder).

    A network of one's own must be given as ``model``, built but untrained. ``encoder`` is None
    if the run had one of its own. Nothing is fetched and no code is run that the file names.
    """
    file = weights_file(path)
    tensors, facts = read_checkpoint(file)
    check_facts(facts, tensors, file)
    if model is None:
        if facts["model"] is None:
            raise UsageError(
                f"{file} holds weights of a network that was built by your own code; "
                "give that network: load_trained(path, model=...)"
            )
        model = _built(facts)
    fill(model, tensors, file)
    classes = tuple(facts["classes"])
    return Trained(model.eval(), classes, _encoder(facts))


def trained_on(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The number and the hash of the training examples of a network, as `split_hashes` tells them.

    Only the header of the file (or of that in the folder) is read. None if it is no file of
    weights, or of a version that did not write this. Raises `DamagedError`.
    """
    file = weights_file(path)
    if file.suffix != ".safetensors" or not file.exists():
        return None
    found = read_facts(file).get("trained_on")
    check_part(found, file)
    return found


def _built(facts: dict[str, Any]) -> nn.Module:
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


def trained_facts(task: Task) -> dict[str, Any]:
    """What `load_trained` must know besides the weights."""
    scale = encoder = task.encoder
    # Weights that were fetched once need not be fetched again to be overwritten.
    name = task.model.removesuffix(":pretrained") if isinstance(task.model, str) else None
    return {
        "model": name,
        "shape": list(task.data.train.data.shape[1:]),
        "classes": list(task.data.classes),
        "trained_on": split_hashes(task.data)["train"],
        "normaliser": {"mean": scale.mean, "std": scale.std}
        if isinstance(scale, Normaliser)
        else None,
        "texts": encoder.facts() if isinstance(encoder, TextEncoder) else None,
    }
