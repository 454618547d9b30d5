"""One operation by one of its definitions, on any path of the engine."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph.engine import apply_native, apply_reference
from automorph.operations import Operation, SearchSpace, Sequences, Stream
from automorph.policies import Uniform, policy_from_dict, policy_to_dict

PATHS = (apply_reference, apply_native)


def applied_by(
    operation: Operation, apply: Any, images: NDArray[np.uint8], *, definition: int, **settings: Any
) -> NDArray[np.uint8]:
    """Apply an operation at full magnitude by one of its definitions, under seed 3."""
    chosen = replace(operation.with_settings(**settings), definition=definition)
    sequences = Sequences.of(np.zeros((len(images), 1), np.int16), 1.0)
    stream = Stream(seed=3, index=np.arange(len(images)))
    out: NDArray[np.uint8] = apply(images, sequences, SearchSpace("one", (chosen,)), stream)
    return out


def digest(*arrays: NDArray[Any]) -> str:
    """Hash pixels or tables."""
    return blake2b(b"".join(one.tobytes() for one in arrays), digest_size=8).hexdigest()


def assert_files_replay(operation: Operation, images: NDArray[np.uint8]) -> None:
    """Check that a file is replayed by the definition that it states, the second by default."""
    policy = Uniform(operations=SearchSpace("one", (operation,)), length=1)
    found = policy_to_dict(policy)
    stored = found["policy"]["operations"]["operations"][0]
    assert stored["definition"] == 2
    stored["definition"] = 1
    first = policy_from_dict(found)
    before, now = (one.augment(images, seed=3) for one in (first, policy))
    assert (before == applied_by(operation, apply_reference, images, definition=1)).all()
    assert (before != now).any()
