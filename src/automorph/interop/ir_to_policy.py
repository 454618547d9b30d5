"""Policies from the intermediate form: the result of reading other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeGuard

from automorph.errors import PolicyError
from automorph.interop.ir import Act, Draw, does_nothing, takes_no_value
from automorph.interop.reader_base import Part, act_of, always, mirrored
from automorph.operations import Operation, SearchSpace
from automorph.policies import Mixture, Policy, Step, Uniform, chained, load_policy


def by_themselves(parts: Sequence[Part]) -> tuple[list[Part], list[str]]:
    """Split pipelines that are used as a whole with a probability into steps that each have it.

    Only if values are ranges, as in SimCLR's colours: a policy draws separately for each such step.
    The second result is a list of notes on the differences.
    """
    out: list[Part] = []
    notes: list[str] = []
    for part in parts:
        if not _is_perhaps(part):
            out.append(part)
            continue
        acts, chance = part.options[0], part.weights[0]
        names = ", ".join(act.kernel for act in acts)
        notes.append(
            f"{names} are each applied with probability {chance:g}; the pipeline applies all of "
            "them or none"
        )
        out += [
            always(replace(act, probability=round(act.probability * chance, 9)), fill=part.fill,
                   interpolation=part.interpolation)
            for act in acts
        ]  # fmt: skip
    return out, notes


def _is_perhaps(part: Part) -> TypeGuard[Draw]:
    """Return whether a part is several steps or none, with values that a mixture cannot express."""
    if isinstance(part, Policy) or len(part.options) != 2 or part.options[1]:
        return False
    acts = part.options[0]
    return len(acts) > 1 and not all(map(_is_step, acts))


def policy_of(parts: Sequence[Part]) -> Policy:
    """Build the policy of some draws; the inverse of `automorph.interop.ir.terms_of`.

    Raises `PolicyError` for options of different weights whose values are ranges.
    """
    stages: list[Policy] = []
    for part, run in groupby(parts):
        count = len(list(run))
        if isinstance(part, Policy):
            stages += [part] * count
        else:
            stages += [_stage(part)] if count == 1 else _repeated(part, count)
    return chained(*stages) if stages else load_policy("none")


def _stage(draw: Draw) -> Policy:
    if len(draw.options) == 1:
        acts = draw.options[0]
        if not acts or all(_is_step(act) for act in acts):
            return _mixture(draw)
        single = [replace(draw, options=((act,),)) for act in acts]
        return chained(*(_mixture(d) if _is_step(d.options[0][0]) else _uniform(d) for d in single))
    if all(_is_step(act) for option in draw.options for act in option):
        return _mixture(draw)
    try:
        return _uniform(draw)
    except PolicyError:
        return _mixture(draw)


def _repeated(draw: Draw, count: int) -> list[Policy]:
    """Repeat a draw: a longer sequence, if it draws single operations."""
    try:
        return [_uniform(draw, count)]
    except PolicyError:
        return [_stage(draw)] * count


def _is_step(act: Act) -> bool:
    """Return whether a mixture's step can express it: one value, alone or with its mirror image."""
    return act.is_constant and not act.levels and (len(act.stretches) < 2 or mirrored(act))


def _mixture(draw: Draw) -> Mixture:
    operations: dict[str, Operation] = {}

    def step(act: Act) -> Step:
        fixed = _fixed_operation(act) if _is_step(act) else _drawn_operation(act)
        name, number = fixed.name, 2
        while operations.setdefault(name, replace(fixed, name=name)) != replace(fixed, name=name):
            name, number = f"{fixed.name}#{number}", number + 1
        return Step(name, act.probability, 1.0)

    subpolicies = tuple(tuple(step(act) for act in option) for option in draw.options)
    return Mixture(
        label="imported",
        operations=SearchSpace("imported", tuple(operations.values())),
        subpolicies=subpolicies,
        weights=None if draw.even else draw.weights,
        fill=draw.fill,
        interpolation=draw.interpolation,
    )


