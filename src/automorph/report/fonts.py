"""Text on pictures: choose a font that has the letters, or replace missing letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "Arial Unicode.ttf",
    "Arial.ttf", "arial.ttf", "NotoSansCJK-Regular.ttc", "msyh.ttc",
)  # fmt: skip
"""Fonts of Linux, macOS and Windows; Pillow's own font has only ASCII letters."""
_PLAIN = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "æ": "ae",
    "Æ": "Ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ı": "i", "–": "-", "—": "-",
    "…": "...",
})  # fmt: skip
_NO_LETTER = "\uffff"


def lettered(words: Sequence[str], size: int) -> tuple[Font, list[str]]:
    """Return the installed font that has most of the letters, and the words in its letters.

    Letters that it lacks become ASCII (``é`` to ``e``) or question marks.

    >>> lettered(["cat", "dog"], 14)[1]
    ['cat', 'dog']
    """
    letters = set("".join(words))
    lacking: dict[Font, set[str]] = {}
    for font in _fonts(size):
        lacking[font] = {letter for letter in letters if not _has(font, letter)}
        if not lacking[font]:
            return font, list(words)
    best = min(lacking, key=lambda font: len(lacking[font]))
    plain = {letter: _plain(letter, best) for letter in lacking[best]}
    return best, ["".join(plain.get(letter, letter) for letter in one) for one in words]


def _fonts(size: int) -> Iterator[Font]:
    """Yield Pillow's own font, then the fonts installed on this machine."""
    yield ImageFont.load_default(size)
    for name in _FONTS:
        if (font := _loaded(name, size)) is not None:
            yield font


@cache
def _loaded(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except (OSError, ImportError):
        return None


def _has(font: Font, letter: str) -> bool:
    """Return True if a font draws the letter rather than the placeholder for missing letters."""
    try:
        return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER))
    except UnicodeError:  # Without FreeType, Pillow's font accepts bytes only.
        return False


def _plain(letter: str, font: Font) -> str:
    """Replace a letter by ASCII letters, or by a question mark."""
    plain = letter.translate(_PLAIN)
    if plain == letter:
        parts = unicodedata.normalize("NFKD", letter)
        plain = "".join(one for one in parts if not unicodedata.combining(one))
    return plain if plain and all(_has(font, one) for one in plain) else "?"
