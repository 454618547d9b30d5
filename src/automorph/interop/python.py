"""Policies as one short Python file that needs only NumPy and Pillow, and draws the same pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

from automorph.interop.call_ast import docstring_safe, source
from automorph.interop.errors import refuse_operations
from automorph.interop.fidelity import EQUAL, IMPORTED, MIXED, Fidelity, none
from automorph.interop.ir import NotExpressibleError, colour_of, seeded_mixture, why_not
from automorph.interop.source_extract import (
    definitions,
    excerpt,
    function_name,
    merged_imports,
    plain_excerpt,
)
from automorph.operations import CATALOGUE, KERNELS, Operation, SearchSpace
from automorph.policies import (
    AugMix,
    Chain,
    Generated,
    Mixture,
    Policy,
    RandomPolicy,
    Schedule,
    Shuffled,
    SpacePolicy,
    Step,
    Uniform,
    drawable,
    known_fill,
)

NAME = "python"
TITLE = "a standalone Python file"
SOURCE = "automorph.interop.standalone"


_USE = """\
augment(image, index, epoch, seed) returns the same pixels as automorph for the same number of the
example, epoch and seed (whole numbers), in any order, process or batch.

augment(image) draws anew at each call, as ImageFolder(transform=augment) needs it. Its draws follow
torch's generator where torch is imported: torch.manual_seed repeats them for the same number of
workers, and a DataLoader seeds its workers differently in every epoch. Without torch, they follow
Python's generator (random.seed). Needs only numpy and Pillow.
"""


def _expressible(operation: Operation) -> Fidelity:
    if operation.partner:
        return none("it needs the batch")
    known = KERNELS[operation.kernel].table or function_name(operation.name) in definitions(SOURCE)
    return EQUAL if known else none("it has no function in interop/standalone.py yet")


FIDELITY: dict[str, Fidelity] = {
    **{one.name: _expressible(one) for one in CATALOGUE},
    **MIXED,
    **IMPORTED,
}


def write_file(policy: Policy) -> str:
    """Write the policy as the source code of a module with a function ``augment``."""
    from automorph._version import __version__
    from automorph.interop import standalone

    refuse_operations(policy, TITLE, FIDELITY)
    if any(operation.drawn for operation in drawable(policy)):
        raise NotExpressibleError(
            f"{TITLE} cannot express an operation that draws its value in each sub-policy",
            "give each sub-policy one value",
        )
    schedule = _schedule(policy)
    stages = [stage for _, part in schedule for stage in part]
    kinds = {stage["kind"] for stage in stages}
    kernels = {operation[1] for stage in stages for operation in stage["space"]}
    tables = {"KERNELS", "SAMPLERS", "SCHEDULE"}
    tables |= set() if "augmix" in kinds else {"augmix"}
    samplers = {kind: standalone.SAMPLERS[kind].__name__ for kind in sorted(kinds - {"augmix"})}
    lookups = [kernel.table for name in sorted(kernels) if (kernel := KERNELS[name]).table]
    names = [function_name(name) for name in kernels if not KERNELS[name].table]
    names += ["augment", *samplers.values(), *(["looked_up"] if lookups else [])]
    names += ["colours"] if any(KERNELS[name].keeps_alpha for name in kernels) else []
    shared: list[str] = []
    imports, body = excerpt(SOURCE, names, without=tables)
    for lookup in lookups:
        more, definitions_needed = plain_excerpt(lookup.__module__, [lookup.__name__])
        imports += more
        shared += [one for one in definitions_needed if one not in shared]
    if "augmix" not in kinds:
        body = body.replace(_AUGMIX_BRANCH, "")
    head = f'"""{docstring_safe(policy.name)}, written by automorph {__version__}.\n\n{_USE}"""\n\n'
    table = [f"    {kernel!r}: {_kernel(kernel)}," for kernel in sorted(kernels)]
    sampled = [f"    {kind!r}: {name}," for kind, name in samplers.items()]
    return (
        head
        + merged_imports(imports)
        + body
        + "".join(f"\n\n{definition}\n" for definition in shared)
        + "\n\nKERNELS = {\n" + "\n".join(table) + "\n}\n"
        + "SAMPLERS = {\n" + "\n".join(sampled) + "\n}\n"
        + "# Operations: name, kernel, range, identity, unit, whole, colour.\n"
        + f"SCHEDULE = {source(schedule)}\n"
    )  # fmt: skip


_AUGMIX_BRANCH = """        if stage["kind"] == "augmix":
            out = augmix(out, stage, seed, epoch, index, copy)
            continue
