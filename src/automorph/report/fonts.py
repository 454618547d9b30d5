"""Words on pictures: a font that has their letters, or letters that the font has."""

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
"""Fonts of Linux, macOS and Windows: that of Pillow has no letter beyond ASCII."""
_PLAIN = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "æ": "ae",
    "Æ": "Ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "ı": "i", "–": "-", "—": "-",
    "…": "...",
})  # fmt: skip
_NO_LETTER = "\uffff"


def lettered(words: Sequence[str], size: int) -> tuple[Font, list[str]]:
    """A font that has as many of the letters as one here does, and the words in its letters.

    Letters that it lacks become plain ones (``é`` to ``e``), or question marks.

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
    """Pillow's own font, then those that this machine has."""
    yield ImageFont.load_default(size)
    for name in _FONTS:
        if (font := _found(name, size)) is not None:
            yield font


@cache
def _found(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except (OSError, ImportError):
        return None


def _has(font: Font, letter: str) -> bool:
    """Whether a font draws a letter, and not the box of letters that it lacks."""
    try:
        return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER))
    except UnicodeError:  # The font of a Pillow without FreeType knows bytes only.
        return False


def _plain(letter: str, font: Font) -> str:
    """A letter in plain ones."""
    plain = letter.translate(_PLAIN)
    if plain == letter:
        parts = unicodedata.normalize("NFKD", letter)
        plain = "".join(one for one in parts if not unicodedata.combining(one))
    return plain if plain and all(_has(font, one) for one in plain) else "?"
