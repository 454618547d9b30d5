"""Whole texts replaced by paraphrases: from a table, or by translation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from automorph.errors import DataError
from automorph.text.pretrained import argument_of
from automorph.text.reading import tokenise
from automorph.text.sampling import Draws, Floats, each_text
from automorph.text.tokens import Positions, Tokens

SHORTEST, STRETCH = 10, 0.5
"""A paraphrase is rejected if either text has fewer letters, or if its length changes by more than
this share (Wu et al. 2020, released code)."""

Table = Mapping[str, Sequence[str]]


def fits(text: str, other: str) -> bool:
    """Return whether a text is acceptable as a paraphrase of another.

    >>> fits("a good film, all in all", "all in all a fine film"), fits("a good film", "good")
    (True, False)
    """
    long_enough = min(len(text), len(other)) >= SHORTEST
    return long_enough and abs(len(other) - len(text)) <= STRETCH * len(text)


def put_texts(tokens: Tokens, rows: Positions, texts: Sequence[str], draws: Draws) -> Tokens:
    """Replace the texts of some rows.

    A text that fails `fits`, or that lost or changed a protected part, is rejected: the row stays
    unchanged.
    """
    if not len(rows):
        return tokens
    corpus = draws.operation.corpus
    old = tokens.take(rows)
    protect = () if corpus is None else corpus.protect
    new = tokenise(texts, protect=protect, vocabulary=tokens.vocabulary)
    pairs = zip(old.join(), texts, strict=True)
    good = [
        fits(*pair) and _protected(old, row) == _protected(new, row)
        for row, pair in enumerate(pairs)
    ]
    kept = np.flatnonzero(good)
    return tokens.put([rows[kept]], [new.take(kept)]) if len(kept) else tokens


def _protected(tokens: Tokens, row: int) -> list[int]:
    span = slice(tokens.offsets[row], tokens.offsets[row + 1])
    words: list[int] = tokens.words[span][tokens.kept[span]].tolist()
    return words


def replace_by_table(tokens: Tokens, shares: Floats, draws: Draws) -> Tokens:
    """Replace a text by one of its paraphrases, drawn uniformly, with the probability ``share``.

    Texts are looked up by content, ignoring white space at the ends; a text that is not in the
    table, or that an earlier operation has changed, stays unchanged.
    """
    table = read_paraphrases(argument_of(draws.operation.kernel))
    u, v = (each_text(draws, use=use) for use in (0, 1))
    rows, found = [], []
    wanted = np.flatnonzero(u < shares)
    for row, text in zip(wanted.tolist(), tokens.take(wanted).join(), strict=True):
        if options := table.get(text.strip(), ()):
            rows.append(row)
            found.append(options[int(v[row] * len(options))])
    return put_texts(tokens, np.array(rows, np.int64), found, draws)


@cache
def read_paraphrases(path: str) -> Table:
    """Read a file of JSON lines: ``{"text": "...", "paraphrases": ["...", "..."]}``.

    Raises `DataError`, naming the wrong line.
    """
    table: dict[str, tuple[str, ...]] = {}
    file = Path(path).expanduser()
    try:
        if file.exists() and not file.is_file():
            raise OSError("it is not a file")
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    text, others = _entry(line, f"{path}, line {number}")
                    table[text] = (*table.get(text, ()), *others)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"cannot read paraphrases from {path!r}: {error}; expected a JSON Lines file, "
            'each line {"text": "...", "paraphrases": ["..."]}'
        ) from error
    return table


def _entry(line: str, where: str) -> tuple[str, tuple[str, ...]]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    fields = entry if isinstance(entry, dict) else {}
    text, others = fields.get("text"), fields.get("paraphrases")
    if isinstance(text, str) and isinstance(others, list):
        texts = tuple(other for other in others if isinstance(other, str))
        if len(texts) == len(others):
            return text.strip(), texts
    raise DataError(
        f"{where} is {line.strip()!r:.80}; expected an object with a text and a list of texts: "
        '{"text": "...", "paraphrases": ["..."]}'
    )
