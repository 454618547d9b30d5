"""Operations that another library has as one transform with one parameter for the range.

Both ways, export and import, follow from one row of the library's table.
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
    """The library's transform, its parameter, and how a value is written there and read back.

    ``attribute`` is the name under which the transform keeps the range, if it is another.
    """

    fidelity: Fidelity
    transform: str
    parameter: str
    attribute: str = ""
    write: Callable[[float], float] = _same
    read: Callable[[float], float] = _same

    def written(self, low: float, high: float) -> Stretch:
        """The range in the library's terms."""
        first, last = sorted(self.write(end) for end in (low, high))
        return first, last

    def values(self, ends: Stretch) -> Stretch:
        """The range of values that the library's range stands for."""
        first, last = sorted(tidy(self.read(end)) for end in ends)
        return first, last

    @property
    def kept_as(self) -> str:
        """Where the transform keeps the range."""
        return self.attribute or self.parameter
