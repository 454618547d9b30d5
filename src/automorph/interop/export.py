"""Policies exported as code of other libraries, and as their objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from automorph.errors import MissingExtraError, PolicyError
from automorph.interop import albumentations, kornia, python, timm, torchvision
from automorph.interop.call_ast import Call, docstring_safe, evaluated, shared, source
from automorph.interop.errors import advised, refuse_operations, unsaid
from automorph.interop.fidelity import Fidelity
from automorph.interop.in_training import policy_to_export
from automorph.interop.ir import MOVED, NotExpressibleError, NoWordsError, terms_of
from automorph.interop.source_extract import definitions, excerpt, merged_imports
from automorph.policies import BEYOND, Chain, Policy, drawable, stages_of

_LIBRARIES: dict[str, ModuleType] = {
    "torchvision": torchvision,
    "albumentations": albumentations,
    "kornia": kornia,
}
PEERS = ("python", *_LIBRARIES, "timm")
FIDELITY: dict[str, dict[str, Fidelity]] = {
    peer.NAME: peer.FIDELITY for peer in (python, *_LIBRARIES.values(), timm)
}
"""How faithful an export is, by library and operation."""

Size = int | tuple[int, int] | None


def export_policy(policy: Policy | str, to: str, *, size: Size = None, strict: bool = False) -> str:
    """Export the policy as code for ``to``: python, torchvision, albumentations, kornia or timm.

    The result is the source of a module with an ``augment`` in it, for timm a string. ``size`` of
    the images, (H, W) or one side, is needed where a library requires it (ResizedCrop in
    albumentations and kornia). The top of the file lists differences from Automorph; with
    ``strict``, an operation that is only alike is refused.

    Raises `PolicyError` for what the library cannot express, with the alternatives.

    >>> export_policy("rand-m9-inc1", "timm")
    'rand-m9-inc1'
    """
    loaded = policy_to_export(policy)
    with _advice(loaded, to, size, strict):
        return _exported(loaded, to, size, strict)


def _exported(policy: Policy, to: str, size: Size, strict: bool) -> str:
    if policy.space.domain != "image":
        raise NotExpressibleError(
            f"the policy {policy.name!r:.200} is for {policy.space.domain}s; expected one for "
            "images, since no others can be exported"
        )
    if to == "timm":
        return timm.write_string(policy, strict=strict)
    if to == "python":
        text = python.write_file(policy)
        _refuse_beyond(policy)
        return text
    peer = _peer(to)
    call, notes = _written(policy, peer, size, strict)
    return _file(policy, peer, call, notes)


def _refuse_beyond(policy: Policy) -> None:
    """Refuse moves that fill the outside with pixels of the image itself."""
    for stage in stages_of(policy):
        fill = getattr(stage, "fill", 0)
        if fill in BEYOND and any(one.kernel in MOVED for one in stage.drawable):
            raise NotExpressibleError(
                f"the policy {stage.name!r:.200} fills the outside of an image with its {fill}, "
                "which exports cannot express",
                "render it with a colour, as in fill=128",
            )


@contextmanager
def _advice(policy: Policy, to: str, size: Size, strict: bool) -> Iterator[None]:
    """Add alternatives that work to errors of the export."""

    def works(other: Policy, peer: str) -> bool:
        try:
            _exported(other, peer, size, strict)
        except NotExpressibleError:
            return False
        return True

    try:
        yield
    except NotExpressibleError as error:
        raise advised(error, policy, to, PEERS, works) from None


def convert_policy(
    policy: Policy | str, to: str, *, size: Size = None, strict: bool = False
) -> Any:
    """Convert the policy to an object of a library: a transform, a pipeline or a module.

    For ``python`` it is the function ``augment(image, index, epoch, seed)``, for ``timm`` timm's
    own transform of PIL images.
    """
    loaded = policy_to_export(policy)
    with _advice(loaded, to, size, strict):
        return _converted(loaded, to, size, strict)


def _converted(policy: Policy, to: str, size: Size, strict: bool) -> Any:
    if to == "timm":
        text = _exported(policy, to, size, strict)
        found = _imported("timm.data.auto_augment", "timm")
        mixed = text.startswith("augmix")
        build = found.augment_and_mix_transform if mixed else found.rand_augment_transform
        return build(text, {"translate_pct": 0.45, "img_mean": (128,) * 3})
    if to == "python":
        _exported(policy, to, size, strict)  # Refuses what it cannot express.
        return python.load(policy)
    peer = _peer(to)
    call, _ = _written(policy, peer, size, strict)
    return evaluated(call, _names(peer))


def differences(policy: Policy, to: str) -> list[str]:
    """List what is not equal to the pixel in an export of this policy, one line per operation."""
    lines = []
    for kernel in dict.fromkeys(operation.kernel for operation in drawable(policy)):
        fidelity = FIDELITY[to].get(kernel)
        if fidelity is not None and (fidelity.level != "equal" or fidelity.note):
            lines.append(f"{kernel}: {fidelity.words}")
    return lines


def _written(policy: Policy, peer: ModuleType, size: Size, strict: bool) -> tuple[Call, list[str]]:
    stages: Sequence[Policy] = policy.stages if isinstance(policy, Chain) else (policy,)
    ready = getattr(peer, "ready", lambda stage: None)
    sides = (size, size) if isinstance(size, int) else size
    # Notes on the stage first, then notes on its operations.
    known = [ready(stage) or terms_of(stage) for stage in stages]
    refuse_operations(policy, peer.TITLE, peer.FIDELITY, strict=strict)
    calls: list[Call] = []
    notes: list[str] = []
    for part in known:
        if isinstance(part, Call):
            calls.append(part)
            continue
        try:
            found, more = peer.write(part, size=sides)
        except NoWordsError as error:
            raise unsaid(peer.TITLE, error) from None
        calls += found
        notes += more
    _refuse_beyond(policy)
    return peer.together(calls), [*differences(policy, peer.NAME), *dict.fromkeys(notes)]


def _file(policy: Policy, peer: ModuleType, call: Call, notes: list[str]) -> str:
    from automorph._version import __version__

    body, imports = "", peer.IMPORTS.splitlines()
    first: list[Call] = [peer.FIRST] if hasattr(peer, "FIRST") else []
    if hasattr(peer, "PARTS"):
        needed, body = excerpt(peer.PARTS, _words([*first, call]) & definitions(peer.PARTS))
        imports = [*needed, *imports]
    repeated, whole = shared(call)
    code = "".join(f"{source(part)}\n" for part in first)
    code += "".join(f"{name} = {source(part)}\n" for name, part in repeated)
    code += f"augment = {source(whole)}\n"
    changes = "".join(f"- {note}\n" for note in notes)
    head = [
        f'"""{docstring_safe(policy.name)},',
        f"as {peer.TITLE}; written by automorph {__version__}.",
    ]
    head += ["", peer.USE] + (["", "Differences from automorph:", "", changes] if notes else [""])
    used = [line for line in imports if _is_used(line, code + body)]
    text = "\n".join(head) + '"""\n\n' + merged_imports(used) + body
    return text + ("\n\n" if body else "\n") + code


def _is_used(line: str, code: str) -> bool:
    """Return whether the last name of an import occurs."""
    return bool(line) and re.search(rf"\b{line.split()[-1]}\b", code) is not None


def _words(value: Any) -> set[str]:
    """Return all names in an expression."""
    if isinstance(value, Call):
        inside = [*value.arguments, *value.options.values()]
        return {value.name.partition(".")[0]}.union(*map(_words, inside))
    if isinstance(value, (list, tuple)):
        return set().union(*map(_words, value))
    return {getattr(value, "text", "").partition(".")[0]}


def _peer(to: str) -> ModuleType:
    if to not in _LIBRARIES:
        raise PolicyError(f"got to={to!r}; expected one of {', '.join(PEERS)}")
    return _LIBRARIES[to]


def _names(peer: ModuleType) -> dict[str, Any]:
    try:
        names: dict[str, Any] = peer.names()
    except ImportError as error:
        raise MissingExtraError(
            f"cannot import {peer.NAME} ({error}); pip install 'automorph[{peer.NAME}]'"
        ) from error
    return names


def _imported(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{module} is not installed ({error}); pip install {extra}"
        ) from error
