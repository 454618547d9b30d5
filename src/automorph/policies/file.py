"""Policy files: JSON with a version and a published schema; reading one never runs code."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

from automorph.errors import PolicyError
from automorph.files import atomic_write
from automorph.operations import (
    GREY,
    MEAN,
    OPERATIONS,
    PAINTING,
    Operation,
    SearchSpace,
    list_spaces,
    named_space,
    text_operation,
)
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy
from automorph.policies.batch_mixing import Mixed
from automorph.policies.chain import Chain
from automorph.policies.definitions import (
    FIRST,
    KIND_CONSTANTS,
    check_constants,
    check_definition,
    constants_of,
    constants_with,
    definition_of,
    settings_in,
)
from automorph.policies.file_v1 import upgraded
from automorph.policies.generated import Generated
from automorph.policies.pba_policy import Shuffled
from automorph.policies.random_policy import RandomPolicy
from automorph.policies.rendering import BEYOND
from automorph.policies.schedule import Piece, Schedule
from automorph.policies.subpolicies import Mixture, Step
from automorph.policies.uniform import Uniform
from automorph.registry import did_you_mean

FORMAT = "automorph-policy"
VERSION = 2
LARGEST_FILE = 16 * 2**20
"""Bytes; larger files are refused."""
SCHEMA = Path(__file__).with_name("policy.schema.json")
"""The published JSON Schema of the format."""

_KINDS: dict[str, type[Policy]] = {
    "mixture": Mixture,
    "uniform": Uniform,
    "drawn": RandomPolicy,
    "augmix": AugMix,
    "generated": Generated,
    "mixed": Mixed,
    "chain": Chain,
    "shuffled": Shuffled,
    "schedule": Schedule,
}
_DECLARED = ("name", "kernel", "low", "high", "identity", "unit", "whole", "domain")
_MOST_OPERATIONS = 10_000


def policy_to_dict(policy: Policy, provenance: dict[str, Any] | None = None) -> dict[str, Any]:
    """Convert the policy to plain data, ready for JSON.

    >>> from automorph import load_policy
    >>> policy_to_dict(load_policy("flip"))["policy"]["subpolicies"]
    [[{'operation': 'HorizontalFlip', 'probability': 0.5, 'magnitude': 1.0}]]
    """
    from automorph._version import __version__

    # A file holds numbers: what the policy shows where no data are known.
    settled = policy.with_mean(GREY)
    return {
        "format": FORMAT,
        "version": VERSION,
        "automorph": __version__,
        "name": settled.name,
        "policy": _encode(settled, full=True),
        "provenance": provenance or {},
    }


def identity_form(policy: Policy) -> dict[str, Any]:
    """Return the policy as plain data that identifies finished work.

    Cells, trials and runs are keyed by it, so it never changes: it is the ``policy`` of files of
    version 1, independent of the current version.

    >>> from automorph import load_policy
    >>> identity_form(load_policy("mixup"))
    {'kind': 'mixed', 'mix': 'mixup', 'alpha': 1.0, 'probability': 1.0}
    """
    form: dict[str, Any] = _encode(policy, full=False)
    return form


def write_policy(
    policy: Policy, path: str | os.PathLike[str], *, provenance: dict[str, Any] | None = None
) -> Path:
    """Write a policy file atomically.

    ``provenance`` records where the policy comes from: anything that JSON can hold.
    """
    target = Path(path)
    try:
        text = json.dumps(policy_to_dict(policy, provenance), indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise PolicyError(
            f"cannot write {policy.name!r} as JSON: {error}; expected a provenance of strings, "
            "finite numbers, lists, and dicts with strings as keys"
        ) from None
    try:
        with atomic_write(target) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PolicyError(
            f"cannot write the policy file {target}: {error.strerror}; expected a path in an "
            "existing folder"
        ) from None
    return target


def read_json(source: Path, kind: str, largest: int, *, path: str, written: str) -> Any:
    """Return the content of a JSON file of at most ``largest`` bytes.

    ``kind`` names the file in messages, ``path`` and ``written`` say which path and which file are
    expected. Raises `PolicyError`.
    """
    try:
        if source.stat().st_size > largest:
            raise PolicyError(f"{source} is larger than {largest >> 20} MiB; expected a {kind}")
        return parse_json(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(
            f"cannot read the {kind} {source}: {error.strerror}; expected {path}"
        ) from None
    except RecursionError:
        raise PolicyError(f"{source} is nested too deeply; expected a {kind}") from None
    except ValueError as error:
        raise PolicyError(f"{source} is not a JSON file: {error}; expected {written}") from None


def read_policy(path: str | os.PathLike[str], operations: Iterable[Operation] = ()) -> Policy:
    """Read a policy file; ``operations`` are the user's own that it refers to."""
    source = Path(path)
    content = read_json(
        source, "policy file", LARGEST_FILE,
        path="the path of a policy.json, or a name such as randaugment(n=2,m=9)",
        written="a policy.json",
    )  # fmt: skip
    return policy_from_dict(content, operations, where=str(source))


