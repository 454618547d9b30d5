"""The names people type: ``flip-crop + randaugment(n=2,m=9) + cutout(16)``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from automorph.errors import PolicyError
from automorph.operations import Operation, plain
from automorph.policies.base import Policy, SpacePolicy
from automorph.policies.builtin import NAMED
from automorph.policies.builtin_text import NAMED_WITH_FILES
from automorph.policies.chain import chained
from automorph.policies.file import read_policy
from automorph.policies.schedule import Piece, Schedule
from automorph.policies.timm_names import is_timm, timm_policy

_CALL = re.compile(
    r"([A-Za-z][\w-]*(?:\.\d+[\w.-]*)?)\s*(?::\s*([\w./\\~-]+))?\s*(?:\((.*)\))?", re.S
)
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_ALIASES = {"trivial": "trivialaugment", "identity": "none", "horizontal-flip": "flip"}
_LONGEST = 10_000
_EXAMPLES = "randaugment(n=2,m=9), autoaugment:cifar10 or rand-m9-mstd0.5-inc1"
_WORDS = {
    "int": "a whole number",
    "int | None": "a whole number",
    "float": "a number",
    "float | None": "a number",
    "str": "a name",
    "Space": "the name of a search space",
}


def parse_policy(text: str, operations: Iterable[Operation] = ()) -> Policy:
    """The policy that a text names; stages are joined by ``+``.

    A stage is a name with options, a timm string or the path of a policy file; ``operations`` are
    the user's own that such a file refers to. Case, ``-`` and ``_`` do not matter in names.

    >>> parse_policy("RandAugment(2, 9)").name
    'randaugment(n=2,m=9)'
    >>> parse_policy("flip-crop + autoaugment:cifar10").name
    'flip-crop + autoaugment:cifar10'
    """
    if len(text) > _LONGEST:
        raise PolicyError(f"got a policy name of {len(text)} letters; expected at most {_LONGEST}")
    own = tuple(operations)
    words = [part.strip() for part in split_at(text, "+", text)]
    if own and not any(map(_is_file, words)):
        raise PolicyError(
            f"got operations= with the name {text!r}; only policy files refer to a user's own. To "
            "search over yours, build the policy from a space that has them: "
            'Uniform(operations=named_space("randaugment").with_operations(yours), length=2)'
        )
    return chained(*(_stage(word, text, own) for word in words))


def _stage(word: str, text: str, operations: tuple[Operation, ...]) -> Policy:
    if not word:
        raise PolicyError(
            f"got the policy name {text!r}, with nothing where a name should be; expected a name "
            f"such as {_EXAMPLES}, stages joined by +"
        )
    if _is_file(word):
        return read_policy(Path(word), operations)
    match = _CALL.fullmatch(word)
    if match is None:
        raise PolicyError(
            f"cannot read the policy {word!r}; expected a name, as in {_EXAMPLES}, stages joined "
            "by +"
        )
    name, colon, inside = match.groups()
    if plain(name) == "schedule":
        return _schedule(word, inside or "", operations)
    arguments, options = read_options(word, inside or "")
    rendering = {key: options.pop(key) for key in ("fill", "interpolation") if key in options}
    if is_timm(name):
        policy = _timm(name, colon, arguments, options)
    else:
        arguments = [colon, *arguments] if colon else arguments
        policy = build_named(name, _find(name), arguments, options)
    if rendering and not isinstance(policy, SpacePolicy):
        raise PolicyError(f"{name} draws nothing, so it takes no {' and no '.join(rendering)}")
    return policy.rendered(**rendering)


def _schedule(word: str, inside: str, operations: tuple[Operation, ...]) -> Schedule:
    """The schedule of ``20:none,10:randaugment(n=2,m=9)``."""
    pieces = []
    for part in split_at(inside, ",", word) if inside.strip() else []:
        epochs, colon, text = part.partition(":")
        if not colon or not _INTEGER.fullmatch(epochs.strip()):
            raise PolicyError(
                f"the schedule {word!r:.200} has the piece {part.strip()!r:.60}; expected epochs, "
                "a colon and a policy, as in schedule(20:none,10:randaugment(n=2,m=9))"
            )
        stages = [_stage(stage.strip(), text, operations) for stage in split_at(text, "+", word)]
        pieces.append(Piece(int(epochs), chained(*stages)))
    return Schedule(pieces=tuple(pieces))


def _is_file(word: str) -> bool:
    return word.lower().endswith(".json")


def read_options(word: str, inside: str) -> tuple[list[Any], dict[str, Any]]:
    """The arguments and options between the brackets."""
    arguments: list[Any] = []
    options: dict[str, Any] = {}
    for part in split_at(inside, ",", word) if inside.strip() else []:
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not part.strip() or (sign and not (key and value)):
            raise PolicyError(
                f"the policy {word!r} has an option without name or value; expected options such "
                "as n=2,m=9"
            )
        if not sign:
            arguments.append(_value(part))
        elif key.lower() in options:
            raise PolicyError(f"the policy {word!r} says {key} twice; say it once")
        else:
            options[key.lower()] = _value(value)
    return arguments, options


def _timm(text: str, colon: str | None, arguments: list[Any], options: dict[str, Any]) -> Policy:
    if colon or arguments or options:
        raise PolicyError(
            f"the timm string {text!r} takes its options between hyphens; only fill and "
            "interpolation go into brackets"
        )
    return timm_policy(text)


def _find(name: str) -> Callable[..., Policy]:
    every = NAMED | NAMED_WITH_FILES
    known = {plain(key): key for key in every} | {plain(a): key for a, key in _ALIASES.items()}
    key = known.get(plain(name))
    if key is None:
        close = get_close_matches(plain(name), known, 1)
        hint = f" Did you mean {known[close[0]]!r}?" if close else ""
        raise PolicyError(
            f"there is no policy {name!r}.{hint} Known names: {', '.join(every)}; "
            "or give a timm string (rand-m9-mstd0.5-inc1) or the path of a policy.json"
        )
    return every[key]


def build_named(
    name: str, build: Callable[..., Policy], arguments: list[Any], options: dict[str, Any]
) -> Policy:
    """Call what builds a policy; arguments that do not fit are named in the error."""
    signature = inspect.signature(build)
    try:
        bound = signature.bind(*arguments, **options)
    except TypeError as error:
        takes = ", ".join(f"{p.name}={p.default}" for p in signature.parameters.values())
        raise PolicyError(
            f"cannot build the policy {name!r}: {error}; it takes {takes or 'no options'}"
        ) from None
    for key, value in bound.arguments.items():
        kind = signature.parameters[key].annotation
        if not _fits(value, kind):
            raise PolicyError(f"{name} got {key}={value!r}; expected {_WORDS[kind]}")
    return build(*bound.args, **bound.kwargs)


def _fits(value: Any, kind: str) -> bool:
    if kind in ("str", "Space"):
        return isinstance(value, str)
    if value is None:
        return kind.endswith("None")
    return isinstance(value, int) or (kind.startswith("float") and isinstance(value, float))


def _value(text: str) -> Any:
    """A number, a tuple of numbers, None or a word."""
    word = text.strip().strip("'\"")
    if _INTEGER.fullmatch(word):
        return int(word)
    if _NUMBER.fullmatch(word):
        return float(word)
    if word.startswith("(") and word.endswith(")"):
        return tuple(_value(part) for part in word[1:-1].split(",") if part.strip())
    return None if word.lower() == "none" else word


def split_at(text: str, at: str, whole: str) -> list[str]:
    """Split at a sign, but not inside brackets."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            break
        if sign == at and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    if depth:
        raise PolicyError(f"the policy {whole!r} has brackets that do not match")
    return parts
