"""Policies imported from objects of other libraries."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from automorph.interop import (
    albumentations_reader,
    kornia_reader,
    other_readers,
    timm_reader,
    torchvision_reader,
)
from automorph.interop.export import FIDELITY
from automorph.interop.fidelity import SIZED, Fidelity
from automorph.interop.ir import MOVED, Draw
from automorph.interop.ir_to_policy import by_themselves, policy_of
from automorph.interop.nearest import foreign
from automorph.interop.reader_base import Notes, Part
from automorph.policies import Fill, Policy, SpacePolicy, drawable

_READERS: dict[str, Callable[[Any, Notes], Sequence[Part]]] = {
    "torchvision": torchvision_reader.read,
    "albumentations": albumentations_reader.read,
    "kornia": kornia_reader.read,
    "timm": timm_reader.read,
    **other_readers.READERS,
}
_ANYWHERE = {
    "Identity", "HorizontalFlip", "VerticalFlip", "Transpose", "D4", "RandomRotate90",
    "ResizedCrop", "RandomCrop", "RandomResizedCrop", "Erasing", "RandomErasing", "Cutout",
    "CoarseDropout", "Blur", "BoxBlur", "GaussianBlur", "MotionBlur", "MedianBlur",
}  # fmt: skip
"""Kernels that do the same before and after a normalisation, or whose fill the readers convert."""
_CONTAINERS = ("Sequential", "ModuleList")


class DifferenceWarning(UserWarning):
    """The differences of an imported policy from its pipeline: ``notes``, one line each."""

    def __init__(self, notes: Sequence[str]) -> None:
        self.notes = tuple(notes)
        super().__init__("the policy differs from the pipeline: " + "; ".join(self.notes))

    def __reduce__(self) -> tuple[Any, ...]:
        return DifferenceWarning, (self.notes,)


def import_policy(transform: Any) -> Policy:
    """Convert a transform of torchvision (v2 or v1), albumentations, kornia or timm to a policy.

    2-D transforms of MONAI, TorchIO and Ultralytics are read, too, and containers of several
    libraries. A class is known by its module and its name, so a class of your own with a familiar
    name is refused. Steps that are not augmentations (resizing, normalising) are left out. A timm
    string is a name for `load_policy`. Raises `PolicyError` for transforms that match no operation
    of the catalogue, with the nearest policy.

    Issues one `DifferenceWarning` about everything that was left out or differs; its ``notes`` are
    the lines. To silence it:
    ``warnings.simplefilter("ignore", automorph.interop.DifferenceWarning)``.
    """
    notes = Notes(read=_read)
    parts, coins = by_themselves(_read(transform, notes))
    policy = policy_of(parts)
    known = [one for one in dict.fromkeys(notes.libraries) if one in FIDELITY]
    alike = [
        line
        for library in known
        for kernel, line in _alike(policy, library)
        if kernel not in notes.exact
    ]
    if lines := [*notes.lines, *coins, *alike]:
        warnings.warn(DifferenceWarning(lines), stacklevel=2)
    return policy


def _read(transform: Any, notes: Notes) -> Sequence[Part]:
    """Read a transform by the reader of the library that its class comes from."""
    if isinstance(transform, Policy):
        return [transform]
    if isinstance(transform, (list, tuple)):
        return notes.inside(transform)
    library = _library(transform)
    if library not in _READERS:
        raise foreign(transform, _READERS)
    notes.libraries.append(library)
    before = notes.normal
    parts = _READERS[library](transform, notes)
    if before is None:
        return parts
    return [_after_normalising(part, type(transform).__name__, before[0], notes) for part in parts]


def _after_normalising(part: Part, kind: str, mean: Sequence[float], notes: Notes) -> Part:
    """Return a part that comes after a normalisation as one that comes before it.

    There, 0 beside a moved image is the mean colour. Colours are no longer those of pixels: what
    the library makes of them is noted as different.
    """
    if isinstance(part, Policy):
        kernels = {operation.kernel for operation in drawable(part)}
    else:
        kernels = {act.kernel for option in part.options for act in option}
    if kernels - _ANYWHERE - {*MOVED}:
        notes.others.append(f"{kind} comes after a normalisation, and is read as before it")
    levels = tuple(round(255 * one) for one in mean)
    fill: Fill = levels if len(levels) > 1 else levels[0]
    if not kernels & {*MOVED} or not isinstance(part, (Draw, SpacePolicy)) or part.fill == fill:
        return part
    if part.fill not in (0, (0,) * len(levels)):
        notes.others.append(f"the fill of {kind} is read as a level of pixels, not as normalised")
        return part
    return replace(part, fill=fill)


def _library(transform: Any) -> str:
    """Return the library that a transform comes from, including ours and torch."""
    library = type(transform).__module__.partition(".")[0]
    if library == "automorph":
        return "kornia" if type(transform).__name__ == "OneOf" else "torchvision"
    if library == "torch" and type(transform).__name__ in _CONTAINERS:
        inside = {type(part).__module__.partition(".")[0] for part in transform.children()}
        return "torchvision" if "torchvision" in inside else "kornia"
    if library == "torch" and type(transform).__name__ == "Identity":
        return "kornia"
    return library


def _alike(policy: Policy, library: str) -> list[tuple[str, str]]:
    """Return what the library does differently, one line per operation."""
    known = FIDELITY[library]
    kernels = dict.fromkeys(operation.kernel for operation in drawable(policy))
    return [
        (kernel, f"{kernel} is only approximate ({library}: {_plain_note(known[kernel])})")
        for kernel in kernels
        if kernel in known and known[kernel].level == "alike"
    ]


def _plain_note(entry: Fidelity) -> str:
    """Return the note without the parts that hold only for exports."""
    return entry.note.removesuffix(f"; {SIZED}")