def policy_from_dict(
    content: Any, operations: Iterable[Operation] = (), *, where: str = "the policy"
) -> Policy:
    """Build the policy from the data of :func:`policy_to_dict`; errors name the wrong entry."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PolicyError(
            f'{where} has no "format": "{FORMAT}"; expected a file written by automorph'
        )
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PolicyError(f"{where} has version {version!r}; expected a whole number, 1 or more")
    if version > VERSION:
        raise PolicyError(
            f"{where} has format version {version}, but this version of automorph reads only "
            f"up to {VERSION}; upgrade automorph to use it"
        )
    own = {operation.name: operation for operation in operations}
    declared = {
        name: {"unit": one.unit, "whole": one.whole, "domain": one.domain}
        for name, one in own.items()
    }
    try:
        content = upgraded(content, declared)
        return _Reader(own).policy(content.get("policy"), f"{where}: policy")
    except RecursionError:
        raise PolicyError(f"{where} is nested too deeply; expected a policy file") from None


def space_to_dict(space: SearchSpace) -> dict[str, Any]:
    """Convert a search space to plain data, in the form that it has in policy files.

    The mean colour of data that are not known is grey.
    """
    data: dict[str, Any] = _encode(space.painted(GREY, only=MEAN), full=True)
    return data


def space_from_dict(
    content: Any, operations: Iterable[Operation] = (), *, where: str = "the space"
) -> SearchSpace:
    """Build a search space from the data of :func:`space_to_dict`; errors name the wrong entry."""
    own = {operation.name: operation for operation in operations}
    return _Reader(own).space(content, where)


def parse_json(text: str) -> Any:
    """Parse JSON strictly: no NaN, no Infinity, no overflow (1e999), no repeated keys."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"it contains {word}, which is not a finite number")

    def number(word: str) -> float:
        return float(word) if math.isfinite(float(word)) else refuse(word)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entry = dict(pairs)
        if len(entry) < len(pairs):
            twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
            raise ValueError(f"it has the key {twice!r} twice in one object")
        return entry

    return json.loads(text, parse_constant=refuse, parse_float=number, object_pairs_hook=once)