"""


def _kernel(name: str) -> str:
    kernel = KERNELS[name]
    function = f"looked_up({kernel.table.__name__})" if kernel.table else function_name(name)
    return f"colours({function})" if kernel.keeps_alpha else function


def load(policy: Policy) -> Any:
    """Return the function ``augment`` of the file, without writing the file."""
    names: dict[str, Any] = {"__name__": "exported"}
    # Our own code, generated above; names of policies occur only as strings.
    exec(compile(write_file(policy), "exported policy", "exec"), names)  # nosec B102
    return names["augment"]


def _schedule(policy: Policy) -> list[tuple[int, list[dict[str, Any]]]]:
    """Return the stages of every part of a schedule, each with the epoch at which it ends."""
    if isinstance(policy, Schedule):
        parts = [_stages(piece.policy) for piece in policy.pieces]
        return list(zip(_ends(policy), parts, strict=True))
    if isinstance(policy, Chain) and any(isinstance(s, Schedule) for s in policy.stages):
        # Parts change with every schedule of the chain.
        ends = sorted({e for s in policy.stages if isinstance(s, Schedule) for e in _ends(s)})
        return [(end, _stages(policy, epoch=end - 1)) for end in ends]
    return [(1, _stages(policy))]


def _ends(schedule: Schedule) -> list[int]:
    return list(accumulate(piece.epochs for piece in schedule.pieces))


def _stages(policy: Policy, epoch: int = 0) -> list[dict[str, Any]]:
    if not isinstance(policy, Chain):
        found = _stage(policy, 0, 0)
        return [] if found is None else [found]
    out, position = [], 0
    for number, part in enumerate(policy.stages):
        beside = isinstance(part, (Schedule, AugMix))
        chosen = part.at(epoch) if isinstance(part, Schedule) else part
        # Stages that run separately count positions from 0; joined ones continue.
        found = _stage(chosen, number, 0 if beside else position)
        if found is None:
            continue
        out.append(found)
        position += 0 if beside else found.pop("positions")
    return out


def _stage(policy: Policy, number: int, position: int) -> dict[str, Any] | None:
    if not isinstance(policy, SpacePolicy) or policy.space.domain != "image":
        raise _refused(policy)
    if not len(policy.space):
        return None
    common = {
        "stage": number,
        "position": position,
        "fill": known_fill(policy.fill),
        "bilinear": policy.interpolation == "bilinear",
    }
    drawn = seeded_mixture(policy) if isinstance(policy, RandomPolicy) else policy
    for kind, (name, words) in _KINDS.items():
        if isinstance(drawn, kind):
            own = words(drawn)
            space = _space(drawn.operations)
            return None if own is None else {"kind": name, **common, "space": space, **own}
    raise _refused(policy)


def _uniform(policy: Uniform) -> dict[str, Any]:
    fields = ("length", "low", "high", "levels", "spread", "probability")
    return {**_fields(policy, fields), "positions": policy.length}


def _mixture(policy: Mixture) -> dict[str, Any] | None:
    space = _used(policy.operations, (step for sub in policy.subpolicies for step in sub))
    longest = max(map(len, policy.subpolicies), default=0)
    return None if not longest else {
        "space": _space(space),
        "length": longest,
        "subpolicies": [_steps(subpolicy, space) for subpolicy in policy.subpolicies],
        "weights": policy.weights,
        "positions": longest,
    }  # fmt: skip


def _shuffled(policy: Shuffled) -> dict[str, Any] | None:
    longest = min(len(policy.counts) - 1, len(policy.steps))
    space = _used(policy.operations, policy.steps)
    return None if not longest else {
        "space": _space(space),
        "steps": _steps(policy.steps, space),
        "counts": policy.counts,
        "positions": longest,
    }  # fmt: skip


def _generated(policy: Generated) -> dict[str, Any]:
    if policy.network not in ("mean-field", "per-position"):
        raise _refused(policy)
    values = policy.arrays["logits"].reshape(-1, len(policy.operations))
    rows = values if len(values) == policy.length else values.repeat(policy.length, axis=0)
    logits = [[float(v) for v in row] for row in rows.tolist()]
    return {"length": policy.length, "logits": logits, "positions": policy.length}


def _augmix(policy: AugMix) -> dict[str, Any]:
    if policy.alpha != 1:
        raise _refused(policy)
    fields = ("severity", "weakest", "width", "depth", "share")
    return {**_fields(policy, fields), "positions": 0}


_KINDS: dict[type[Policy], tuple[str, Callable[[Any], dict[str, Any] | None]]] = {
    Uniform: ("uniform", _uniform),
    Mixture: ("mixture", _mixture),
    Shuffled: ("shuffled", _shuffled),
    Generated: ("generated", _generated),
    AugMix: ("augmix", _augmix),
}


def _fields(policy: Policy, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in names}


def _steps(steps: Iterable[Step], space: SearchSpace) -> list[tuple[int, float, float]]:
    return [(space.number(s.operation), s.probability, s.magnitude) for s in steps]


def _used(space: SearchSpace, steps: Iterable[Step]) -> SearchSpace:
    """Return the space without unused operations: steps are not drawn by names."""
    names = {space[step.operation].name for step in steps}
    return SearchSpace(space.name, tuple(one for one in space if one.name in names))


def _space(space: SearchSpace) -> list[tuple[Any, ...]]:
    return [
        (o.name, o.kernel, float(o.low), float(o.high), o.identity, o.unit, o.whole, colour_of(o))
        for o in space
    ]


def _refused(policy: Policy) -> NotExpressibleError:
    texts = policy.space.domain != "image"
    why = f"it is for {policy.space.domain}s" if texts else why_not(policy)
    if isinstance(policy, AugMix):
        why = f"its weights are drawn with alpha={policy.alpha:g}; expected 1"
    return NotExpressibleError(f"{TITLE} cannot express the policy {policy.name!r:.200}: {why}")
