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

    Notebooks align cells to the right, which is for numbers; columns of words go to the left. A
    table that is wider than the page is scrolled by itself.

    >>> table_html(["a"], [[1]]).partition("<thead>")[2]
    '<tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table></div>'
    """
    cells = [[str(cell) for cell in row] for row in rows]
    left = [not all(map(_numeric, column)) for column in zip(*cells, strict=True)]
    left += [False] * (len(columns) - len(left))

    def line(row: Sequence[str], tag: str) -> str:
        styles = (' style="text-align:left"' if words else "" for words in left)
        inside = "".join(
            f"<{tag}{style}>{escape(cell)}</{tag}>" for cell, style in zip(row, styles, strict=True)
        )
        return f"<tr>{inside}</tr>"

    head = f"<thead>{line(columns, 'th')}</thead>"
    body = "".join(line(row, "td") for row in cells)
    above = f"<p><strong>{escape(title)}</strong></p>" if title else ""
    below = f"<p>{escape(note)}</p>" if note else ""
    table = f"<table>{head}<tbody>{body}</tbody></table>"
    return f'{above}<div style="overflow-x:auto">{table}</div>{below}'


def _numeric(cell: str) -> bool:
    return not cell or cell[0] in "+-−±–0123456789"


class Preview(np.ndarray[Any, Any]):
    """Originals and draws ``(n, 1 + draws, H, W, C)`` that a notebook shows as one picture.

    An array like any other; texts ``(n, 1 + draws)`` show as a table.
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, str]] | None:
        """Return the picture, an example a row, its original on the left; and its description."""
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
        return buffer.getvalue(), {"alt": f"{n} examples, each beside {views - 1} augmented ones"}

    def _repr_html_(self) -> str | None:
        """Return a table of texts; None for images, which are a picture."""
        texts = np.asarray(self)
        if texts.dtype.kind not in "TUO" or texts.ndim != 2:
            return None
        columns = ["original", *(f"draw {k}" for k in range(1, texts.shape[1]))]
        return table_html(columns, texts[:MOST].tolist())
