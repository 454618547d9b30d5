"""Errors of exports: what cannot be expressed, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from automorph.errors import PolicyError
from automorph.interop.fidelity import Fidelity, none
from automorph.interop.ir import NoSizeError, NotExpressibleError, NoWordsError
from automorph.interop.operations import Built
from automorph.operations import Operation, list_spaces, named_space
from automorph.policies import (
    AugMix,
    Chain,
    Policy,
    RandomPolicy,
    Uniform,
    chained,
    drawable,
    load_policy,
    stages_of,
)


class NeedsSizeError(NotExpressibleError):
    """A policy that can be expressed only if the size of the images is given."""


Works = Callable[[Policy, str], bool]
_LONGEST = 120


def refuse_operations(
    policy: Policy, title: str, fidelity: Mapping[str, Fidelity], *, strict: bool = False
) -> None:
    """Refuse all operations at once that a library cannot express.

    With ``strict``, operations that are only alike are refused, too.
    """
    # Pairs, because a user's operation may have the name of one of the catalogue.
    entries = [(_name(one), fidelity.get(one.kernel, _unknown(one))) for one in drawable(policy)]
    lost = {name: entry.note for name, entry in entries if entry.level == "none"}
    alike = {name: entry.note for name, entry in entries if strict and entry.level == "alike"}
    what = [f"{title} cannot express {_listed(lost)}"] if lost else []
    what += [f"{title} can only approximate {_listed(alike)}"] if alike else []
    if not what:
        return
    todo = ["leave --strict out"] if alike and not lost else []
    todo.append(_left_out(policy, {**lost, **alike}))
    raise NotExpressibleError("; ".join(what), ", or ".join(todo))


def _name(operation: Operation) -> str:
    """Return an operation's name in messages: a user's own by its name."""
    return operation.name if operation.function is not None else operation.kernel


def _unknown(operation: Operation) -> Fidelity:
    if isinstance(operation.function, Built):
        return none("a transform of another library, built by a user-defined function")
    return none("it is a user-defined function")


def _listed(notes: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({note})" for name, note in notes.items())


def _left_out(policy: Policy, names: Iterable[str]) -> str:
    """Return how a user leaves operations out."""
    lost = sorted(names)
    having = [s for s in stages_of(policy) if any(_name(one) in lost for one in drawable(s))]
    if not all(isinstance(stage, (Uniform, RandomPolicy, AugMix)) for stage in having):
        return f"use sub-policies without {' and '.join(lost)}"
    space = having[0].space
    known = space.name in list_spaces() and space == named_space(space.name)
    home = f"named_space({space.name!r})" if known else "space"
    return f"draw from your own space, {home}.without({', '.join(map(repr, lost))})"


def unsaid(title: str, error: NoWordsError) -> NotExpressibleError:
    """Return the error for what a writer cannot express."""
    if isinstance(error, NoSizeError):
        return NeedsSizeError(
            f"{title} cannot express {error} without the size of your images",
            "give it: --size 224 on the command line, size=224 in Python",
        )
    return NotExpressibleError(f"{title} cannot express {error}")


def advised(
    error: NotExpressibleError, policy: Policy, to: str, peers: Iterable[str], works: Works
) -> NotExpressibleError:
    """Add all remedies to an error; ``works`` is whether a policy can be exported to a peer."""
    ways = [error.todo] if error.todo else []
    if not isinstance(error, NeedsSizeError) and (instead := _instead(policy, to, works)):
        ways.append(f"use {instead.name!r} instead")
    if others := [peer for peer in peers if peer != to and works(policy, peer)]:
        ways.append(f"export with --to {' or --to '.join(others)}")
    return NotExpressibleError(error.what, ", or ".join(ways or ["augment with automorph itself"]))


def _instead(policy: Policy, to: str, works: Works) -> Policy | None:
    """Return the closest named policy that can be exported."""
    return next((other for other in _variants(policy, to, works) if works(other, to)), None)


def _variants(policy: Policy, to: str, works: Works) -> Iterator[Policy]:
    """Yield named policies close to this one, the closest first."""
    stages = policy.stages if isinstance(policy, Chain) else (policy,)
    for change in (_with_seed, _without_noise, _on_randaugment_space):
        stages = tuple(map(change, stages))
        yield from _named(stages, policy)
    yield from _named([stage for stage in stages if works(stage, to)], policy)


def _with_seed(stage: Policy) -> Policy:
    """Fix the seed of a random policy."""
    return (
        replace(stage, seed=0) if isinstance(stage, RandomPolicy) and stage.seed is None else stage
    )


def _without_noise(stage: Policy) -> Policy:
    """Remove noise on magnitudes."""
    return replace(stage, spread=0.0) if isinstance(stage, Uniform) and stage.spread else stage


def _on_randaugment_space(stage: Policy) -> Policy:
    """Replace the operations by RandAugment's, which every library has."""
    if isinstance(stage, (Uniform, RandomPolicy)) and stage.operations.domain == "image":
        return replace(stage, operations=named_space("randaugment"))
    return stage


def _named(stages: Iterable[Policy], policy: Policy) -> Iterator[Policy]:
    """Yield the policy of some stages if its name reproduces it and it differs from ``policy``."""
    kept = tuple(stages)
    if not kept:
        return
    found = chained(*kept)
    try:
        known = len(found.name) <= _LONGEST and load_policy(found.name) == found
    except PolicyError:
        return
    if known and found != policy:
        yield found
