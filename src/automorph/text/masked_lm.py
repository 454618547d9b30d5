"""Words drawn by a masked language model that sees the rest of the text (Kobayashi 2018)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.errors import UsageError
from automorph.text.pretrained import argument_of, pretrained
from automorph.text.sampling import Draws, Floats, choose, each_word, share_of
from automorph.text.synonyms import cased
from automorph.text.tokens import Flags, Tokens
from automorph.text.vocabulary import is_word

KIND = "AutoModelForMaskedLM"
BATCH, LIKELIEST, LONGEST = 64, 50, 512


def replace_masked(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Hide max(1, share * n) words, and draw them from a masked language model.

    Each is drawn from the 50 likeliest whole words, by their probability, without the original
    word. The words of a text are hidden together; texts are passed through the model in batches.
    Text beyond the model's longest input is unchanged.
    """
    keys, v = (each_word(draws, tokens, use=use) for use in (0, 1))
    chosen = choose(tokens, tokens.free, share_of(shares, tokens.count(tokens.free)), keys)
    source = argument_of(draws.operation.kernel)
    rows = np.flatnonzero(tokens.count(chosen))
    rows = rows[np.argsort(tokens.lengths[rows], kind="stable")]  # Little padding in a batch.
    words = tokens.words.copy()
    for start in range(0, len(rows), BATCH):
        for row in _Guesses(source, tokens, chosen, rows[start : start + BATCH]).each():
            for position, options, weights in row:
                words[position] = _drawn(tokens, position, options, weights, float(v[position]))
    changed = words != tokens.words
    return tokens.with_words(changed, words[changed])


def _drawn(tokens: Tokens, position: int, options: list[str], weights: Floats, u: float) -> int:
    """Return one of the options (its number), cased like the original word but different."""
    vocabulary = tokens.vocabulary
    word = vocabulary.words[tokens.words[position]]
    weights = np.where([option.lower() == word.lower() for option in options], 0.0, weights)
    if not weights.sum() > 0:
        return int(tokens.words[position])
    edges = np.cumsum(weights)
    number = int(np.searchsorted(edges, u * edges[-1], "right"))
    return vocabulary.word(cased(options[number], word))


class _Guesses:
    """A model's guesses for the hidden words of a few texts."""

    def __init__(self, source: str, tokens: Tokens, chosen: Flags, rows: NDArray[np.int64]) -> None:
        self.source, self.tokens, self.chosen, self.rows = source, tokens, chosen, rows

    def each(self) -> Any:
        """Return for each text the positions of hidden words with their options and weights."""
        import torch

        network, tokenizer = pretrained(KIND, self.source)
        numbers, strings = whole_words(self.source)
        mask = tokenizer.mask_token
        if mask is None:
            raise UsageError(
                f"the tokenizer of {self.source!r} has no mask token; expected a masked "
                "language model"
            )
        limit = min(tokenizer.model_max_length, LONGEST)
        read = tokenizer(
            [self._hidden(row, mask) for row in self.rows.tolist()],
            padding=True, truncation=True, max_length=limit, return_tensors="pt",
        ).to(network.device)  # fmt: skip
        with torch.inference_mode():
            at = (read["input_ids"] == tokenizer.mask_token_id).nonzero()
            found = torch.as_tensor(numbers, device=network.device)
            # Only the logits of the hidden words leave the network's last layer.
            logits = network(**read).logits[at[:, 0], at[:, 1]][:, found].float()
            best = logits.softmax(dim=1).topk(min(LIKELIEST, len(numbers)), dim=1)
        positions = at[:, 0].cpu().numpy()
        shares, which = best.values.double().cpu().numpy(), best.indices.cpu().numpy()
        for number, row in enumerate(self.rows.tolist()):
            mine = np.flatnonzero(positions == number)
            hidden = self._hidden_positions(row)
            # Beyond the longest text that the model takes, nothing is hidden.
            yield [
                (position, [strings[i] for i in which[guess]], shares[guess])
                for position, guess in zip(hidden.tolist(), mine.tolist(), strict=False)
            ]

    def _hidden_positions(self, row: int) -> NDArray[np.int64]:
        start, stop = self.tokens.offsets[row : row + 2].tolist()
        return np.arange(start, stop)[self.chosen[start:stop]]

    def _hidden(self, row: int, mask: str) -> str:
        """Return the text without its tags, and with a mask for every hidden word."""
        tokens, vocabulary = self.tokens, self.tokens.vocabulary
        start, stop = tokens.offsets[row : row + 2]
        hidden, strings = self.chosen[start:stop].tolist(), []
        for piece, word, gone in zip(
            tokens.pieces[start:stop].tolist(), tokens.words[start:stop].tolist(), hidden,
            strict=True,
        ):  # fmt: skip
            text, own = vocabulary.pieces[piece], vocabulary.words[word]
            if gone:
                # The white space of the piece stays, so that the tokenizer sees a word there.
                strings.append(text[: len(text) - len(own)] + mask)
            elif not (own.startswith("<") and len(own) > 1):
                strings.append(text.replace(mask, " "))
            elif tokens.definition > 1:
                strings.append(" ")  # Without the tag, the words around it are two.
        return "".join(strings)


@cache
def whole_words(source: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return the numbers of the tokens that are whole words, and those words.

    Continuations (``##ing`` of WordPiece; tokens without the initial mark in SentencePiece and
    byte-level BPE) and tokens that are not words are left out.
    """
    _, tokenizer = pretrained(KIND, source)
    listed = tokenizer.get_vocab()
    marks = tuple(mark for mark in ("Ġ", "▁") if any(token.startswith(mark) for token in listed))
    special = set(tokenizer.all_special_tokens)
    found = []
    for token, number in listed.items():
        begins = token.startswith(marks) if marks else not token.startswith("##")
        word = token.lstrip("Ġ▁")
        if begins and token not in special and word.isalpha() and is_word(word):
            found.append((number, word))
    found.sort()
    return np.array([number for number, _ in found], np.int64), [word for _, word in found]
