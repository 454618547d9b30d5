"""Tensors and facts in one safetensors file, written atomically."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from automorph.errors import DamagedError, UsageError
from automorph.files import atomic_write

_FACTS, _CHECK = "automorph", "check"


def write_checkpoint(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors, with facts as JSON in the file's header.

    A single file, so that a kill between two renames cannot pair the tensors of one epoch with the
    facts of another.
    """
    from safetensors.torch import save_file

    # Clones: the format needs contiguous memory, and refuses tensors that share memory.
    plain = {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    facts_json = json.dumps(facts, allow_nan=False)
    with atomic_write(path) as temporary:
        save_file(
            plain, temporary, metadata={_FACTS: facts_json, _CHECK: _check(plain, facts_json)}
        )


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and facts. Raises `DamagedError` if the file is missing or was changed."""
    with _opened(path) as file:
        facts = _facts(file)
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        # The format does not detect a changed weight. The first versions wrote no check sum.
        if _CHECK in metadata and metadata[_CHECK] != _check(tensors, metadata[_FACTS]):
            raise ValueError("its content was changed after it was written")
    return tensors, facts


def read_facts(path: Path) -> dict[str, Any]:
    """Read the facts from the header; does not detect changed weights. Raises `DamagedError`."""
    with _opened(path) as file:
        return _facts(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            yield file
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise DamagedError(
            f"{path} cannot be read as a checkpoint ({error}); expected a file that "
            "automorph wrote. Delete its run folder to train from the start"
        ) from error


def _facts(file: Any) -> dict[str, Any]:
    facts = json.loads((file.metadata() or {})[_FACTS])
    if not isinstance(facts, dict):
        raise ValueError("it has no facts")
    return facts


def _check(tensors: dict[str, Tensor], facts_json: str) -> str:
    """Return the CRC-32 of facts, names, types, shapes and bytes."""
    total = zlib.crc32(facts_json.encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        total = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), total)
        total = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, total)
    return f"{total:08x}"


def load_weights(model: nn.Module, path: Path) -> None:
    """Load the weights of a finished run. Raises `UsageError` if they do not fit the network."""
    fill(model, read_checkpoint(path)[0], path)


def fill(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load tensors of a file into a network. Raises `UsageError` if they do not fit."""
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise UsageError(
            f"the weights in {path} do not fit the network: {str(error)[:500]}"
        ) from error


def prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors renamed to ``prefix.NAME``."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors named ``prefix.NAME``, by NAME."""
    start = f"{prefix}."
    return {name[len(start) :]: t for name, t in tensors.items() if name.startswith(start)}
