"""The groups of an earlier audit, and a limit of accuracy that every group must reach."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from automorph.errors import UsageError
from automorph.files import read_json
from automorph.robustness.audit_result import Audit, percent

Key = tuple[str, str]
"""Class and subgroup."""


@dataclass(frozen=True)
class Reference:
    """The sizes and accuracies of the groups of an earlier audit, in ``folder``."""

    folder: str
    n: Mapping[Key, int]
    right: Mapping[Key, int]


def read_reference(path: str | os.PathLike[str]) -> Reference:
    """Read the groups of a run of ``audit``, or of ``patch`` (after mending), in a folder.

    Raises `UsageError` for other folders.
    """
    folder = Path(path).expanduser()
    for name, key in (("audit.json", None), ("patch.json", "after")):
        file = folder / name
        if not file.is_file():
            continue
        content = read_json(file)
        audit = content if key is None else content.get(key)
        groups = audit.get("groups") if isinstance(audit, Mapping) else None
        if not isinstance(groups, list) or not groups:
            break
        sizes = {(one["class"], one["subgroup"]): int(one["n"]) for one in groups}
        right = {
            (one["class"], one["subgroup"]): round(one["n"] * (one["accuracy"] or 0.0))
            for one in groups
        }
        return Reference(str(path), sizes, right)
    raise UsageError(
        f"{folder} has no finished audit; expected the folder of a run of audit or patch, which "
        "holds audit.json or patch.json: correct --against"
    )


def failures(
    audit: Audit,
    *,
    limit: float,
    known: Sequence[Key] = (),
    missing: Literal["fail", "pass"] = "fail",
) -> tuple[str, ...]:
    """Return why an audit does not pass a limit of accuracy for every group; empty if it does.

    A group without examples, or one of the ``known`` ones that is not among the audit's, fails
    unless ``missing`` is ``pass``: nothing is known of its accuracy.
    """
    found = []
    for one in sorted(audit.groups, key=lambda one: one.accuracy or 0.0):
        if one.n and one.accuracy is not None and one.accuracy < limit:
            found.append(
                f"({one.class_name}, {one.subgroup}) is right in {percent(one.accuracy)} of "
                f"{one.n:,} examples ({percent(one.low)} to {percent(one.high)}), below the limit "
                f"of {percent(limit)}."
            )
    empty = {(one.class_name, one.subgroup) for one in audit.groups if not one.n}
    empty |= set(known) - {(one.class_name, one.subgroup) for one in audit.groups if one.n}
    if empty and missing == "fail":
        found.append(
            f"There is no example of {named(sorted(empty))}, so nothing is known of the accuracy "
            "there; --missing-groups pass lets such groups pass."
        )
    return tuple(found)


def named(keys: Sequence[Key]) -> str:
    """List groups for a sentence, the first six of them.

    >>> named([("cat", "day")])
    '(cat, day)'
    """
    shown = ", ".join(f"({name}, {subgroup})" for name, subgroup in keys[:6])
    return f"{shown} and {len(keys) - 6} more" if len(keys) > 6 else shown or "none"
