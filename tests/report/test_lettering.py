"""Text on pictures supports common non-ASCII letters."""

from __future__ import annotations

import pytest
from PIL import ImageFont

from automorph.report import fonts
from automorph.report.fonts import lettered

WORDS = ["Öl auf Straße", "Kjærlighet – Łódź", "été", "plain"]


def drawn(font: fonts.Font, letter: str) -> bytes:
    return bytes(font.getmask(letter))


@pytest.mark.parametrize("files", [fonts._FONTS, ()], ids=["fonts here", "Pillow's alone"])
def test_no_letter_is_drawn_as_a_box(
    files: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "_FONTS", files)
    font, words = lettered(WORDS, 14)
    box = drawn(font, "\uffff")
    assert all(drawn(font, letter) != box for letter in "".join(words) if letter != " ")
    assert words[-1] == "plain"


def test_letters_that_no_font_has_become_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_FONTS", ())
    _, words = lettered([*WORDS, "日本"], 14)
    assert words == ["Oel auf Strasse", "Kjaerlighet - Lodz", "ete", "plain", "??"]


def test_pillows_font_is_kept_where_it_has_all_letters() -> None:
    font, words = lettered(["cat", "dog"], 14)
    assert words == ["cat", "dog"]
    assert font.getmask("cat").size == ImageFont.load_default(14).getmask("cat").size
