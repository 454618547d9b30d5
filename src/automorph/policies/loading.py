"""Policies loaded by name or from a file, and saved to a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automorph.errors import PolicyError
from automorph.operations import Operation
from automorph.policies.base import Policy
from automorph.policies.builtin import POLICIES
from automorph.policies.file import read_policy, write_policy
from automorph.policies.parser import parse_policy


def load_policy(
    policy: str | os.PathLike[str] | Policy, *, operations: Iterable[Operation] = ()
) -> Policy:
    """Load a policy by name, by timm string or from a file.

    A text that ends in ``.json``, and any path object, is read as a file; ``operations`` are the
    user's own operations that it refers to. Raises `PolicyError` for anything else.

    >>> load_policy("randaugment(n=2,m=9)").name
    'randaugment(n=2,m=9)'
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, os.PathLike):
        return read_policy(Path(policy), operations)
    if not isinstance(policy, str):
        raise PolicyError(
            f"got {policy!r:.60} as a policy; expected a name such as randaugment(n=2,m=9), or a "
            f"path of a policy.json{_reading_hint(policy)}"
        )
    # A path may itself contain a +.
    if policy.strip().lower().endswith(".json") and Path(policy.strip()).exists():
        return read_policy(Path(policy.strip()), operations)
    return parse_policy(policy, operations)


def save_policy(
    policy: str | os.PathLike[str] | Policy,
    path: str | os.PathLike[str],
    *,
    provenance: dict[str, Any] | None = None,
) -> Path:
    """Write a policy, given as an object or by name, to a file, atomically.

    ``provenance`` records where the policy comes from: anything that JSON can hold.
    """
    return write_policy(load_policy(policy), path, provenance=provenance)


def _reading_hint(thing: object) -> str:
    """Return what to do with a transform of another library."""
    homes = {kind.__module__.partition(".")[0] for kind in type(thing).__mro__}
    if not homes & {"torchvision", "albumentations", "kornia", "torch"}:
        return ""
    return ". A transform is read first: automorph.import_policy(transform)"


def list_policies() -> dict[str, str]:
    """List the named policies with their summaries; the last ones need a model or a file."""
    return POLICIES.about()
