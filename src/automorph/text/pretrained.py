"""Models of the transformers library for text operations; torch is imported on first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from automorph.errors import MissingExtraError, UsageError


def on_this_machine(source: str) -> bool:
    """Return whether a model's folder, or its copy in the hub cache, exists; uses no network."""
    if Path(source).expanduser().is_dir():
        return True
    try:
        hub = import_module("huggingface_hub")
        return isinstance(hub.try_to_load_from_cache(source, "config.json"), str)
    except (ImportError, ValueError):
        return False


def loaded(kind: Any, source: str, **options: Any) -> Any:
    """Return ``kind.from_pretrained(source)``: from this machine if possible, else from the hub.

    No code that comes with a model is run.
    """
    options["trust_remote_code"] = False
    try:
        return kind.from_pretrained(source, local_files_only=True, **options)
    except OSError:
        if Path(source).expanduser().is_dir():
            raise
    return kind.from_pretrained(source, **options)


@cache
def pretrained(kind: str, source: str) -> tuple[Any, Any]:
    """Load the network of a folder or hub name, in evaluation mode, and its tokenizer.

    ``kind`` is a class of transformers, such as ``AutoModelForMaskedLM``. The network is on torch's
    default device. Raises `UsageError` if it cannot be loaded, or lacks weights that this class
    needs, and `MissingExtraError` without transformers.
    """
    try:
        library = import_module("transformers")
        torch = import_module("torch")
    except ImportError as error:
        raise MissingExtraError(
            "operations with language models need the transformers library; install it with: "
            "pip install 'automorph[text]'"
        ) from error
    before = library.logging.get_verbosity()
    library.logging.set_verbosity_error()
    try:
        tokenizer = loaded(library.AutoTokenizer, source)
        network, report = loaded(getattr(library, kind), source, output_loading_info=True)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"the language model {source!r} cannot be loaded: {str(error).splitlines()[0]}. "
            f"Expected a folder or hub name of an {kind} with its tokenizer"
        ) from error
    finally:
        library.logging.set_verbosity(before)
    if missing := sorted(report["missing_keys"]):
        raise UsageError(
            f"the language model {source!r} lacks the weights {', '.join(missing[:3])}: it was not "
            f"trained as an {kind}, so its output would be random; choose one that was"
        )
    return network.eval().requires_grad_(False).to(torch.get_default_device()), tokenizer


def argument_of(kernel: str) -> str:
    """Return the part of a kernel after the first colon: ``Masked:folder`` has ``folder``."""
    return kernel.partition(":")[2]
