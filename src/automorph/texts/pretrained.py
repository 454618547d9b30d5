"""Models of the transformers library for operations on texts; torch is imported at first use."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from automorph.errors import MissingExtraError, UsageError


@cache
def pretrained(kind: str, source: str) -> tuple[Any, Any]:
    """The network of a folder or hub name, in evaluation mode, and its tokenizer.

    ``kind`` is a class of transformers, as ``AutoModelForMaskedLM``. The network lies on torch's
    default device. Raises `UsageError` where it cannot be loaded, or lacks weights that this kind
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
        tokenizer = library.AutoTokenizer.from_pretrained(source)
        network, report = getattr(library, kind).from_pretrained(source, output_loading_info=True)
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
            f"trained as an {kind}, and would answer at random; name one that was"
        )
    return network.eval().requires_grad_(False).to(torch.get_default_device()), tokenizer


def argument_of(kernel: str) -> str:
    """What stands behind the first colon of a kernel: ``Masked:folder`` has ``folder``."""
    return kernel.partition(":")[2]
