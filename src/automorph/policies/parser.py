"""The parser of typed policy names: ``flip-crop + randaugment(n=2,m=9) + cutout(16)``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from automorph.errors import PolicyError
from automorph.operations import Operation
from automorph.policies.base import Policy
from automorph.policies.builtin import POLICIES
from automorph.policies.chain import chained
from automorph.policies.file import read_policy
from automorph.policies.naming import with_options
from automorph.policies.schedule import Piece, Schedule
from automorph.policies.space_policy import SpacePolicy
from automorph.policies.timm_names import is_timm, timm_policy
from automorph.registry import plain

_INTEGER = re.compile(r"[+-]?\d{1,30}")
_LONGEST = 10_000


def parse_policy(text: str, operations: Iterable[Operation] = ()) -> Policy:
    """Build the policy that a text names; stages are joined by ``+``.

    A stage is a name with options, a timm string or the path of a policy file; ``operations`` are
    the user's own that such a file refers to. Case, ``-`` and ``_`` do not matter in names.

    >>> parse_policy("RandAugment(2, 9)").name
    'randaugment(n=2,m=9)'
    >>> parse_policy("flip-crop + autoaugment:cifar10").name
    'flip-crop + autoaugment:cifar10'
    """
    if len(text) > _LONGEST:
        raise PolicyError(
            f"got a policy name of {len(text)} characters; expected at most {_LONGEST}"
        )
    own = tuple(operations)
    words = [part.strip() for part in POLICIES.split(text, "+")]
    if own and not any(map(_is_file, words)):
        raise PolicyError(
            f"got operations= with the name {text!r}; only policy files refer to user-defined "
            "operations. To search over yours, build the policy from a space that contains them: "
            'Uniform(operations=named_space("randaugment").with_operations(yours), length=2)'
        )
    return chained(*(_stage(word, text, own) for word in words))


def _stage(word: str, text: str, operations: tuple[Operation, ...]) -> Policy:
    if not word:
        raise PolicyError(
            f"got the policy name {text!r}, which has an empty stage; expected a name "
            f"such as {POLICIES.example}, stages joined by +"
        )
    if _is_file(word):
        return read_policy(Path(word), operations)
    name, colon, inside = POLICIES.head(word)
    if plain(name) == "schedule":
        return _schedule(word, inside, operations)
    call = POLICIES.parse(word)
    options = call.options
    rendering = {key: options.pop(key) for key in ("fill", "interpolation") if key in options}
    if is_timm(name):
        if colon or call.arguments or options:
            raise PolicyError(
                f"the timm string {word!r} takes its options between hyphens; only fill and "
                "interpolation go in brackets"
            )
        policy: Policy = timm_policy(name)
    else:
        policy = POLICIES.build(call)
    if rendering and isinstance(policy, Schedule):
        texts = [f"{key}={value}".replace(" ", "") for key, value in rendering.items()]
        return replace(policy.rendered(**rendering), label=with_options(policy.label, texts))
    if rendering and not isinstance(policy, SpacePolicy):
        raise PolicyError(f"{name} has no operations, so it takes no {' and no '.join(rendering)}")
    return policy.rendered(**rendering)


def _schedule(word: str, inside: str, operations: tuple[Operation, ...]) -> Schedule:
    """Build the schedule of ``20:none,10:randaugment(n=2,m=9)``."""
    pieces = []
    for part in POLICIES.split(inside, ",", word) if inside.strip() else []:
        epochs, colon, text = part.partition(":")
        if not colon or not _INTEGER.fullmatch(epochs.strip()):
            raise PolicyError(
                f"the schedule {word!r:.200} has the piece {part.strip()!r:.60}; expected epochs, "
                "a colon and a policy, as in schedule(20:none,10:randaugment(n=2,m=9))"
            )
        stages = POLICIES.split(text, "+", word)
        policies = (_stage(stage.strip(), text, operations) for stage in stages)
        pieces.append(Piece(int(epochs), chained(*policies)))
    return Schedule(pieces=tuple(pieces))


def _is_file(word: str) -> bool:
    return word.lower().endswith(".json")
