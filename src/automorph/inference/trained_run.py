"""A trained network with the record of its training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from automorph.data import Decode, Resizing, Split, TargetKind, check_kind
from automorph.errors import DamagedError, UsageError
from automorph.files import read_json
from automorph.metrics import OperatingPoint
from automorph.targets import Classes, Masks, SeveralLabels, Target, Values
from automorph.training import (
    DTYPES,
    Encoder,
    Evaluation,
    Machine,
    evaluate,
    find_machine,
    load_trained,
    on_device,
    operating_point_of,
    read_facts,
    repeatable,
    resized_as,
    thresholds_in,
    weights_file,
)


@dataclass(frozen=True, eq=False)
class TrainedRun:
    """A network on its device, and what is known of its training.

    ``shape`` is (H, W, C) of its images, () for texts. ``identity`` is that of ``run.json``, empty
    for a file of weights alone. ``precision`` is that of the training.
    """

    file: Path
    model: nn.Module
    classes: tuple[str, ...]
    encoder: Encoder
    shape: tuple[int, ...]
    identity: Mapping[str, Any]
    precision: Any
    machine: Machine

    @property
    def data(self) -> Mapping[str, Any]:
        """The record of the data: ``name``, ``parts`` (number and hash by name), ``window``."""
        found = self.identity.get("data")
        return found if isinstance(found, Mapping) else {}

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics of the training, the one that chose first; often none."""
        found = (self.identity.get("metric"), *(self.identity.get("also") or ()))
        return tuple(name for name in found if isinstance(name, str))

    @property
    def window(self) -> tuple[float | None, float | None] | None:
        """The values that became 0 and 255 in images of more than 8 bits; None if there were none.

        (None, None): those that each file states.
        """
        found = self.data.get("window")
        if not isinstance(found, list) or len(found) != 2:
            return None
        low, high = (float(v) if isinstance(v, int | float) else None for v in found)
        return low, high

    @property
    def target(self) -> TargetKind:
        """The kind of what the network predicts."""
        return check_kind(read_facts(self.file).get("target", "classes"))

    @property
    def predicts(self) -> Target:
        """What the network predicts; labels by the thresholds of the training."""
        if self.target == "labels":
            return SeveralLabels(len(self.classes), thresholds=thresholds_in(self.file))
        if self.target == "values":
            scale = read_facts(self.file)["values"]
            return Values(tuple(scale["mean"]), tuple(scale["std"]))
        if self.target == "masks":
            return Masks.of_classes(len(self.classes))
        return Classes(len(self.classes))

    @property
    def ignoring(self) -> bool:
        """Whether 255 marked pixels to ignore in the masks of the training."""
        return read_facts(self.file).get("ignore") is not None

    @property
    def resizing(self) -> Resizing | None:
        """How images were brought to their size; None: in the usual way."""
        return resized_as(self.file)

    @property
    def decode(self) -> Decode:
        """How large JPEG files were decoded."""
        return "exact" if self.resizing is None else self.resizing.decode

    @property
    def operating_point(self) -> OperatingPoint | None:
        """The threshold by which the network decides; None: it answers the likeliest class."""
        return operating_point_of(self.file)

    def part(self, name: str) -> Any:
        """Return number and hash of the examples of a part, as `split_hashes`; None if unknown."""
        parts = self.data.get("parts")
        return parts.get(name) if isinstance(parts, Mapping) else None

    @property
    def seed(self) -> int:
        """The seed of the training; 0 if unknown."""
        found = self.identity.get("seed")
        return found if type(found) is int else 0

    def evaluate(self, data: NDArray[Any], labels: NDArray[Any]) -> Evaluation:
        """Evaluate examples as the training does its parts; unknown labels may be any class."""
        part = Split(data, labels) if labels.ndim == 1 else Split(
            data, np.zeros(len(labels), np.int64),
            annotations=labels if self.target == "values" else labels.astype(np.uint8),
        )  # fmt: skip
        with repeatable(self.machine):
            return evaluate(
                self.model, part, encoder=self.encoder, precision=self.precision,
                machine=self.machine, target=self.predicts,
            )  # fmt: skip


def load_run(
    run: str | os.PathLike[str],
    *,
    model: nn.Module | None = None,
    encoder: Encoder | None = None,
    precision: str | None = None,
    device: str = "auto",
) -> TrainedRun:
    """Load the network of a run folder or of a file of weights; see `load_trained`.

    A custom network is passed as ``model``, a custom encoder as ``encoder``. ``precision`` is by
    default that of the training. Raises `UsageError` for a folder without a trained network.
    """
    file = weights_file(run)
    _check_there(Path(run).expanduser(), file)
    trained = load_trained(file, model=model)
    encode = encoder or trained.encoder
    if encode is None:
        raise UsageError(
            f"{file} was trained with an encoder of your own, which is not in the file; expected "
            "that function as well: pass it in Python, as encoder=..."
        )
    width = len(trained.classes)
    record = _record(file)
    begun = record.get("facts")
    known = begun.get("precision") if isinstance(begun, Mapping) else None
    chosen = precision or known or "fp32"
    if chosen not in DTYPES:
        raise UsageError(
            f"precision is {chosen!r:.40}; expected one of {', '.join(DTYPES)}: correct it, or "
            "leave it out"
        )
    if width < 2 and read_facts(file).get("target", "classes") == "classes":
        raise DamagedError(f"{file} names {width} classes; expected at least 2. Train again")
    # Predictions need no second process, also under torchrun.
    machine = Machine(find_machine(device).device)
    identity = record.get("identity")
    return TrainedRun(
        file=file,
        model=on_device(trained.model, machine),
        classes=trained.classes,
        encoder=encode,
        shape=tuple(read_facts(file)["shape"]),
        identity=identity if isinstance(identity, Mapping) else {},
        precision=chosen,
        machine=machine,
    )


def predicts_masks(run: str | os.PathLike[str]) -> bool:
    """Return whether a run folder or a file of weights is known to be of a network for masks."""
    file = weights_file(run)
    return file.is_file() and read_facts(file).get("target") == "masks"


def _check_there(given: Path, file: Path) -> None:
    if file.exists():
        return
    if not given.exists():
        raise UsageError(
            f"{given} does not exist; expected a run folder of automorph train, or a file of "
            "weights: check the path"
        )
    if (given / "checkpoint.safetensors").exists():
        raise UsageError(
            f"the training in {given} is not finished; expected a finished one: run its command "
            "again to continue it"
        )
    others = sorted(path.name for path in given.glob("*.safetensors"))
    more = f", such as {given / others[0]}" if others else ""
    policy = given / "policy.json"  # Of a comparison, for example, which keeps no network.
    advice = f". Train one first: automorph train DATA --policy {policy}" * policy.exists()
    raise UsageError(
        f"{given} holds no model.safetensors; expected a run folder of automorph train or search, "
        f"or a file of weights{more}{advice}"
    )


def _record(file: Path) -> dict[str, Any]:
    """Return ``run.json`` beside the weights of a run; empty without one."""
    if file.name != "model.safetensors" or not (file.parent / "run.json").exists():
        return {}
    return read_json(file.parent / "run.json")
