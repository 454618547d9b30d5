"""Space files: the ranges of a search space that a person set; reading one never runs code."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automorph.errors import PolicyError
from automorph.files import write_json
from automorph.operations import Operation, SearchSpace, list_spaces, named_space
from automorph.policies.file import read_json, space_from_dict, space_to_dict
from automorph.policies.marks import Mark, WrongFrom, compared, marked_space, sides_of
from automorph.registry import did_you_mean

FORMAT = "automorph-space"
VERSION = 1
LARGEST_FILE = 4 * 2**20
"""Bytes; larger files are refused."""
SCHEMA = Path(__file__).with_name("space.schema.json")
"""The published JSON Schema of the format."""


@dataclass(frozen=True)
class ReviewedSpace:
    """A search space as reviewed by a person, the space they looked at, and their marks."""

    looked_at: SearchSpace
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """By name of the operation; those without one were not judged, and stay whole."""
    data: str = ""
    """What the operations were looked at on."""
    stored: SearchSpace | None = None
    """The ranges as written in a file, which a person may have edited; None: follow the marks."""

    @property
    def space(self) -> SearchSpace:
        """The operations and ranges that remain."""
        return marked_space(self.looked_at, self.marks) if self.stored is None else self.stored


def reviewed_to_dict(reviewed: ReviewedSpace) -> dict[str, Any]:
    """Convert a reviewed space to plain data, ready for JSON."""
    from automorph._version import __version__

    return {
        "format": FORMAT,
        "version": VERSION,
        "automorph": __version__,
        "space": space_to_dict(reviewed.space),
        "review": {
            "data": reviewed.data,
            "looked_at": space_to_dict(reviewed.looked_at),
            "marks": {
                name: {
                    "never": mark.never,
                    "wrong": {
                        side: {"from": wrong.magnitude, "right_to": wrong.right_to}
                        for side, wrong in mark.wrong.items()
                    },
                }
                for name, mark in reviewed.marks.items()
            },
        },
    }


def write_space(reviewed: ReviewedSpace, path: str | os.PathLike[str]) -> Path:
    """Write a space file atomically."""
    target = Path(path)
    write_json(target, reviewed_to_dict(reviewed))
    return target


def read_space(path: str | os.PathLike[str], operations: Iterable[Operation] = ()) -> ReviewedSpace:
    """Read a space file; ``operations`` are the user's own that it refers to.

    Raises `PolicyError` for anything but a complete space file.
    """
    source = Path(path)
    content = read_json(
        source, "space file", LARGEST_FILE,
        path="the path of a file that automorph review wrote, or the name of a space: see "
        "automorph list spaces",
        written="a file that automorph review wrote",
    )  # fmt: skip
    return reviewed_from_dict(content, operations, where=str(source))


def reviewed_from_dict(
    content: Any, operations: Iterable[Operation] = (), *, where: str = "the space"
) -> ReviewedSpace:
    """Build a reviewed space from plain data; errors name the wrong entry."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PolicyError(
            f'{where} has no "format": "{FORMAT}"; expected a file that automorph review wrote'
        )
    version = content.get("version")
    if version != VERSION or isinstance(version, bool):
        raise PolicyError(
            f"{where} has format version {version!r:.40}, but this version of automorph reads only "
            f"version {VERSION}; upgrade automorph to use it"
        )
    content = _object(content, ("format", "version", "automorph", "space", "review"), where)
    own = tuple(operations)
    stored = space_from_dict(content["space"], own, where=f"{where}: space")
    review = _object(content["review"], ("data", "looked_at", "marks"), f"{where}: review")
    looked_at = space_from_dict(review["looked_at"], own, where=f"{where}: review.looked_at")
    if not isinstance(review["data"], str):
        raise PolicyError(f"{where}: review.data is {review['data']!r:.60}; expected a text")
    marks = marks_from_dict(review["marks"], looked_at, where=f"{where}: review.marks")
    return ReviewedSpace(looked_at, marks, review["data"], compared(stored, looked_at))


def marks_from_dict(
    content: Any, looked_at: SearchSpace, *, where: str = "the marks"
) -> dict[str, Mark]:
    """Build marks from plain data, as in a file; errors name the wrong entry."""
    if not isinstance(content, dict):
        raise PolicyError(f"{where} is {content!r:.60}; expected an object")
    for name in content:
        if name not in looked_at.names:
            hint = did_you_mean(name, looked_at.names)
            raise PolicyError(
                f"{where} has {name!r:.80}, which is not an operation of {looked_at.name}.{hint} "
                "Expected the name of one"
            )
    return {
        name: _mark(entry, looked_at[name], f"{where}.{name}") for name, entry in content.items()
    }


def load_space(
    space: str | os.PathLike[str] | SearchSpace, *, operations: Iterable[Operation] = ()
) -> SearchSpace:
    """Load a search space by name, or from a file that ``automorph review`` wrote.

    A text that ends in ``.json``, and any path object, is read as a file; ``operations`` are the
    user's own that it refers to. Raises `PolicyError` for anything else, and for a file that leaves
    no operation.

    >>> len(load_space("randaugment"))
    14
    """
    if isinstance(space, SearchSpace):
        return space
    if isinstance(space, str) and space.startswith("own:"):
        raise PolicyError(
            f"{space!r} is how tables name a space of your own, which has no other name; expected "
            "its file, such as space=space.json, or the policy's file (policy.json of its run)"
        )
    if isinstance(space, str) and (space in list_spaces() or not is_space_file(space)):
        return named_space(space)
    found = read_space(space, operations).space
    if not len(found):
        raise PolicyError(
            f"{os.fspath(space)} leaves no operation; expected at least one. Review the space "
            "again, or choose another: see automorph list spaces"
        )
    return found


def is_space_file(space: str) -> bool:
    """Return whether a text means a file rather than a name."""
    return space.strip().lower().endswith(".json")


def _mark(entry: Any, operation: Operation, where: str) -> Mark:
    entry = _object(entry, ("never", "wrong"), where)
    if not isinstance(entry["never"], bool) or not isinstance(entry["wrong"], dict):
        raise PolicyError(f"{where} is of the wrong type; expected true or false, and an object")
    wrong = {}
    for side, given in entry["wrong"].items():
        if side not in sides_of(operation):
            raise PolicyError(
                f"{where}.wrong has the side {side!r:.40}; expected "
                f"{' or '.join(sides_of(operation))}"
            )
        given = _object(given, ("from", "right_to"), f"{where}.wrong")
        if not _is_number(given["from"]) or not (
            given["right_to"] is None or _is_number(given["right_to"])
        ):
            raise PolicyError(f"{where}.wrong is {given!r:.80}; expected magnitudes from 0 to 1")
        try:
            wrong[side] = WrongFrom(given["from"], given["right_to"])
        except PolicyError as error:
            raise PolicyError(f"{where}: {error}") from None
    return Mark(entry["never"], wrong)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _object(entry: Any, keys: tuple[str, ...], where: str) -> dict[str, Any]:
    """Return an entry that is an object with exactly these keys."""
    if not isinstance(entry, dict):
        raise PolicyError(f"{where} is {entry!r:.60}; expected an object")
    for key in entry:
        if key not in keys:
            raise PolicyError(
                f"{where} has the unknown key {key!r:.80}.{did_you_mean(key, keys)} Expected "
                f"{', '.join(keys)}"
            )
    if missing := [key for key in keys if key not in entry]:
        raise PolicyError(f"{where} has no {', '.join(missing)}; expected {', '.join(keys)}")
    found: dict[str, Any] = entry
    return found
