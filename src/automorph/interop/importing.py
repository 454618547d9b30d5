"""Policies imported from objects of other libraries."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from automorph.errors import PolicyError
from automorph.interop import albumentations_reader, kornia_reader, torchvision_reader
from automorph.interop.export import FIDELITY
from automorph.interop.fidelity import SIZED, Fidelity
from automorph.interop.ir_to_policy import by_themselves, policy_of
from automorph.interop.reader_base import Notes, Part
from automorph.policies import Policy, drawable

_READERS: dict[str, Callable[[Any, Notes], Sequence[Part]]] = {
    "torchvision": torchvision_reader.read,
    "albumentations": albumentations_reader.read,
    "kornia": kornia_reader.read,
}


class DifferenceWarning(UserWarning):
    """The differences of an imported policy from its pipeline: ``notes``, one line each."""

    def __init__(self, notes: Sequence[str]) -> None:
        self.notes = tuple(notes)
        super().__init__("the policy differs from the pipeline: " + "; ".join(self.notes))

    def __reduce__(self) -> tuple[Any, ...]:
        return DifferenceWarning, (self.notes,)


def import_policy(transform: Any) -> Policy:
    """Convert a transform of torchvision (v2 or v1), albumentations or kornia to a policy.

    Steps that are not augmentations (resizing, normalising) are left out. A timm string is a name
    for `load_policy`. Raises `PolicyError` for transforms that match no operation of the catalogue.

    Issues one `DifferenceWarning` about everything that was left out or differs; its ``notes`` are
    the lines. To silence it:
    ``warnings.simplefilter("ignore", automorph.interop.DifferenceWarning)``.
    """
    library = _library(transform)
    if library not in _READERS:
        raise PolicyError(
            f"got {type(transform).__name__} of {library}; expected a transform of "
            f"{', '.join(_READERS)}, or a name for load_policy"
        )
    notes = Notes()
    parts, coins = by_themselves(_READERS[library](transform, notes))
    policy = policy_of(parts)
    alike = [line for kernel, line in _alike(policy, library) if kernel not in notes.exact]
    if lines := [*notes.lines, *coins, *alike]:
        warnings.warn(DifferenceWarning(lines), stacklevel=2)
    return policy


def _library(transform: Any) -> str:
    """Return the library that a transform comes from, including ours and torch."""
    library = type(transform).__module__.partition(".")[0]
    if library == "automorph":
        return "kornia" if type(transform).__name__ == "OneOf" else "torchvision"
    if library == "torch":
        inside = {type(part).__module__.partition(".")[0] for part in transform.children()}
        return "torchvision" if "torchvision" in inside else "kornia"
    return library


def _alike(policy: Policy, library: str) -> list[tuple[str, str]]:
    """Return what the library does differently, one line per operation."""
    known = FIDELITY[library]
    kernels = dict.fromkeys(operation.kernel for operation in drawable(policy))
    return [
        (kernel, f"{kernel} is only approximate ({library}: {_plain_note(known[kernel])})")
        for kernel in kernels
        if known[kernel].level == "alike"
    ]


def _plain_note(entry: Fidelity) -> str:
    """Return the note without the parts that hold only for exports."""
    return entry.note.removesuffix(f"; {SIZED}")
