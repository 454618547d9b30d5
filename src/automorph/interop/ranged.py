"""Operations that another library has as one transform with one parameter for the range.

Export and import both follow from one row of the library's table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from automorph.interop.call_ast import Call
from automorph.interop.fidelity import Fidelity
from automorph.interop.ir import Stretch, tidy


def _same(value: float) -> float:
    return value


@dataclass(frozen=True)
class Ranged:
    """A library's transform, its parameter, and the conversion of values in both directions.

    ``attribute`` is the name under which the transform stores the range, if it is another.
    """

    fidelity: Fidelity
    transform: str
    parameter: str
    attribute: str = ""
    write: Callable[[float], float] = _same
    read: Callable[[float], float] = _same

    def calls(self, stretches: Iterable[Stretch]) -> list[Call]:
        """Return one call of the transform for each range of values."""
        ranges = [tuple(sorted(map(self.write, ends))) for ends in stretches]
        return [Call(self.transform, (), {self.parameter: ends}) for ends in ranges]

    def values(self, ends: Stretch) -> Stretch:
        """Convert the library's range to a range of values."""
        first, last = sorted(tidy(self.read(end)) for end in ends)
        return first, last

    @property
    def kept_as(self) -> str:
        """The attribute in which the transform stores the range."""
        return self.attribute or self.parameter
