"""Apply sequences to texts: tokenise once, edit arrays, join once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.engine import user_functions
from automorph.engine.validation import check_batch
from automorph.operations import (
    NOTHING,
    TEXT_DEFINITION,
    Context,
    SearchSpace,
    Sequences,
    Stream,
)
from automorph.text import Tokens, find_kernel, tokenise

TEXT = np.dtypes.StringDType()
_NO_FILL = np.zeros(1, np.uint8)


def apply_texts(
    texts: NDArray[Any],
    sequences: Sequences,
    space: SearchSpace,
    stream: Stream,
    *,
    prefixes: bool = False,
) -> NDArray[Any]:
    """Apply a sequence to each text, ``StringDType (n,)``; ``(n, L + 1)`` with ``prefixes``."""
    check_batch(texts, sequences, space, stream, "nearest", "exact", 1)
    protect = protected_by(space)
    tokens = tokenise(
        texts.tolist(), protect=protect, definition=definition_of(space), divided=space.reads_words
    )
    stream, steps = stream.at_stage(0), [texts]
    for position in range(sequences.length):
        touched, edited = [], []
        active = sequences.fire[:, position] & (sequences.op[:, position] != NOTHING)
        for number in np.unique(sequences.op[active, position]).tolist():
            rows = np.flatnonzero(active & (sequences.op[:, position] == number))
            operation = space.operations[number]
            step = Context(operation, stream.take(rows), position, texts, _NO_FILL)
            sides = step.signs() if operation.signed else 1.0
            values = operation.values(sequences.magnitude[rows, position], sides)
            changed = values != operation.identity
            rows, values = rows[changed], values[changed]
            if len(rows):
                step = Context(operation, stream.take(rows), position, texts, _NO_FILL)
                touched.append(rows)
                edited.append(_edited(tokens.take(rows), values, step, protect))
        if touched:
            tokens = tokens.put(touched, edited)
        if prefixes:
            steps.append(np.array(tokens.join(), TEXT))
    return np.stack(steps, axis=1) if prefixes else np.array(tokens.join(), TEXT)


def protected_by(space: SearchSpace) -> Sequence[str]:
    """Return the patterns of protected text from the corpus that the space was fitted to."""
    for operation in space:
        if operation.corpus is not None:
            return tuple(operation.corpus.protect)
    return ()


def definition_of(space: SearchSpace) -> int:
    """Return the latest definition of the space's operations on texts."""
    found = [one.definition for one in space if one.kernel != "user"]
    return max(found, default=TEXT_DEFINITION)


def _edited(
    tokens: Tokens, values: NDArray[np.float64], step: Context, protect: Sequence[str]
) -> Tokens:
    own = partial(tokenise, protect=protect, vocabulary=tokens.vocabulary)
    kernel = find_kernel(step.operation.kernel)
    if kernel is None:
        return own(user_functions.call_on_texts(tokens.join(), values, step))
    definition = step.operation.definition
    if definition == tokens.definition:
        return kernel(tokens, values, step)
    # Operations of saved and new policies in one chain: each reads the text by its own definition.
    other = tokenise(
        tokens.join(), protect=protect, definition=definition, divided=tokens.vocabulary.divided
    )
    return own(kernel(other, values, step).join())
