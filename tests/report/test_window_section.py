"""The section on images of more than 8 bits, on the page of any verb."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automorph.data import WindowRecord
from automorph.report import window
from automorph.report.page import Definitions, Figure, Page, render, write_report
from chromium import Browser
from pages import check_whole

COUNTS = tuple(range(60))
RECORD = WindowRecord(-160.0, 240.0, "as given (window)", 300, 120, 0.25, 0.05, COUNTS, -360, 440)


def page(record: WindowRecord | None) -> Page:
    content = {"provenance": {} if record is None else {"window": record.to_dict()}}
    return window.with_window(lambda _: Page(title="A page", lead="."))(content)


def test_the_section_states_the_window() -> None:
    (section,) = page(RECORD).sections
    figure, facts = section.parts
    assert isinstance(figure, Figure)
    assert isinstance(facts, Definitions)
    assert facts.items["Black"] == "-160 and below"
    assert facts.items["Clipped"] == "25.00% of the values below, 5.00% above"
    assert "30.00% of the values lie outside and are clipped." in section.text
    bars = re.findall(r'class="bar (s\d)"', str(figure.wide))
    # 13.3 units each: those below -160 and above 240 are drawn in grey.
    assert bars == ["s0"] * 15 + ["s1"] * 30 + ["s0"] * 15


def test_windows_of_the_files_have_no_limits() -> None:
    own = WindowRecord(
        None, None, "the window that each DICOM file states", 9, 5, 0, 0, COUNTS, 0, 9
    )
    (section,) = page(own).sections
    assert "white" not in str(section.parts[0].wide)
    assert section.parts[1].items["Black"] == "as each file states"
    assert page(None).sections == ()


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1200, False)])
def test_the_page_is_whole(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    check_whole(browser, write_report(tmp_path / "a.html", page(RECORD)), width=width, dark=dark)
    assert "Mapping to 8 bits" in render(page(RECORD))
