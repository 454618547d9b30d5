"""Operations that another library has as one transform with one parameter for the range.

Export and import both follow from one row of the library's table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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

    def written(self, low: float, high: float) -> Stretch:
        """Convert a range of values to the library's range."""
        first, last = sorted(self.write(end) for end in (low, high))
        return first, last

    def values(self, ends: Stretch) -> Stretch:
        """Convert the library's range to a range of values."""
        first, last = sorted(tidy(self.read(end)) for end in ends)
        return first, last

    @property
    def kept_as(self) -> str:
        """The attribute in which the transform stores the range."""
        return self.attribute or self.parameter
