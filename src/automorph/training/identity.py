"""Whether a record and a call describe the same work: exact, but for the last digits of floats."""

from __future__ import annotations

import math
import re
from typing import Any

TOLERANCE = 1e-9
"""Relative gap below which two floats are equal: sums differ by less between processors."""

_RECORD = re.compile(r"\w+\(\w+=.*\)")
"""The text of a dataclass, such as ``Normaliser(mean=(0.5,), std=(0.25,))``."""
_FLOAT = re.compile(r"(-?\d+(?:\.(?:0|\d*[1-9])(?:e[+-]\d+)?|e[+-]\d+))(?!\d)")
"""As Python writes it: whole numbers, hashes and 1.10, which may be a version, are none."""


def differences(found: Any, wanted: Any, path: str = "") -> list[str]:
    """Return where two plain structures differ, in words.

    >>> differences({"lr": 0.3, "seed": 0}, {"lr": 0.1 + 0.2, "seed": 1})
    ['seed was 0 and is now 1']
    """
    if isinstance(found, dict) and isinstance(wanted, dict):
        names = sorted(found.keys() | wanted.keys())
        return [
            difference
            for name in names
            for difference in differences(
                found.get(name), wanted.get(name), f"{path}.{name}" if path else name
            )
        ]
    return [] if alike(found, wanted) else [f"{path} was {found!r} and is now {wanted!r}"]


def alike(found: Any, wanted: Any, tolerance: float = TOLERANCE) -> bool:
    """Return True if plain structures are equal, floats within a relative tolerance.

    >>> alike([0.1 + 0.2, "none"], [0.3, "none"]), alike([0.1, 3], [0.1, 4])
    (True, False)
    >>> alike("Normaliser(mean=(0.1,))", "Normaliser(mean=(0.100001,))")
    False
    """
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(
            alike(value, wanted[name], tolerance) for name, value in found.items()
        )
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(
            alike(*pair, tolerance) for pair in zip(found, wanted, strict=True)
        )
    if isinstance(found, float) and isinstance(wanted, float):
        return found == wanted or math.isclose(found, wanted, rel_tol=tolerance)
    if isinstance(found, str) and isinstance(wanted, str) and found != wanted:
        return _alike_records(found, wanted, tolerance)
    return bool(found == wanted)


def _alike_records(found: str, wanted: str, tolerance: float) -> bool:
    """Return True if the texts of two dataclasses differ only in the last digits of floats."""
    if not (_RECORD.fullmatch(found) and _RECORD.fullmatch(wanted)):
        return False
    # Every other part is a number.
    pieces, others = _FLOAT.split(found), _FLOAT.split(wanted)
    return pieces[::2] == others[::2] and alike(
        [float(number) for number in pieces[1::2]],
        [float(number) for number in others[1::2]],
        tolerance,
    )
