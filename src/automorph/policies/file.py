"""Policy files: JSON with a version and a published schema; reading one never runs code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from automorph.errors import PolicyError
from automorph.policies.augmix import AugMix
from automorph.policies.base import Policy
from automorph.policies.chain import Chain
from automorph.policies.mixed import Mixed
from automorph.policies.mixture import Drawn, Mixture, Step
from automorph.policies.uniform import Uniform
from automorph.space import OPERATIONS, Operation, SearchSpace

FORMAT = "automorph-policy"
VERSION = 1
LARGEST_FILE = 16 * 2**20
"""Bytes; a larger file is refused: no policy is that large."""

_KINDS: dict[str, type[Policy]] = {
    "mixture": Mixture,
    "uniform": Uniform,
    "drawn": Drawn,
    "augmix": AugMix,
    "mixed": Mixed,
    "chain": Chain,
}
_DECLARED = ("name", "kernel", "low", "high", "identity", "unit", "whole", "domain")


def policy_to_dict(policy: Policy, provenance: dict[str, Any] | None = None) -> dict[str, Any]:
    """The policy as plain data, ready for JSON.

    >>> from automorph import load_policy
    >>> policy_to_dict(load_policy("flip"))["policy"]["subpolicies"]
    [[{'operation': 'HorizontalFlip', 'probability': 0.5, 'magnitude': 0.0}]]
    """
    from automorph import __version__

    return {
        "format": FORMAT,
        "version": VERSION,
        "automorph": __version__,
        "name": policy.name,
        "policy": _encode(policy),
        "provenance": provenance or {},
    }


def save_policy(
    policy: Policy, path: str | os.PathLike[str], *, provenance: dict[str, Any] | None = None
) -> Path:
    """Write a policy file; it appears whole or not at all."""
    target = Path(path)
    text = json.dumps(policy_to_dict(policy, provenance), indent=1) + "\n"
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
    return target


def read_policy(path: str | os.PathLike[str], operations: Iterable[Operation] = ()) -> Policy:
    """Read a policy file; ``operations`` are the user's own that it refers to."""
    source = Path(path)
    try:
        if source.stat().st_size > LARGEST_FILE:
            raise PolicyError(f"{source} has more than {LARGEST_FILE >> 20} MiB; that is no policy")
        content = json.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"cannot read the policy file {source}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(
            f"{source} is not a JSON file ({error}); expected a policy.json"
        ) from None
    return policy_from_dict(content, operations, where=str(source))


