"""What an export cannot say, told with what can be done about it."""

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
    """What can be said as soon as the size of the images is given."""


Works = Callable[[Policy, str], bool]
_LONGEST = 120


def refuse_operations(
    policy: Policy, title: str, fidelity: Mapping[str, Fidelity], *, strict: bool = False
) -> None:
    """Say all operations at once that a library has no words for.

    With ``strict`` those that are only alike are refused, too.
    """
    # Pairs, as a user's operation may have the name of one of the catalogue.
    entries = [(_name(one), fidelity.get(one.kernel, _unknown(one))) for one in drawable(policy)]
    lost = {name: entry.note for name, entry in entries if entry.level == "none"}
    alike = {name: entry.note for name, entry in entries if strict and entry.level == "alike"}
    what = [f"{title} cannot say {_listed(lost)}"] if lost else []
    what += [f"{title} can say only alike, not the same: {_listed(alike)}"] if alike else []
    if not what:
        return
    todo = ["leave --strict out"] if alike and not lost else []
    todo.append(_left_out(policy, {**lost, **alike}))
    raise NotExpressibleError("; ".join(what), ", or ".join(todo))


def _name(operation: Operation) -> str:
    """An operation as messages call it: a user's own by its name."""
    return operation.name if operation.function is not None else operation.kernel


def _unknown(operation: Operation) -> Fidelity:
    if isinstance(operation.function, Built):
        return none("a transform of another library, built by a function of yours")
    return none("it is a function of your own")


def _listed(notes: Mapping[str, str]) -> str:
    return "; ".join(f"{name} ({note})" for name, note in notes.items())


def _left_out(policy: Policy, names: Iterable[str]) -> str:
    """How a user leaves operations out."""
    lost = sorted(names)
    having = [s for s in stages_of(policy) if any(_name(one) in lost for one in drawable(s))]
    if not all(isinstance(stage, (Uniform, RandomPolicy, AugMix)) for stage in having):
        return f"take sub-policies without {' and '.join(lost)}"
    space = having[0].space
    known = space.name in list_spaces() and space == named_space(space.name)
    home = f"named_space({space.name!r})" if known else "space"
    return f"draw from a space of your own, {home}.without({', '.join(map(repr, lost))})"


def unsaid(title: str, error: NoWordsError) -> NotExpressibleError:
    """The error for what a writer found no words for."""
    if isinstance(error, NoSizeError):
        return NeedsSizeError(
            f"{title} cannot say {error} without the size of your images",
            "give it: --size 224 on the command line, size=224 in Python",
        )
    return NotExpressibleError(f"{title} cannot say {error}")


def advised(
    error: NotExpressibleError, policy: Policy, to: str, peers: Iterable[str], works: Works
) -> NotExpressibleError:
    """The error with all that helps; ``works`` tells whether a policy can be exported to a peer."""
    ways = [error.todo] if error.todo else []
    if not isinstance(error, NeedsSizeError) and (instead := _instead(policy, to, works)):
        ways.append(f"take {instead.name!r} instead")
    if others := [peer for peer in peers if peer != to and works(policy, peer)]:
        ways.append(f"export with --to {' or --to '.join(others)}")
    return NotExpressibleError(error.what, ", or ".join(ways or ["augment with automorph itself"]))


def _instead(policy: Policy, to: str, works: Works) -> Policy | None:
    """The nearest policy with a name that can be exported."""
    return next((other for other in _variants(policy, to, works) if works(other, to)), None)


def _variants(policy: Policy, to: str, works: Works) -> Iterator[Policy]:
    """Policies near this one that have a name, the nearest first."""
    stages = policy.stages if isinstance(policy, Chain) else (policy,)
    for change in (_with_seed, _without_noise, _on_randaugment_space):
        stages = tuple(map(change, stages))
        yield from _named(stages, policy)
    yield from _named([stage for stage in stages if works(stage, to)], policy)


def _with_seed(stage: Policy) -> Policy:
    """A random policy that stays the same."""
    return (
        replace(stage, seed=0) if isinstance(stage, RandomPolicy) and stage.seed is None else stage
    )


def _without_noise(stage: Policy) -> Policy:
    """The same without noise on magnitudes."""
    return replace(stage, spread=0.0) if isinstance(stage, Uniform) and stage.spread else stage


def _on_randaugment_space(stage: Policy) -> Policy:
    """The same over RandAugment's operations, which every library has."""
    if isinstance(stage, (Uniform, RandomPolicy)) and stage.operations.domain == "image":
        return replace(stage, operations=named_space("randaugment"))
    return stage


def _named(stages: Iterable[Policy], policy: Policy) -> Iterator[Policy]:
    """The policy of some stages, if there is one, another one, and its name means it."""
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
