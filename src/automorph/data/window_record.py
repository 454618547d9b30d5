"""The record of how the images of more than 8 bits in a data set were mapped to 8 bits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class WindowRecord:
    """The window of a data set: the values that become 0 and 255 (None: each file's own), and why.

    ``images`` have more than 8 bits. ``below`` and ``above`` are the shares of values that are
    clipped, and ``counts`` a histogram of the values from ``start`` to ``end``, of ``sampled``
    training images.
    """

    low: float | None
    high: float | None
    how: str
    images: int
    sampled: int
    below: float
    above: float
    counts: tuple[int, ...]
    start: float
    end: float

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return {**asdict(self), "counts": list(self.counts)}

    def note(self) -> str:
        """Describe the mapping for a note."""
        many = "1 image has" if self.images == 1 else f"{self.images:,} images have"
        change = "set other values with window=(LOW, HIGH) (--window LOW,HIGH)"
        if self.low is None or self.high is None:
            return f"{many} more than 8 bits: mapped to 8 bits by {self.how}; {change}"
        clipped = self.below + self.above
        share = f" ({100 * clipped:.2g} % of them)" if clipped else " (none)"
        return (
            f"{many} more than 8 bits: values from {self.low:,.6g} to {self.high:,.6g} become the "
            f"levels 0 to 255, values outside are clipped{share}; {self.how}; {change}"
        )
