"""Definitions of kernels and kinds of policies beyond their fields, as policy files state them.

A kernel follows a numbered definition. A changed meaning gets the next number, and both remain: a
file replays by the definition that it states. Constants are the numbers inside a definition that
another library, or a later version of this one, may choose differently. Files that state others are
refused, except for those that an operation may set (`Kernel.settable`), and for values that are
drawn from the range instead of following a magnitude.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from automorph.errors import PolicyError
from automorph.operations import (
    KERNELS,
    PAINTING,
    TEXT_DEFINITION,
    Bounds,
    Colour,
    text_operation,
)

Settings = tuple[tuple[str, Any], ...]
FIRST = 1
"""The definition of kernels that never changed, and of all that files of version 1 refer to."""

DRAWN = {"value": "drawn"}
"""The constant of an operation of images that draws its value uniformly from its range."""


def _plain(constants: Mapping[str, Any]) -> dict[str, Any]:
    """Return constants as JSON has them: lists instead of tuples."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in constants.items()}


KERNEL_CONSTANTS: dict[str, dict[str, Any]] = {
    name: _plain(kernel.constants) for name, kernel in KERNELS.items() if kernel.constants
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
    if kernel in KERNELS:
        latest = KERNELS[kernel].definitions
    else:
        latest = FIRST if text_operation(kernel) is None else TEXT_DEFINITION
    return tuple(range(FIRST, latest + 1))


def definition_of(
    kernel: str, *, fill: Colour | None = None, settings: Settings = (), number: int = FIRST
) -> dict[str, Any]:
    """Return definition and constants of a kernel, as in a file.

    ``fill`` is the colour of an operation that paints (None: grey).

    >>> definition_of("Cutout"), definition_of("Rotate")
    ({'definition': 1, 'constants': {'fill': 128}}, {'definition': 1})
    """
    return {"definition": number, **stated(constants_with(kernel, fill, settings))}


def constants_with(
    kernel: str, fill: Colour | None, settings: Settings = ()
) -> dict[str, Any] | None:
    """Return the constants of a kernel as its operation has them: its colour and its settings."""
    constants = KERNEL_CONSTANTS.get(kernel, {}) | _plain(dict(settings))
    if fill is not None and kernel in PAINTING:
        constants |= _plain({"fill": fill})
    return constants or None


def settings_in(given: Any, kernel: str, where: str) -> Settings:
    """Return the settings that an operation of a file states; refuse those out of bounds."""
    known = KERNELS.get(kernel)
    if known is None or not isinstance(given, dict):
        return ()
    found: dict[str, Any] = DRAWN if given.get("value") == DRAWN["value"] else {}
    for key, bounds in known.settable.items():
        value, default = given.get(key), KERNEL_CONSTANTS[kernel][key]
        if key in given and not _allowed(value, default, bounds):
            what = f"one of {', '.join(map(str, bounds))}"
            if not isinstance(bounds[0], str):
                several = (
                    "a list of two numbers in order" if isinstance(default, list) else "a number"
                )
                what = f"{several} from {bounds[0]:g} to {bounds[1]:g}"
            raise PolicyError(f"{where}.{key} is {value!r:.60}; expected {what}")
        if key in given and value != default:
            found = {**found, key: tuple(value) if isinstance(value, list) else value}
    return tuple(sorted(found.items()))


def _allowed(value: Any, default: Any, bounds: Bounds) -> bool:
    if isinstance(bounds[0], str):
        return value in bounds
    if isinstance(value, list) != isinstance(default, list):
        return False
    numbers = value if isinstance(value, list) else [value]
    whole = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in numbers)
    if not whole or not all(bounds[0] <= v <= float(bounds[1]) for v in numbers):
        return False
    if isinstance(default, list) and len(default) == 2:
        # Numbers of tiles along two sides are not a range, but their order does no harm.
        return len(numbers) == 2 and numbers[0] <= numbers[1]
    return 1 <= len(numbers) <= 4


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