def _encode(value: Any, *, full: bool) -> Any:
    """Convert to plain data; ``full`` adds definitions and constants, for files of version 2."""
    if isinstance(value, Policy):
        kind = next((kind for kind, cls in _KINDS.items() if type(value) is cls), None)
        if kind is None:
            raise PolicyError(
                f"policies of the class {type(value).__name__} have no file format; expected one "
                f"of {', '.join(cls.__name__ for cls in _KINDS.values())}"
            )
        return {"kind": kind, **(constants_of(kind) if full else {}), **_fields(value, full=full)}
    if isinstance(value, SearchSpace):
        return {"name": value.name, "operations": [_encode(o, full=full) for o in value.operations]}
    if isinstance(value, Operation):
        declared = {key: getattr(value, key) for key in _DECLARED}
        for key in ("low", "high", "identity"):
            # 4 and 4.0 are the same number, and must have the same text.
            declared[key] = None if declared[key] is None else float(declared[key])
        if value.function is not None:
            function = value.function
            module, name = function.__module__, getattr(function, "__qualname__", value.name)
            declared["function"] = f"{_MODULES.get(module, module)}:{name}"
        if full:
            stated = definition_of(
                value.kernel, fill=value.fill, settings=value.settings, number=value.definition
            )
            return declared | stated
        if value.definition != FIRST:
            declared["definition"] = value.definition
        declared |= {} if value.fill is None else {"fill": _encode(value.fill, full=False)}
        settings = {key: _encode(one, full=False) for key, one in value.settings}
        return declared | ({"settings": settings} if settings else {})
    if isinstance(value, (Step, Piece)):
        return _fields(value, full=full)
    return [_encode(item, full=full) for item in value] if isinstance(value, tuple) else value


def _fields(value: Policy | Step | Piece, *, full: bool) -> dict[str, Any]:
    return {field.name: _encode(getattr(value, field.name), full=full) for field in fields(value)}


_MODULES = {"automorph.operations.synthetic": "automorph.space.vectors"}
"""Old module names (of version 0.1) by which files name our own functions."""


