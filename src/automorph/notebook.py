"""How results and progress show themselves in notebooks: tables and bars as HTML, pictures."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from io import BytesIO
from typing import Any, Self

import numpy as np

TILE = 96
"""Pixels of a side of a picture in a preview; small images are enlarged by whole factors."""
GAP, AFTER_ORIGINAL = 4, 12
MOST = 12
"""Rows of texts that are shown."""


def table_html(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    note: str = "",
) -> str:
    """Return a table as HTML, with a title above and a sentence below; all text is escaped.

    >>> table_html(["a"], [["<b>"]])
    '<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>&lt;b&gt;</td></tr></tbody></table>'
    """

    def line(cells: Sequence[object], tag: str) -> str:
        inside = "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
        return f"<tr>{inside}</tr>"

    head = f"<thead>{line(columns, 'th')}</thead>"
    body = "".join(line(row, "td") for row in rows)
    above = f"<p><strong>{escape(title)}</strong></p>" if title else ""
    below = f"<p>{escape(note)}</p>" if note else ""
    return f"{above}<table>{head}<tbody>{body}</tbody></table>{below}"


class Preview(np.ndarray[Any, Any]):
    """Originals and draws ``(n, 1 + draws, H, W, C)`` that a notebook shows as one picture.

    An array like any other; texts ``(n, 1 + draws)`` show as a table.
    """

    def _repr_png_(self) -> bytes | None:
        """Return the picture: an example a row, its original on the left."""
        images = np.asarray(self)
        if images.dtype != np.uint8 or images.ndim != 5 or images.shape[-1] not in (1, 3, 4):
            return None
        from PIL import Image

        n, views, height, width = images.shape[:4]
        factor = max(1, TILE // max(height, width))
        big = images.repeat(factor, axis=2).repeat(factor, axis=3)
        big = np.broadcast_to(big[..., :3], (*big.shape[:4], 3))
        height, width = height * factor, width * factor
        size = (views * (width + GAP) + AFTER_ORIGINAL, n * (height + GAP))
        sheet = Image.new("RGBA", size, (0, 0, 0, 0))
        for row in range(n):
            for place in range(views):
                left = place * (width + GAP) + (AFTER_ORIGINAL if place else 0)
                sheet.paste(Image.fromarray(big[row, place]), (left, row * (height + GAP)))
        buffer = BytesIO()
        sheet.save(buffer, "PNG")
        return buffer.getvalue()

    def _repr_html_(self) -> str | None:
        """Return a table of texts; None for images, which are a picture."""
        texts = np.asarray(self)
        if texts.dtype.kind not in "TUO" or texts.ndim != 2:
            return None
        columns = ["original", *(f"draw {k}" for k in range(1, texts.shape[1]))]
        return table_html(columns, texts[:MOST].tolist())


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook.

    >>> in_notebook()
    False
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


@dataclass
class _Bar:
    title: str
    total: float
    done: float
    facts: str


class NotebookBars:
    """Progress bars as HTML in the output of a cell, with the methods of rich's ``Progress``.

    ``transient`` bars vanish at the end.
    """

    INTERVAL = 0.2
    """Seconds between two updates: a page cannot follow every step."""

    def __init__(self, *, transient: bool = False) -> None:
        self.transient = transient
        self.bars: list[_Bar] = []
        self.began = self.shown = 0.0
        self.place: Any = None

    def add_task(
        self, description: str, *, total: float, completed: float = 0, facts: str = ""
    ) -> int:
        """Add a bar and return its number."""
        self.bars.append(_Bar(description, total, completed, facts))
        self._show()
        return len(self.bars) - 1

    def update(
        self,
        task: int,
        *,
        completed: float | None = None,
        total: float | None = None,
        description: str | None = None,
        facts: str | None = None,
    ) -> None:
        """Change a bar; None leaves a value as it is."""
        bar = self.bars[task]
        bar.done = bar.done if completed is None else completed
        bar.total = bar.total if total is None else total
        bar.title = bar.title if description is None else description
        bar.facts = bar.facts if facts is None else facts
        self._show()

    def advance(self, task: int) -> None:
        """Move a bar by one."""
        self.update(task, completed=self.bars[task].done + 1)

    def start(self) -> None:
        """Begin to show the bars."""
        shown = import_module("IPython.display")  # Untyped.
        self.began = time.monotonic()
        self.place = shown.display(shown.HTML(""), display_id=True)

    def stop(self) -> None:
        """Show the bars for the last time, or remove them."""
        if self.place is not None:
            self._put("" if self.transient else self.html())
            self.place = None

    def html(self) -> str:
        """Return all bars as HTML."""
        seconds = time.monotonic() - self.began
        lines = [
            f'<div><label>{escape(bar.title)} <progress max="{bar.total:g}" value="{bar.done:g}">'
            f"</progress></label> {escape(bar.facts)} ({seconds:.0f} s)</div>"
            for bar in self.bars
        ]
        return "".join(lines)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _show(self) -> None:
        if self.place is None or time.monotonic() - self.shown < self.INTERVAL:
            return
        self.shown = time.monotonic()
        self._put(self.html())

    def _put(self, html: str) -> None:
        self.place.update(import_module("IPython.display").HTML(html))