def policy_from_dict(
    content: Any, operations: Iterable[Operation] = (), *, where: str = "the policy"
) -> Policy:
    """The policy of :func:`policy_to_dict`'s data; errors name the place that is wrong."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise PolicyError(
            f'{where} has no "format": "{FORMAT}"; expected a file that automorph wrote'
        )
    version = content.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PolicyError(f"{where} has the version {version!r}; expected a whole number from 1 on")
    if version > VERSION:
        raise PolicyError(
            f"{where} has the format version {version}, and this automorph reads up to {VERSION}; "
            "upgrade automorph to use it"
        )
    own = {operation.name: operation for operation in operations}
    try:
        return _Reader(own).policy(content.get("policy"), f"{where}: policy")
    except RecursionError:
        raise PolicyError(f"{where} is nested too deeply; that is no policy") from None


def _encode(value: Any) -> Any:
    if isinstance(value, Policy):
        kind = next(kind for kind, cls in _KINDS.items() if type(value) is cls)
        inside = {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
        return {"kind": kind, **inside}
    if isinstance(value, SearchSpace):
        return {"name": value.name, "operations": [_encode(o) for o in value.operations]}
    if isinstance(value, Operation):
        declared = {key: getattr(value, key) for key in _DECLARED}
        if value.function is not None:
            function = value.function
            module, name = function.__module__, getattr(function, "__qualname__", value.name)
            declared["function"] = f"{module}:{name}"
        return declared
    if isinstance(value, Step):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return [_encode(item) for item in value] if isinstance(value, tuple) else value


class _Reader:
    """Turns checked data into policies."""

    def __init__(self, own: dict[str, Operation]) -> None:
        self.own = own

    def policy(self, node: Any, where: str) -> Policy:
        kind = _typed(node, dict, where).get("kind")
        cls = _KINDS.get(kind) if isinstance(kind, str) else None
        if cls is None:
            raise PolicyError(
                f"{where}.kind is {kind!r}; expected one of {', '.join(_KINDS)}. A newer automorph "
                "may know it"
            )
        known = {field.name: field for field in fields(cls)}
        unknown = sorted(set(node) - set(known) - {"kind"})
        if unknown:
            raise PolicyError(f"{where} has the unknown keys {', '.join(map(str, unknown))}")
        values = {
            key: self.field(key, str(known[key].type), node[key], f"{where}.{key}")
            for key in known
            if key in node
        }
        try:
            return cls(**values)
        except TypeError as error:
            raise PolicyError(f"{where} is not complete: {error}") from None

    def field(self, key: str, kind: str, value: Any, where: str) -> Any:
        if key == "operations":
            return self.space(value, where)
        if key == "stages":
            return tuple(
                self.policy(item, f"{where}[{i}]") for i, item in enumerate(_list(value, where))
            )
        if key == "subpolicies":
            return tuple(
                tuple(
                    self.step(step, f"{where}[{i}][{j}]")
                    for j, step in enumerate(_list(subpolicy, f"{where}[{i}]"))
                )
                for i, subpolicy in enumerate(_list(value, where))
            )
        if key == "interpolation" and value not in ("nearest", "bilinear"):
            raise PolicyError(f"{where} is {value!r}; expected nearest or bilinear")
        if key == "mix" and value not in ("mixup", "cutmix"):
            raise PolicyError(f"{where} is {value!r}; expected mixup or cutmix")
        if isinstance(value, list):
            return tuple(
                _typed(item, (int, float), f"{where}[{i}]") for i, item in enumerate(value)
            )
        if value is None and "None" in kind:
            return None
        expected: dict[str, Any] = {"bool": bool, "float": (int, float), "int": int}
        return _typed(value, expected.get(kind.split(" ")[0], str), where)

    def step(self, node: Any, where: str) -> Step:
        entry = _typed(node, dict, where)
        return Step(
            _typed(entry.get("operation"), str, f"{where}.operation"),
            float(_typed(entry.get("probability"), (int, float), f"{where}.probability")),
            float(_typed(entry.get("magnitude"), (int, float), f"{where}.magnitude")),
        )

    def space(self, node: Any, where: str) -> SearchSpace:
        entry = _typed(node, dict, where)
        name = _typed(entry.get("name"), str, f"{where}.name")
        operations = _list(entry.get("operations"), f"{where}.operations")
        return SearchSpace(
            name,
            tuple(
                self.operation(item, f"{where}.operations[{i}]")
                for i, item in enumerate(operations)
            ),
        )

    def operation(self, node: Any, where: str) -> Operation:
        entry = _typed(node, dict, where)
        name = _typed(entry.get("name"), str, f"{where}.name")
        kernel = _typed(entry.get("kernel"), str, f"{where}.kernel")
        if kernel == "user":
            if name not in self.own:
                raise PolicyError(
                    f"{where} is the user's own operation {name!r} "
                    f"({entry.get('function', 'of unknown origin')}); a file never runs code, so "
                    f"pass it: load_policy(path, operations=[{name}])"
                )
            return self.own[name]
        base = OPERATIONS.get(kernel)
        if base is None:
            close = get_close_matches(kernel, OPERATIONS, 1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise PolicyError(
                f"{where} is the operation {kernel!r}, which this automorph does not have.{hint} "
                "Known: automorph list ops"
            )
        identity = entry.get("identity")
        if identity is not None:
            identity = float(_typed(identity, (int, float), f"{where}.identity"))
        return Operation(
            name,
            kernel=kernel,
            low=float(_typed(entry.get("low"), (int, float), f"{where}.low")),
            high=float(_typed(entry.get("high"), (int, float), f"{where}.high")),
            identity=identity,
            unit=_typed(entry.get("unit", base.unit), str, f"{where}.unit"),
            whole=_typed(entry.get("whole", base.whole), bool, f"{where}.whole"),
            label_risk=base.label_risk,
            random=base.random,
            partner=base.partner,
            about=base.about,
        )


def _typed(value: Any, kind: Any, where: str) -> Any:
    # JSON's true is no number, although Python's is.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = {dict: "an object", str: "a text", bool: "true or false", int: "a whole number"}
        expected = "a number" if isinstance(kind, tuple) else names.get(kind, "another type")
        raise PolicyError(f"{where} is {value!r:.60}; expected {expected}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise PolicyError(f"{where} is {value!r:.60}; expected a list")
    return value
