"""What photographs are trained with when the user names neither a size nor a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from automorph.data.cut import Size
from automorph.data.resizing import Resizing


@dataclass(frozen=True)
class Photographs:
    """Image files that need a size.

    ``n_train`` is about how many examples a training part will hold, ``side`` the median of the
    shorter sides in pixels, ``alike`` whether all that were looked at have one size.
    """

    n_train: int
    side: int
    alike: bool

    @property
    def words(self) -> str:
        """What they are called in a note."""
        return "large photographs" if self.alike else "photographs of different sizes"


@dataclass(frozen=True)
class Chosen:
    """The choice for photographs, and a note that says why.

    ``size`` (H, W) and ``resizing`` are those of the images, ``model`` names the network. By a
    table, one training takes ``seconds`` on one core; the choice is for searches of ``budget``
    seconds.
    """

    size: Size
    resizing: Resizing | None
    model: str
    seconds: float
    budget: float
    note: str


Sizing = Callable[[Photographs], Chosen | None]
"""Choose for photographs; None: leave them as they are."""
