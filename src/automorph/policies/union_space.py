"""The union of several search spaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from automorph.operations import Operation, SearchSpace


def joint_space(name: str, spaces: Iterable[SearchSpace]) -> tuple[SearchSpace, tuple[int, ...]]:
    """Join spaces: return all operations in order, and the offset of each space.

    Names that an earlier space already has get the number of their space.

    >>> from automorph.operations import named_space
    >>> disc = named_space("disc-axes")
    >>> space, offsets = joint_space("twice", [disc, disc])
    >>> space.names[-1], offsets
    ('axis1#2', (0, 2))
    """
    operations: list[Operation] = []
    offsets, taken = [], set()
    for number, space in enumerate(spaces, 1):
        offsets.append(len(operations))
        for operation in space:
            own = operation.name
            while own in taken:
                own = f"{own}#{number}"
            taken.add(own)
            operations.append(replace(operation, name=own))
    return SearchSpace(name, tuple(operations)), tuple(offsets)
