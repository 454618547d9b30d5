"""Whether a stored run is the one that a call describes, and made with the same libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automorph.errors import DamagedError, UsageError
from automorph.training.identity import differences

_LATER = ("structure",)
"""Entries of a task's identity that older records lack."""
_LATER_DATA = ("pixels",)
"""Entries of a data set's identity that older records lack."""
_PIXELS = ("hash", "order", "pixels")
"""Entries of a data set's identity that change with the library that decodes its images."""


@dataclass(frozen=True)
class SameRun:
    """The installed versions, and what a reader of the results must know if they are others."""

    versions: dict[str, str]
    remarks: tuple[str, ...] = ()


def check_same_run(
    known: Mapping[str, Any],
    wanted: Mapping[str, Any],
    *,
    place: str,
    verb: str,
    accepted: Sequence[dict[str, str]] | None,
) -> SameRun:
    """Compare the identity in a record with that of a call.

    Both may have ``versions``, also inside their ``task``; without an entry ``task`` they are one
    (see `task_identity`). ``accepted`` are the versions that the
    user accepted besides those of the record; None accepts all. Raises `UsageError` for a different
    run, and for versions that are not accepted.
    """
    found, own = json.loads(json.dumps(known)), json.loads(json.dumps(wanted))
    theirs, ours = (_take_versions(identity, place) for identity in (found, own))
    _fill(_task(found), _task(own), _LATER)
    _fill(_task(found).get("data"), _task(own).get("data"), _LATER_DATA)
    # Records of version 0.1 have no versions.
    moved = bool(theirs) and theirs != ours
    pixels = [_take_pixels(one) for one in (found, own)] if moved else []
    if changes := differences(found, own):
        raise UsageError(
            f"{place} contains a different {verb} ({'; '.join(changes[:3])[:600]}); choose another "
            "folder with --out, or remove this one"
        )
    if not moved:
        return SameRun(ours)
    if accepted is not None and ours not in accepted:
        raise UsageError(_refusal(place, verb, theirs, ours, pixels[0] != pixels[1]))
    remark = (
        f"Some results were made with {_in_words(theirs, ours)}, others with "
        f"{_in_words(ours, theirs)}: differences between them may come from the libraries."
    )
    return SameRun(ours, (remark,))


def _task(identity: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an identity that describes its task."""
    task = identity.get("task", identity)
    return task if isinstance(task, dict) else {}


def _fill(older: Any, newer: Any, names: Sequence[str]) -> None:
    """Add entries to a record that was made before there were such entries."""
    if isinstance(older, dict) and isinstance(newer, dict):
        for name in names:
            if name in newer:
                older.setdefault(name, newer[name])


def _take_versions(identity: dict[str, Any], place: str) -> dict[str, str]:
    """Remove the versions from an identity, and return them."""
    versions: dict[str, str] = {}
    for holder in (_task(identity), identity):
        found = holder.pop("versions", None) or {}
        if not isinstance(found, dict):
            raise DamagedError(
                f"{place} records the versions {found!r:.80}; expected versions by library name. "
                "Its record is damaged: choose another folder with --out, or remove this one"
            )
        versions |= found
    return versions


def _take_pixels(identity: dict[str, Any]) -> dict[str, Any]:
    """Remove what depends on the decoded pixels from an identity, and return it."""
    task = _task(identity)
    if not isinstance(task.get("data"), dict):
        return {}
    taken = {name: task["data"].pop(name, None) for name in _PIXELS}
    if str(task.get("encoder")).startswith("Normaliser("):
        taken["encoder"] = task.pop("encoder")  # Its numbers are means of the pixels.
    return taken


def _refusal(
    place: str, verb: str, theirs: dict[str, str], ours: dict[str, str], other_pixels: bool
) -> str:
    names = [name for name in theirs if ours.get(name) != theirs[name]]
    former = " ".join(f"'{name}=={theirs[name]}'" for name in names)
    what = "gives other pixels for these files" if other_pixels else "may give other results"
    return (
        f"{place} contains a {verb} made with {_in_words(theirs, ours)}; installed: "
        f"{_in_words(ours, theirs)}, which {what}. Install the former (pip install {former}), "
        "continue with --accept-versions (accept_versions=True), or choose another folder with "
        "--out"
    )


def _in_words(versions: dict[str, str], others: dict[str, str]) -> str:
    """Name the versions that differ from others."""
    names = [name for name in versions if others.get(name) != versions[name]]
    return ", ".join(f"{name} {versions[name]}" for name in names) or "none of these libraries"
