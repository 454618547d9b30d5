"""Requirements for every page, whatever its content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chromium import Browser

VISIBLE = """
(selector) => [...document.querySelectorAll(selector)].filter(one => one.checkVisibility())
"""
MOST = 5_000_000
"""Bytes of a page."""


def check_whole(browser: Browser, page: Path, *, width: int, dark: bool) -> None:
    """Nothing overflows, no picture is broken, nothing is fetched, and the console is empty."""
    browser.open(page, width=width, dark=dark)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    outside = f"""({VISIBLE})("body *").filter(one => !one.closest(".scroll, pre, .unseen, .skip")
        && one.getBoundingClientRect().right > {width} + 1).map(one => one.outerHTML)"""
    sticking_out = browser.evaluate(outside)
    assert sticking_out == [], sticking_out
    broken = "[...document.images].filter(one => !(one.complete && one.naturalWidth > 0)).length"
    assert browser.evaluate(broken) == 0
    asked = [address for address in browser.requests() if not address.startswith("data:")]
    assert asked == [page.as_uri()]
    complaints = browser.complaints()
    assert complaints == [], complaints
    assert browser.evaluate("document.querySelectorAll('h1').length") == 1
    assert page.stat().st_size < MOST


def check_accessible(browser: Browser, page: Path) -> None:
    """axe-core finds no fault, in light and wide as well as in dark and narrow."""
    script = os.environ.get("AUTOMORPH_AXE")
    if not script:
        pytest.skip("AUTOMORPH_AXE names no axe.min.js (of the npm package axe-core)")
    for width, dark in ((1200, False), (400, True)):
        browser.open(page, width=width, dark=dark)
        browser.evaluate(Path(script).read_text(encoding="utf-8") + ";0")
        browser.evaluate(
            "document.querySelectorAll('details').forEach(one => { one.open = true; })"
        )
        found = browser.evaluate("""axe.run().then(result => [result.passes.length,
            result.violations.map(one => [one.id, one.nodes.map(node => node.html)])])""")
        assert found[0] > 15
        assert found[1] == [], found[1]
