"""Operations at fixed values: each value becomes one operation, as in TANDA."""

from __future__ import annotations

from collections.abc import Sequence

from automorph.operations import Operation, SearchSpace


def discretized_space(
    space: SearchSpace, magnitudes: Sequence[float] = (0.25, 0.75)
) -> SearchSpace:
    """Return the space with every operation at every magnitude, on both sides if it is signed.

    Operations without a range stay unchanged. Equal values appear once.

    >>> from automorph.operations import find_operation
    >>> rotate = find_operation("Rotate").between(-30, 30)
    >>> discretized_space(SearchSpace("mine", (rotate, find_operation("Invert")))).names
    ('Rotate[-7.5]', 'Rotate[7.5]', 'Rotate[-22.5]', 'Rotate[22.5]', 'Invert')
    """
    fixed: dict[str, Operation] = {}
    for operation in space:
        if operation.magnitude_free:
            fixed[operation.name] = operation
            continue
        for magnitude in magnitudes:
            for sign in (-1.0, 1.0) if operation.signed else (1.0,):
                one = operation.at(float(operation.values(magnitude, sign)))
                if one.low != operation.identity:
                    fixed[one.name] = one
    return SearchSpace(space.name, tuple(fixed.values()))
