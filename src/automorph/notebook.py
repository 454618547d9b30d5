"""How results show themselves in notebooks: tables as HTML, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from io import BytesIO
from typing import Any

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