class _Reader:
    """Builds policies from plain data; the policies themselves check ranges."""

    def __init__(self, own: dict[str, Operation]) -> None:
        self.own = own
        self.structures: dict[str, Callable[[Any, str], Any]] = {
            "operations": self.space,
            "stages": lambda value, where: self.each(self.policy, value, where),
            "subpolicies": lambda value, where: self.each(self.subpolicy, value, where),
            "steps": self.subpolicy,
            "pieces": lambda value, where: self.each(self.piece, value, where),
            "counts": lambda value, where: tuple(_list(value, where)),
            "weights": lambda value, where: None if value is None else tuple(_list(value, where)),
            "fill": _fill,
            "label": lambda value, where: _typed(value, str, where),
            "parameters": lambda value, where: self.each(_number, value, where),
        }

    def each(self, read: Callable[[Any, str], Any], value: Any, where: str) -> tuple[Any, ...]:
        return tuple(read(item, f"{where}[{i}]") for i, item in enumerate(_list(value, where)))

    def policy(self, node: Any, where: str) -> Policy:
        kind = _typed(node, dict, where).get("kind")
        cls = _KINDS.get(kind) if isinstance(kind, str) else None
        if cls is None:
            raise PolicyError(
                f"{where}.kind is {kind!r:.60}; expected one of {', '.join(_KINDS)}. Upgrade "
                "automorph if the file is newer"
            )
        known = [field.name for field in fields(cls)]
        what = f"a policy of kind {kind}"
        _need_all(node, ["kind", *known, *constants_of(kind)], what, where)
        _check_constants(node, what, where, KIND_CONSTANTS.get(kind))
        values = {
            key: self.structures.get(key, _unchanged)(node[key], f"{where}.{key}") for key in known
        }
        try:
            return cls(**values)
        except TypeError as error:
            raise PolicyError(
                f"{where} has a field of the wrong type: {error}; expected the types given in "
                "policy.schema.json"
            ) from None
        except PolicyError as error:
            raise PolicyError(f"{where}: {error}") from None

    def subpolicy(self, node: Any, where: str) -> tuple[Step, ...]:
        return self.each(self.step, node, where)

    def piece(self, node: Any, where: str) -> Piece:
        entry = _typed(node, dict, where)
        _need_all(entry, ["epochs", "policy"], "a piece of a schedule", where)
        policy = self.policy(entry["policy"], f"{where}.policy")
        try:
            return Piece(entry["epochs"], policy)
        except PolicyError as error:
            raise PolicyError(f"{where}: {error}") from None

    def step(self, node: Any, where: str) -> Step:
        entry = _typed(node, dict, where)
        _need_all(entry, ["operation", "probability", "magnitude"], "a step", where)
        operation = _typed(entry["operation"], str, f"{where}.operation")
        try:
            return Step(operation, entry["probability"], entry["magnitude"])
        except PolicyError as error:
            raise PolicyError(f"{where}: {error}") from None

    def space(self, node: Any, where: str) -> SearchSpace:
        entry = _typed(node, dict, where)
        _need_all(entry, ["name", "operations"], "a space", where)
        name = _typed(entry["name"], str, f"{where}.name")
        items = _list(entry["operations"], f"{where}.operations")
        if len(items) > _MOST_OPERATIONS:
            raise PolicyError(
                f"{where} has {len(items)} operations; expected at most {_MOST_OPERATIONS}"
            )
        known = self.own
        if name in list_spaces():
            # Operations of automorph's own spaces may be functions, to which a file may refer.
            known = {o.name: o for o in named_space(name)} | known
        operations = tuple(
            self.operation(item, known, f"{where}.operations[{i}]") for i, item in enumerate(items)
        )
        try:
            return SearchSpace(name, operations)
        except PolicyError as error:
            raise PolicyError(f"{where}: {error}") from None

    def operation(self, node: Any, known: dict[str, Operation], where: str) -> Operation:
        entry = _typed(node, dict, where)
        _need(entry, ["name", "kernel"], "an operation", where)
        name = _typed(entry["name"], str, f"{where}.name")
        kernel = _typed(entry["kernel"], str, f"{where}.kernel")
        if kernel == "user":
            base = _users(name, entry, known, where)
        elif found := OPERATIONS.get(kernel) or text_operation(kernel):
            base = found
            _need_models(kernel, where)
        else:
            raise PolicyError(
                f"{where}: unknown operation {kernel!r:.100}.{did_you_mean(kernel, OPERATIONS)} "
                "Expected one that this version has; see: automorph list ops"
            )
        settings = settings_in(entry.get("constants"), kernel, f"{where}.constants")
        needed = [*_DECLARED, *definition_of(kernel, settings=settings)]
        _need_all(entry, needed, f"the operation {kernel}", where, optional=["function"])
        check_definition(entry["definition"], kernel, where)
        colour = _colour(entry, kernel, where)
        _check_constants(entry, kernel, where, constants_with(kernel, colour, settings))
        if entry["domain"] != base.domain:
            raise PolicyError(
                f"{where}.domain is {entry['domain']!r:.60}; expected {base.domain}, the "
                f"domain of {name}"
            )
        identity = entry["identity"]
        try:
            return replace(
                base,
                name=name,
                kernel=kernel,
                low=_number(entry["low"], f"{where}.low"),
                high=_number(entry["high"], f"{where}.high"),
                identity=None if identity is None else _number(identity, f"{where}.identity"),
                unit=_typed(entry["unit"], str, f"{where}.unit"),
                whole=_typed(entry["whole"], bool, f"{where}.whole"),
                fill=colour,
                definition=entry["definition"],
                settings=settings,
            )
        except PolicyError as error:
            raise PolicyError(f"{where}: {error}") from None


def _users(name: str, entry: dict[str, Any], known: dict[str, Operation], where: str) -> Operation:
    """Return the user's own operation of a name; ``wave[2.5]`` is ``wave`` at a fixed value."""
    base = known.get(name) or known.get(name.partition("[")[0])
    if base is None:
        raise PolicyError(
            f"{where} is the user-defined operation {name!r} "
            f"({entry.get('function', 'of unknown origin')!r:.200}); reading a file never runs "
            f"code, so pass it: load_policy(path, operations=[{name.partition('[')[0]}])"
        )
    return base