def _fixed_operation(act: Act) -> Operation:
    """Fix the operation at its value; a value and its mirror image become a range."""
    base = act.operation
    if takes_no_value(base):
        return replace(base, name=base.kernel)
    ends = sorted(end for stretch in act.stretches for end in stretch)
    if len(act.stretches) == 1:
        return replace(base, name=base.kernel).at(ends[0])
    name = f"{base.kernel}[{ends[0]:g} or {ends[-1]:g}]"
    return replace(base, name=name, low=ends[0], high=ends[-1])


def _drawn_operation(act: Act) -> Operation:
    """Return the operation that draws its value from the range of an act in each step."""
    if act.levels or len(act.stretches) != 1:
        raise PolicyError(
            "got options over ranges of values with different weights, probabilities or steps; a "
            "policy can draw such operations uniformly, operations at fixed values by weight, or "
            "each from one range of continuous values by weight"
        )
    ((low, high),) = act.stretches
    name = f"{act.kernel}[{low:g} to {high:g}]"
    return replace(act.operation, name=name, low=low, high=high).with_settings(value="drawn")


def _uniform(draw: Draw, length: int = 1) -> Uniform:
    nothing = act_of("Identity")
    acts = [option[0] if option else nothing for option in draw.options]
    # An act that does nothing does not restrict chances, nor a single value steps.
    active = [act for act in acts if not does_nothing(act)]
    probabilities = {act.probability for act in active} or {1.0}
    levels = {act.levels for act in active if not act.is_constant} or {0}
    single = all(len(option) <= 1 for option in draw.options)
    if not (single and draw.even and len(probabilities) == len(levels) == 1):
        raise PolicyError(
            "got options over ranges of values with different weights, probabilities or steps; a "
            "policy can draw such operations uniformly, or operations at fixed values by weight"
        )
    operations, low = _ranged([act if act in active else nothing for act in acts])
    return Uniform(
        operations=SearchSpace("imported", operations),
        length=length,
        low=low,
        high=1.0,
        levels=levels.pop(),
        probability=probabilities.pop(),
        fill=draw.fill,
        interpolation=draw.interpolation,
    )


def _ranged(acts: Sequence[Act]) -> tuple[tuple[Operation, ...], float]:
    """Return operations whose values at magnitudes from ``low`` to 1 are those of the acts."""
    gaps = {round(_gap(act), 4) for act in acts if len(act.stretches) == 2}
    if len(gaps) > 1:
        raise PolicyError(
            "got operations that leave out different fractions of their ranges around the "
            "identity; a policy has one smallest magnitude for all"
        )
    low = gaps.pop() if gaps else 0.0
    out: dict[str, Operation] = {}
    for act in acts:
        operation = _range(act, low)
        name, number = operation.name, 2
        while name in out:
            name, number = f"{operation.name}#{number}", number + 1
        out[name] = replace(operation, name=name)
    return tuple(out.values()), low


def _gap(act: Act) -> float:
    """Return the share of the way from the identity that two stretches leave out."""
    if not mirrored(act):
        raise PolicyError(f"got two ranges of {act.kernel} that are not mirror images")
    ends = sorted(end for stretch in act.stretches for end in stretch)
    middle = float(act.operation.identity or 0.0)
    return (ends[2] - middle) / (ends[3] - middle)


def _range(act: Act, low: float) -> Operation:
    """Return the operation that has the values of an act at magnitudes from ``low`` to 1."""
    base = replace(act.operation, name=act.kernel)
    if takes_no_value(base):
        return base
    ends = sorted(end for stretch in act.stretches for end in stretch)
    first, last = ends[0], ends[-1]
    if act.is_constant and len(act.stretches) == 1:
        return base.at(first)
    if len(act.stretches) == 2:
        return replace(base, low=first, high=last)
    symmetric = base.identity is not None and abs(first + last - 2 * base.identity) < 1e-9
    if symmetric and not low:
        return replace(base, low=first, high=last)
    # Without an identity, values go linearly from one end to the other.
    return replace(base, low=(first - low * last) / (1 - low), high=last, identity=None)
