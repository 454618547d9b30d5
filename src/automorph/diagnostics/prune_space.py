"""Search spaces reduced to what the diagnostics recommend."""

from __future__ import annotations

from dataclasses import replace

from automorph.diagnostics.explain_result import Explanation
from automorph.diagnostics.run_explain import is_identity
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace

LEAST = 2
"""Smallest number of operations that a reduced space keeps."""


def narrowed(operation: Operation, magnitude: float) -> Operation:
    """Return the operation with its full magnitude set to ``magnitude`` of the given one.

    >>> rotate = Operation("Rotate", low=-30, high=30, identity=0, unit="deg")
    >>> narrowed(rotate, 0.5).ends
    (0.0, 15.0)
    >>> narrowed(Operation("Posterize", low=4, high=8, identity=8, whole=True), 0.5).ends
    (8.0, 6.0)
    """
    if operation.magnitude_free or magnitude >= 1:
        return operation
    if operation.signed:
        low, high = (float(operation.values(magnitude, sign).item()) for sign in (-1.0, 1.0))
        return operation.between(low, high)
    ends = float(operation.values(0.0).item()), float(operation.values(magnitude).item())
    if operation.identity is None:
        return operation.between(*ends)
    # Keep the identity at the same end: the magnitude grows away from it.
    return operation.between(min(ends), max(ends))


def explained_space(explanation: Explanation, space: SearchSpace | None = None) -> SearchSpace:
    """Return the space without harmful operations, with ranges narrowed to the harmless part.

    ``space`` is the explained one (the default), or a part of it. Operations that are harmful at
    every magnitude, or that the features do not see, are removed; the two of best rank always stay,
    at their best magnitude. The identity stays. Raises `UsageError` for operations that were not
    explained.
    """
    full = space or explanation.space
    known = {finding.operation.name: finding for finding in explanation.findings}
    unexplained = [op.name for op in full if op.name not in known and not is_identity(op)]
    if unexplained:
        raise UsageError(
            f"the space {full.name!r} has operations that were not explained: "
            f"{', '.join(unexplained)}; expected only operations of {explanation.space.name!r}: "
            "run explain on this space"
        )
    moving = [name for name, finding in known.items() if not finding.does_nothing]
    ranked = [name for name in moving if name in full.names]
    kept = []
    for operation in full:
        finding = known.get(operation.name)
        if finding is None:
            kept.append(operation)
        elif finding.harmless:
            kept.append(narrowed(operation, finding.useful))
        elif operation.name in ranked[:LEAST]:
            kept.append(narrowed(operation, finding.best.magnitude))
    return replace(full, name=f"{full.name}-explained", operations=tuple(kept))
