"""Which checks of a kit fail: the tests of the kits break one thing and look for its check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from automorph.testing import Check


def failing(checks: Iterable[Check], subject: Any, **options: Any) -> dict[str, str]:
    """The messages of the checks that fail, by name."""
    found = {}
    for check in checks:
        try:
            check(subject, **options)
        except AssertionError as error:
            found[check.name] = str(error)
    return found


def states_three_parts(message: str) -> bool:
    """Whether a message states what was found, what was expected and what to do."""
    found, expected, rest = message.partition("; expected ")
    return bool(found and expected and ": " in rest)
