"""The built documentation in a browser: nothing overflows, and axe finds no fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chromium import Browser

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("")
    for path in DOCS.rglob("*.md")
    if not {"_generated", "_build"} & set(path.parts)
)
GENERATED = [Path("reference/_generated") / name for name in ("operations", "policies", "cli")]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-q", str(DOCS), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("page", [*PAGES, *GENERATED], ids=str)
def test_nothing_is_cut_and_everyone_can_use_it(browser: Browser, built: Path, page: Path) -> None:
    file = built / f"{page}.html"
    script = os.environ.get("AUTOMORPH_AXE")
    for width, dark in ((1200, False), (400, True)):
        browser.open(file, width=width, dark=dark)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        broken = "[...document.images].filter(one => !(one.complete && one.naturalWidth > 0))"
        assert browser.evaluate(f"{broken}.map(one => one.src)") == []
        outside = [one for one in browser.requests() if not one.startswith(("file:", "data:"))]
        assert outside == []
        if script:
            browser.evaluate(Path(script).read_text(encoding="utf-8") + ";0")
            found = browser.evaluate("""axe.run().then(result => result.violations.map(
                one => [one.id, one.nodes.map(node => node.html)]))""")
            assert found == [], (width, found)
    if not script:
        pytest.skip("AUTOMORPH_AXE names no axe.min.js (of the npm package axe-core)")