def _need_models(kernel: str, where: str) -> None:
    """Refuse language models that are not on this machine: a file must not download anything."""
    kind, _, argument = kernel.partition(":")
    names = argument.split(" | ") if kind in ("Masked", "BackTranslation") else []
    for name in names:
        from automorph.text import on_this_machine

        if not on_this_machine(name):
            raise PolicyError(
                f"{where} needs the language model {name!r:.200}, which is not on this machine; "
                "reading a policy file downloads nothing, so download it first: hf download NAME"
            )


def _unchanged(value: Any, where: str) -> Any:
    return value


def _fill(value: Any, where: str) -> Any:
    """Return one level, or a tuple of one per channel; the policy checks their range."""
    if isinstance(value, str) and value in BEYOND:
        return value
    if isinstance(value, str) or (isinstance(value, list) and any(map(_is_text, value))):
        raise PolicyError(
            f"{where} is {value!r:.60}; expected a level from 0 to 255, a list of one level per "
            "channel, edge or reflect. A fill that depends on the data is stored as its resolved "
            "number"
        )
    return tuple(value) if isinstance(value, list) else value


def _colour(entry: dict[str, Any], kernel: str, where: str) -> Any:
    """Return the colour that an operation of a file paints with; None if it does not paint."""
    constants = entry.get("constants")
    if kernel not in PAINTING or not isinstance(constants, dict) or "fill" not in constants:
        return None
    given = constants["fill"]
    levels = given if isinstance(given, list) else [given]
    whole = all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= 255 for v in levels)
    if not whole or not 1 <= len(levels) <= 4:
        raise PolicyError(
            f"{where}.constants.fill is {given!r:.60}; expected a level from 0 to 255, or a list "
            "of one level per channel. A fill that depends on the data is stored as its resolved "
            "number"
        )
    return tuple(levels) if isinstance(given, list) else given


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _check_constants(
    entry: dict[str, Any], what: str, where: str, wanted: dict[str, Any] | None
) -> None:
    """Refuse constants of a kernel or a kind that this version cannot draw with."""
    if wanted:
        place = f"{where}.constants"
        given = _typed(entry["constants"], dict, place)
        _need_all(given, list(wanted), f"the constants of {what}", place)
        check_constants(given, what, wanted, place)


def _need(entry: dict[str, Any], keys: Iterable[str], what: str, where: str) -> None:
    """Refuse an entry that lacks a key: no default of the code may decide what a file means."""
    missing = [key for key in keys if key not in entry]
    if missing:
        raise PolicyError(
            f"{where} has no {', '.join(missing)}; a policy file of version {VERSION} lists "
            f"every field of {what}. Add the missing ones (policy.schema.json lists them all), "
            "or rewrite the file with automorph.save_policy"
        )


def _need_all(
    entry: dict[str, Any],
    keys: list[str],
    what: str,
    where: str,
    *,
    optional: Iterable[str] = (),
) -> None:
    """Refuse an entry that has other keys than these, or lacks one."""
    unknown = sorted(set(entry) - {*keys, *optional})
    if unknown:
        raise PolicyError(
            f"{where} has unknown keys: {', '.join(unknown)!r:.200}; remove them, or upgrade "
            "automorph if the file is newer"
        )
    _need(entry, keys, what, where)


def _number(value: Any, where: str) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not abs(value) <= 1e300:  # NaN is refused too.
        raise PolicyError(f"{where} is {value!r:.60}; expected a number")
    return float(value)


def _typed(value: Any, kind: Any, where: str) -> Any:
    if not isinstance(value, kind):
        names = {dict: "an object", str: "a text", bool: "true or false"}
        raise PolicyError(f"{where} is {value!r:.60}; expected {names[kind]}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise PolicyError(f"{where} is {value!r:.60}; expected a list")
    return value
