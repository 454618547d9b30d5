"""The names people type: ``flip-crop + randaugment(n=2,m=9) + cutout(16)``."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from automorph.errors import PolicyError
from automorph.policies.base import Policy
from automorph.policies.chain import Chain
from automorph.policies.named import NAMED
from automorph.policies.timm_names import timm_policy
from automorph.space import plain

_CALL = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?::\s*([\w.-]+))?\s*(?:\((.*)\))?\s*", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_ALIASES = {"trivial": "trivialaugment", "rand": "randaugment", "identity": "none"}


def parse_policy(text: str) -> Policy:
    """The policy that a text names; stages are joined by ``+``.

    >>> parse_policy("RandAugment(2, 9)").name
    'randaugment(n=2,m=9)'
    >>> parse_policy("flip-crop + autoaugment:cifar10").name
    'flip-crop + autoaugment:cifar10'
    """
    stages = [_stage(part) for part in _split(text, "+")]
    return stages[0] if len(stages) == 1 else Chain(stages=tuple(stages))


def _stage(text: str) -> Policy:
    word = text.strip()
    if re.match(r"(rand|augmix)-m?\w", word) and "(" not in word:
        return timm_policy(word)
    match = _CALL.fullmatch(word)
    if match is None:
        raise PolicyError(
            f"cannot read the policy {word!r}; expected a name, as in randaugment(n=2,m=9), "
            "autoaugment:cifar10 or rand-m9-mstd0.5-inc1, stages joined by +"
        )
    name, colon, inside = match.groups()
    build = _find(name)
    arguments = [colon] if colon else []
    options: dict[str, Any] = {}
    for part in _split(inside or "", ","):
        key, sign, value = part.partition("=")
        if not part.strip():
            continue
        if sign:
            options[key.strip()] = _value(value)
        else:
            arguments.append(_value(part))
    rendering: dict[str, Any] = {
        key: options.pop(key) for key in ("fill", "interpolation") if key in options
    }
    policy = _call(name, build, arguments, options)
    return _rendered(policy, rendering) if rendering else policy


def _find(name: str) -> Any:
    known = {plain(key): key for key in NAMED} | {plain(a): key for a, key in _ALIASES.items()}
    key = known.get(plain(name))
    if key is None:
        close = get_close_matches(plain(name), known, 1)
        hint = f" Did you mean {known[close[0]]!r}?" if close else ""
        raise PolicyError(
            f"there is no policy {name!r}.{hint} Known names: {', '.join(NAMED)}; "
            "or give a timm string (rand-m9-mstd0.5-inc1) or the path of a policy.json"
        )
    return NAMED[key]


def _call(name: str, build: Any, arguments: list[Any], options: dict[str, Any]) -> Policy:
    signature = inspect.signature(build)
    try:
        bound = signature.bind(*arguments, **options)
    except TypeError as error:
        shown = ", ".join(str(p) for p in signature.parameters.values()) or "nothing"
        plain_text = re.sub(r"[:] [^=,]+( =|,|$)", r"\1", shown)
        raise PolicyError(
            f"cannot build the policy {name!r}: {error}; it takes {plain_text}"
        ) from None
    for key, value in bound.arguments.items():
        kind = signature.parameters[key].annotation
        if value is None and kind.endswith("None"):
            continue
        wants_text = kind in ("str", "Space")
        if wants_text != isinstance(value, str) or (
            kind.startswith("int") and not isinstance(value, int)
        ):
            expected = {"str": "a name", "Space": "the name of a space"}.get(kind, "a number")
            expected = "a whole number" if kind.startswith("int") else expected
            raise PolicyError(f"{name} got {key}={value!r}; expected {expected}")
    policy: Policy = build(*bound.args, **bound.kwargs)
    return policy


def _rendered(policy: Policy, rendering: dict[str, Any]) -> Policy:
    fill, interpolation = rendering.get("fill", 0), rendering.get("interpolation", "nearest")
    if not isinstance(fill, int) or not 0 <= fill <= 255:
        raise PolicyError(f"{policy.name} got fill={fill!r}; expected a whole number 0 to 255")
    if interpolation not in ("nearest", "bilinear"):
        raise PolicyError(
            f"{policy.name} got interpolation={interpolation!r}; expected nearest or bilinear"
        )
    extra = ",".join(f"{key}={value}" for key, value in rendering.items())
    changes: dict[str, Any] = {"fill": fill, "interpolation": interpolation}
    if hasattr(policy, "label"):
        name = policy.name
        changes["label"] = f"{name[:-1]},{extra})" if name.endswith(")") else f"{name}({extra})"
    return replace(policy, **changes)


def _value(text: str) -> Any:
    word = text.strip().strip("'\"")
    if _NUMBER.fullmatch(word):
        number = float(word)
        return int(number) if number.is_integer() and "." not in word else number
    return None if word.lower() == "none" else word


def _split(text: str, at: str) -> list[str]:
    """Split at a sign, but not inside parentheses."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return parts
