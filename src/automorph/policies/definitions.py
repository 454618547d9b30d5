"""Definitions of kernels and kinds of policies beyond their fields, as policy files state them.

A kernel follows a numbered definition. A changed meaning gets the next number, and both remain: a
file replays by the definition that it states. Constants are the numbers inside a definition that
another library, or a later version of this one, may choose differently. Files that state others are
refused.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from automorph.errors import PolicyError
from automorph.operations import KERNELS, PAINTING, TEXT_DEFINITION, Colour, text_operation

FIRST = 1
"""The definition of kernels that never changed, and of all that files of version 1 refer to."""

KERNEL_CONSTANTS: dict[str, dict[str, Any]] = {
    name: dict(kernel.constants) for name, kernel in KERNELS.items() if kernel.constants
}
"""Constants by kernel, in the form of its declaration."""

KIND_CONSTANTS: dict[str, dict[str, Any]] = {
    "drawn": {"probabilities": 11, "magnitudes": 10},
    "augmix": {"longest": 3},
}
"""Constants by kind of policy; a kind has one meaning, and a changed meaning is another kind."""


def definitions_of(kernel: str) -> tuple[int, ...]:
    """Return the numbers of the definitions that a kernel has in this version.

    >>> definitions_of("Rotate"), definitions_of("Swap")
    ((1,), (1, 2))
    """
    latest = FIRST if text_operation(kernel) is None else TEXT_DEFINITION
    return tuple(range(FIRST, latest + 1))


def definition_of(
    kernel: str, *, fill: Colour | None = None, number: int = FIRST
) -> dict[str, Any]:
    """Return definition and constants of a kernel, as in a file.

    ``fill`` is the colour of an operation that paints (None: grey).

    >>> definition_of("Cutout"), definition_of("Rotate")
    ({'definition': 1, 'constants': {'fill': 128}}, {'definition': 1})
    """
    return {"definition": number, **stated(constants_with(kernel, fill))}


def constants_with(kernel: str, fill: Colour | None) -> dict[str, Any] | None:
    """Return the constants of a kernel, with the colour that its operation paints with."""
    constants = KERNEL_CONSTANTS.get(kernel)
    if constants is None or fill is None or kernel not in PAINTING:
        return constants
    return {**constants, "fill": list(fill) if isinstance(fill, tuple) else fill}


def constants_of(kind: str) -> dict[str, Any]:
    """Return the constants of a kind of policy, as in a file."""
    return stated(KIND_CONSTANTS.get(kind))


def stated(constants: dict[str, Any] | None) -> dict[str, Any]:
    """Return the constants under their key; empty if there are none."""
    return {"constants": deepcopy(constants)} if constants else {}


def check_definition(number: Any, kernel: str, where: str) -> None:
    """Refuse a definition of a kernel that this version does not have."""
    known = definitions_of(kernel)
    if isinstance(number, bool) or number not in known:
        numbers = " or ".join(map(str, known))
        what = "the only definition" if len(known) == 1 else "the definitions"
        raise PolicyError(
            f"{where}.definition is {number!r:.60}; expected {numbers}, {what} of {kernel} in this "
            "version of automorph. Upgrade automorph if the file is newer"
        )


def check_constants(given: dict[str, Any], what: str, wanted: dict[str, Any], where: str) -> None:
    """Refuse constants that this version cannot draw with."""
    for key, value in wanted.items():
        if isinstance(given[key], bool) or given[key] != value:
            hint = (
                "A fill that depends on the data is stored as its resolved number"
                if key == "fill" and isinstance(given[key], str)
                else "Upgrade automorph if the file is newer"
            )
            raise PolicyError(
                f"{where}.{key} is {given[key]!r:.60}; expected {value!r}, which this "
                f"version of automorph uses for {what}. {hint}"
            )
