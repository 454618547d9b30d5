"""The result of a training, and its predictions packed as a short text."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import nn

from automorph.notebook import table_html
from automorph.training.batch import Units

_APART = ("curves", "checkpoint", "model", "logits")
_LATER = ("stable_epochs", "converged", "metrics", "thresholds")
"""Entries that results of other schedules or metrics lack, as those of older versions do."""
_PACKED = ("u1", "b1", "i8", "f4", "f8")
_MOST = 1 << 26
"""Largest number of packed predictions: a damaged text must not exhaust memory."""


@dataclass(frozen=True)
class Epoch:
    """One epoch: means over its training batches (as augmented), and the validation part after it.

    ``epoch`` counts from 1; ``seconds`` is the time of this epoch; the validation entries are None
    where the part was not evaluated; ``validation_score`` selects the best epoch (see
    `Augmenter.judge`); ``augmenter`` is the augmenter's own record (see `Augmenter.end_epoch`).
    """

    epoch: int
    lr: float
    loss: float
    accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    validation_score: float | None = None
    seconds: float = 0.0
    augmenter: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunResult:
    """The result of a training: ``accuracy`` and ``loss`` by part, the ``curves``, and the cost.

    ``chosen`` is the epoch whose weights were kept and evaluated, ``selection`` how it was chosen
    (``last``, or ``best`` on the validation part, whose accuracy is then optimistic). An
    unfinished run (``finished`` is False) has no test accuracy. ``checkpoint`` is the file with
    the weights, if there is a run folder; ``model`` is the network itself, in evaluation mode.
    ``stable_epochs`` are the epochs before the cool-down, and ``converged`` is whether the
    validation loss had stopped improving by then (None: not known, or not a ``stable`` schedule).
    ``predictions`` are the predicted classes by part, int64 ``(n,)`` (runs of older versions have
    none). ``metrics`` are values by part and name of the metric, and ``thresholds`` those fixed on
    the validation part for metrics with an operating point; both are empty if accuracy is the only
    metric. ``logits`` of a fresh evaluation are float32 ``(n, k)`` by part.
    """

    accuracy: dict[str, float]
    loss: dict[str, float]
    curves: tuple[Epoch, ...]
    chosen: int
    selection: str
    finished: bool
    units: Units
    seconds: float
    seed: int
    precision: str
    checkpoint: Path | None = None
    model: nn.Module | None = field(default=None, repr=False, compare=False)
    predictions: dict[str, NDArray[np.int64]] = field(
        default_factory=dict, repr=False, compare=False
    )
    stable_epochs: int | None = None
    converged: bool | None = None
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    logits: dict[str, NDArray[np.float32]] = field(default_factory=dict, repr=False, compare=False)

    def _repr_html_(self) -> str:
        """Return accuracy and loss of every part, for notebooks."""
        further = list(dict.fromkeys(name for one in self.metrics.values() for name in one))
        rows = [
            [part, f"{share:.1%}", f"{self.loss[part]:.3f}" if part in self.loss else "",
             *(f"{self.metrics.get(part, {}).get(name, float('nan')):.4g}" for name in further)]
            for part, share in self.accuracy.items()
        ]  # fmt: skip
        note = f"{len(self.curves)} epochs in {self.seconds:.0f} s; seed {self.seed}."
        return table_html(["part", "accuracy", "loss", *further], rows, note=note)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data, without curves, network and path."""
        plain = asdict(replace(self, model=None, curves=(), logits={}))
        empty = [name for name in _LATER if plain[name] is None or plain[name] == {}]
        kept = {name: plain[name] for name in plain if name not in (*_APART, *empty)}
        return {**kept, "predictions": {p: packed(v) for p, v in self.predictions.items()}}


def result_from_dict(plain: dict[str, Any], curves: tuple[Epoch, ...]) -> RunResult:
    """Rebuild the result from `RunResult.to_dict`. Raises ValueError for anything else."""
    for name in ("accuracy", "loss"):
        values = plain[name]
        if not all(isinstance(value, (int, float)) for value in values.values()):
            raise ValueError(f"{name} is {values!r:.80}")
    if not isinstance(plain["seconds"], (int, float)) or not isinstance(plain["finished"], bool):
        raise ValueError("seconds or finished has the wrong type")
    predictions = {part: unpacked(text) for part, text in plain.get("predictions", {}).items()}
    units = Units(**plain["units"])
    return RunResult(**{**plain, "units": units, "curves": curves, "predictions": predictions})


def packed(predictions: ArrayLike) -> str:
    """Pack class numbers ``(n,)`` as text; 10,000 of ten classes take about six kilobytes.

    Predictions of other shapes and types are packed with these, to the last bit.

    >>> unpacked(packed([3, 1, 4]))
    array([3, 1, 4])
    >>> unpacked(packed(np.float32([[0.1, 2.0]])))
    array([[0.1, 2. ]], dtype=float32)
    """
    values = np.asarray(predictions)
    if values.size and (values.ndim > 1 or values.dtype.kind not in "iu"):
        content = b64encode(zlib.compress(np.ascontiguousarray(values).tobytes(), 6)).decode()
        shape = "x".join(map(str, values.shape))
        return f"{values.dtype.newbyteorder('<').str.lstrip('<|')}:{shape}:{content}"
    numbers = values.astype("<u4")
    return b64encode(zlib.compress(numbers.tobytes(), 9)).decode()


def packed_floats(values: NDArray[np.float32]) -> str:
    """Pack float32 ``(n, k)``, such as logits, as text, to the last bit.

    >>> unpacked_floats(packed_floats(np.float32([[0.1, 2.0]])))
    array([[0.1, 2. ]], dtype=float32)
    """
    header = np.asarray(values.shape, "<u4").tobytes()
    content = zlib.compress(header + np.asarray(values, "<f4").tobytes(), 1)
    return b64encode(content).decode()


def unpacked_floats(text: str) -> NDArray[np.float32]:
    """Unpack the text of `packed_floats`. Raises ValueError for other texts."""
    content = _inflated(text)
    shape = np.frombuffer(content[:8], "<u4")
    return np.frombuffer(content[8:], "<f4").astype(np.float32).reshape(*map(int, shape))


def unpacked(text: str) -> NDArray[Any]:
    """Unpack the text of `packed`: class numbers to int64 ``(n,)``, others to what they were.

    Raises ValueError for other texts.
    """
    if ":" in text:
        kind, shape, content = text.split(":")
        if kind not in _PACKED:
            raise ValueError(f"packed predictions of the type {kind!r:.20}")
        values = np.frombuffer(_inflated(content), f"<{kind}").astype(kind)
        return values.reshape([int(side) for side in shape.split("x")])
    return np.frombuffer(_inflated(text), "<u4").astype(np.int64)


def _inflated(text: str) -> bytes:
    """Return the bytes that a text packs. Raises ValueError if it is damaged."""
    try:
        reader = zlib.decompressobj()
        content = reader.decompress(b64decode(text, validate=True), 4 * _MOST)
    except zlib.error as error:
        raise ValueError(f"not packed predictions: {error}") from error
    if not reader.eof:
        raise ValueError("the packed predictions are truncated")
    return content
