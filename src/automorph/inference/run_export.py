"""`export_model`: a trained network as an ONNX or torch.export file, with its preprocessing."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from automorph.data import TargetKind
from automorph.errors import MissingExtraError, TrainingError, UsageError
from automorph.files import atomic_write, make_folder
from automorph.inference.predictions import check_new_file
from automorph.inference.trained_run import TrainedRun, load_run
from automorph.targets import Masks, Values, check_target
from automorph.training import Encoder, Normaliser

Kind = Literal["onnx", "torch-export"]
ENDINGS: dict[Kind, str] = {"onnx": ".onnx", "torch-export": ".pt2"}
TOLERANCE = 1e-4
"""Largest difference of a probability from ours at which an export is accepted."""
_CHECKED = 16
_INPUT, _OUTPUT = "images", "probabilities"
_OPSET = 18


@dataclass(frozen=True)
class Exported:
    """A file; ``difference`` is the largest of a probability from ours, on random images.

    It takes ``images`` uint8 (n, H, W, C) of this ``shape`` (H, W, C) and returns
    ``probabilities`` float32 (n, k) of ``classes``; of a network for masks, (n, k, H, W).
    """

    file: Path
    kind: Kind
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    difference: float
    target: TargetKind = "classes"


class Deployed(nn.Module):
    """A network with its preprocessing: uint8 images ``(n, H, W, C)`` to probabilities ``(n, k)``.

    >>> network = Deployed(nn.Flatten(), Normaliser((0.5,), (0.25,)))
    >>> network(torch.zeros(1, 1, 2, 1, dtype=torch.uint8)).tolist()
    [[0.5, 0.5]]
    """

    factor: Tensor
    offset: Tensor

    deviation: Tensor
    mean: Tensor

    def __init__(
        self,
        model: nn.Module,
        scale: Normaliser,
        *,
        several: bool = False,
        values: Values | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        mean, std = (torch.tensor(side).view(1, -1, 1, 1) for side in (scale.mean, scale.std))
        self.register_buffer("factor", 1 / (255 * std))
        self.register_buffer("offset", mean / std)
        self.several, self.values = several, values
        if values is not None:
            self.register_buffer("deviation", torch.tensor(values.std))
            self.register_buffer("mean", torch.tensor(values.mean))

    def forward(self, images: Tensor) -> Tensor:
        """Return probabilities float32 ``(n, k)`` or ``(n, k, H, W)``, or values in their units."""
        pixels = images.permute(0, 3, 1, 2).to(torch.float32)
        logits: Tensor = self.model(pixels * self.factor - self.offset)
        if self.values is not None:
            return logits * self.deviation + self.mean
        return logits.sigmoid() if self.several else logits.softmax(dim=1)


def export_model(
    run: str | os.PathLike[str],
    to: Kind,
    path: str | os.PathLike[str] | None = None,
    *,
    model: nn.Module | None = None,
    encoder: Encoder | None = None,
) -> Exported:
    """Write the network of a run, with its preprocessing, as ``onnx`` or ``torch-export``.

    The file takes images uint8 ``(n, H, W, C)`` of the size of the training, in the order of bytes
    in which Pillow and OpenCV hold them, RGB, for any n, and returns probabilities float32
    ``(n, k)``, or of every pixel ``(n, k, H, W)``; it computes in fp32. ``path`` is a new file
    (default: ``model.onnx`` or ``model.pt2`` in the run folder). It is written only if its
    probabilities differ from ours by at most 1e-4 on random images.

    Raises `UsageError` for networks for texts and custom encoders, and `MissingExtraError` for
    ONNX without the extra ``export``.
    """
    if to not in ENDINGS:
        raise UsageError(f"got to={to!r:.40}; expected one of {', '.join(ENDINGS)}")
    trained = load_run(run, model=model, encoder=encoder, precision="fp32", device="cpu")
    check_target(trained.target, "export")
    scale = _scale_of(trained)
    file = check_new_file(path or trained.file.parent / f"model{ENDINGS[to]}", (ENDINGS[to],))
    images = _random_images(trained.shape)
    wanted = _ours(trained, images)
    # torch.export.save warns of weights with channels last, and keeps them as they lie in memory.
    plain = trained.model.to(memory_format=torch.contiguous_format)
    predicts = trained.predicts
    values = predicts if isinstance(predicts, Values) else None
    deployed = Deployed(plain, scale, several=trained.target == "labels", values=values).eval()
    unit = np.array(1.0 if values is None else values.std)  # Values differ in deviations.
    make_folder(file.parent)
    write = _write_onnx if to == "onnx" else _write_program
    with atomic_write(file) as temporary:
        answer = write(deployed, temporary, trained)
        difference = max(
            float((np.abs(answer(images[:n]) - wanted[:n]) / unit).max()) for n in (1, len(images))
        )
        if not difference <= TOLERANCE:
            raise TrainingError(
                f"the exported network differs from ours by {difference:.2g} in a probability; "
                f"expected at most {TOLERANCE:g}. Nothing was written: export to another format, "
                "or use automorph predict"
            )
    return Exported(file, to, trained.shape, trained.classes, difference, trained.target)


def _scale_of(run: TrainedRun) -> Normaliser:
    if not run.shape:
        raise UsageError(
            f"{run.file} is a network for texts, whose words become numbers in Python, outside "
            "the network; expected a network for images. Use automorph predict, or "
            "automorph.predict in Python"
        )
    if not isinstance(run.encoder, Normaliser):
        raise UsageError(
            f"the encoder of {run.file} is your own function, which cannot be put into the file; "
            "expected the default one: export the network with torch.onnx.export, and call your "
            "encoder before it"
        )
    return run.encoder


def _random_images(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (_CHECKED, *shape), np.uint8)


def _ours(run: TrainedRun, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    if isinstance(run.predicts, Masks):
        with torch.inference_mode():
            logits = [
                run.model(run.encoder(images[k : k + 1], torch.device("cpu")))
                for k in range(len(images))
            ]
        return run.predicts.probabilities(torch.cat(logits).float().numpy())
    several = run.target in ("labels", "values")
    shape = (len(images), len(run.classes)) if several else (len(images),)
    seen = run.evaluate(images, np.zeros(shape, np.float64 if run.target == "values" else np.int64))
    return seen.target.probabilities(seen.logits)


def _facts(run: TrainedRun) -> dict[str, str]:
    """Return what users of the file need to know, as text."""
    at = getattr(run.predicts, "thresholds", ())
    return {
        "classes": json.dumps(list(run.classes)),
        "shape": json.dumps(list(run.shape)),
        **({"target": run.target, "thresholds": json.dumps(list(at))} if at else {}),
        **({"target": run.target} if run.target in ("values", "masks") else {}),
    }


Answer = Callable[[NDArray[np.uint8]], NDArray[Any]]


def _write_program(network: Deployed, file: Path, run: TrainedRun) -> Answer:
    program = _program(network, run)
    # Given as a stream, the file may have any name.
    with file.open("wb") as opened:
        torch.export.save(program, opened, extra_files=_facts(run))
    with file.open("rb") as opened:
        loaded = torch.export.load(opened).module()
    return lambda images: loaded(torch.from_numpy(images)).detach().numpy()


def _program(network: Deployed, run: TrainedRun) -> torch.export.ExportedProgram:
    """Trace the network for any number of images."""
    # Of one image, the number would be taken for a constant.
    example = torch.zeros(2, *run.shape, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(
            network, (example,), dynamic_shapes={"images": {0: torch.export.Dim("n")}}
        )
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # It holds paths of this machine.
    return program


def _write_onnx(network: Deployed, file: Path, run: TrainedRun) -> Answer:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        _needed(name)
    runtime = import_module("onnxruntime")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = torch.onnx.export(
            _program(network, run), input_names=[_INPUT], output_names=[_OUTPUT],
            opset_version=_OPSET, dynamo=True, verbose=False,
        )  # fmt: skip
    assert written is not None
    content = written.model_proto
    for side in (content.graph.input[0], content.graph.output[0]):
        side.type.tensor_type.shape.dim[0].dim_param = "n"
    del content.graph.value_info[:]  # They name n otherwise.
    for key, value in _facts(run).items():
        content.metadata_props.add(key=key, value=value)
    file.write_bytes(content.SerializeToString())
    session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return lambda images: np.asarray(session.run([_OUTPUT], {_INPUT: images})[0])


def _needed(name: str) -> None:
    try:
        import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"exporting to ONNX needs {name}, which is not installed; install it: "
            "pip install 'automorph[export]', or export with --torch-export"
        ) from error
