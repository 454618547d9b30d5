"""A search space cut down to what the diagnostics leave of it."""

from __future__ import annotations

from automorph.diagnostics.explain_result import Explanation
from automorph.diagnostics.run_explain import is_identity
from automorph.errors import UsageError
from automorph.operations import Operation, SearchSpace

LEAST = 2
"""A space keeps so many operations, whatever the diagnostics say."""


def narrowed(operation: Operation, magnitude: float) -> Operation:
    """The operation whose full magnitude is the ``magnitude`` of the given one.

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
    # The identity stays at the same end, so that the magnitude still grows away from it.
    return operation.between(min(ends), max(ends))


def explained_space(explanation: Explanation, space: SearchSpace | None = None) -> SearchSpace:
    """The space without what was found to harm, ranges narrowed to where no harm is predicted.

    ``space`` is the one that was explained (the default), or one with some of its operations.
    Operations with the verdicts ``drop`` and ``label risk`` go; the two of best rank stay in any
    case, at their best magnitude. The identity stays where it was.
    """
    whole = space or explanation.space
    known = {finding.operation.name: finding for finding in explanation.findings}
    strange = [op.name for op in whole if op.name not in known and not is_identity(op)]
    if strange:
        raise UsageError(
            f"the space {whole.name!r} has operations that were not explained: "
            f"{', '.join(strange)}; explain this space"
        )
    moving = [name for name, finding in known.items() if not finding.does_nothing]
    ranked = [name for name in moving if name in whole.names]
    kept = []
    for operation in whole:
        finding = known.get(operation.name)
        if finding is None:
            kept.append(operation)
        elif finding.verdict in ("keep", "keep mild"):
            kept.append(narrowed(operation, finding.useful))
        elif operation.name in ranked[:LEAST]:
            kept.append(narrowed(operation, finding.best.magnitude))
    return SearchSpace(f"{whole.name}-explained", tuple(kept))
