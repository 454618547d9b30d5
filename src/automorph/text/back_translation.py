"""Back-translation: to another language and back, with randomly drawn words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Any

import numpy as np

from automorph.text.paraphrases import SHORTEST, put_texts
from automorph.text.pretrained import argument_of, pretrained
from automorph.text.sampling import Draws, Floats, each_text
from automorph.text.tokens import Tokens

KIND = "AutoModelForSeq2SeqLM"
BATCH, LONGEST, LIKELIEST, TEMPERATURE = 32, 256, 50, 0.9
BETWEEN = " | "
"""Separates the names of the two models in a kernel."""
_FORTH, _BACK = 1, 2  # Uses of random numbers.


def back_translate(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Translate texts to another language and back with probability ``share`` (Xie et al. 2019).

    Words are drawn from the 50 likeliest at a temperature of 0.9. A result is rejected if either
    text has fewer than ten letters, if the length changes by more than half, or if a protected part
    is lost.
    """
    forth, back = argument_of(draws.operation.kernel).split(BETWEEN)
    rows = np.flatnonzero(each_text(draws, use=0) < shares)
    texts = tokens.take(rows).join()
    long_enough = [len(text.strip()) >= SHORTEST for text in texts]
    rows, texts = rows[long_enough], list(compress(texts, long_enough))
    order = np.argsort([len(text) for text in texts], kind="stable")  # Little padding in a batch.
    out = list(texts)
    if not out:
        return tokens
    for start in range(0, len(order), BATCH):
        some = order[start : start + BATCH].tolist()
        mine = [draws.row(int(rows[number])) for number in some]
        abroad = translate([texts[number] for number in some], forth, mine, use=_FORTH)
        # An empty translation is rejected; from an empty text, a model would invent one.
        abroad = [text or "." for text in abroad]
        for number, text in zip(some, translate(abroad, back, mine, use=_BACK), strict=True):
            out[number] = text
    return put_texts(tokens, rows, out, draws)


def translate(texts: Sequence[str], source: str, draws: Sequence[Draws], *, use: int) -> list[str]:
    """Translate texts; token t of a text is drawn by number t of its draws."""
    import torch

    network, tokenizer = pretrained(KIND, source)
    limit = min(tokenizer.model_max_length, LONGEST)
    read = tokenizer(
        list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt"
    ).to(network.device)
    longest = min(limit, _max_tokens(read["input_ids"].shape[1]))
    numbers = [one.uniform(longest, draw=1 + (use << 20))[0] for one in draws]
    u = torch.as_tensor(np.array(numbers), device=network.device)
    with torch.inference_mode():
        tokens = _sampled(network, read, u)
    return [text.strip() for text in tokenizer.batch_decode(tokens, skip_special_tokens=True)]


def _max_tokens(length: Any) -> Any:
    """Return the largest number of tokens of a translation, beyond any accepted length."""
    return 2 * length + 8


def _sampled(network: Any, read: Any, u: Any) -> Any:
    """Sample tokens one after the other, ``(n, length)``, by numbers ``u`` ``(n, longest)``."""
    import torch

    settings = network.generation_config
    start, padding = settings.decoder_start_token_id, settings.pad_token_id
    ends = torch.tensor(settings.eos_token_id, device=u.device).reshape(-1)
    # Tokenizers of transformers 4 may add token types, which encoders of translators reject.
    encoded = network.get_encoder()(
        input_ids=read["input_ids"], attention_mask=read["attention_mask"]
    )
    last = torch.full((len(u), 1), start, device=u.device)
    done = torch.zeros(len(u), dtype=torch.bool, device=u.device)
    # A limit per text: the length of the others must not matter.
    max_tokens = _max_tokens(read["attention_mask"].sum(dim=1))
    past, out = None, []
    for step in range(u.shape[1]):
        answer = network(
            encoder_outputs=encoded, attention_mask=read["attention_mask"],
            decoder_input_ids=last, past_key_values=past, use_cache=True,
        )  # fmt: skip
        past, logits = answer.past_key_values, answer.logits[:, -1].double()
        if padding is not None:
            logits[:, padding] = -torch.inf
        best = (logits / TEMPERATURE).topk(min(LIKELIEST, logits.shape[1]), dim=1)
        edges = best.values.softmax(dim=1).cumsum(dim=1)
        drawn = (edges < u[:, step : step + 1]).sum(dim=1).clamp(max=edges.shape[1] - 1)
        last = best.indices.gather(1, drawn[:, None])
        last[done] = ends[0] if padding is None else padding
        out.append(last)
        done = done | torch.isin(last[:, 0], ends) | (step + 1 >= max_tokens)
        if done.all():
            break
    return torch.cat(out, dim=1)
