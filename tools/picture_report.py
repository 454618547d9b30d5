"""Photograph the report of a run for the README and the first page of the documentation.

python tools/picture_report.py RUN writes into docs/_static: report.png, the page, and landing.png,
its top. RUN is the folder of `automorph quickstart` on an idle machine, so that readers get the
same numbers. It needs Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "docs" / "_static"
END = "Math.ceil(document.querySelector('.answers').getBoundingClientRect().bottom) + 1"
WIDTH, HEIGHT = 1000, 1650


def main() -> None:
    """Write the two pictures."""
    sys.path.insert(0, str(ROOT / "tests"))
    import chromium

    run = Path(sys.argv[1])
    path = chromium.find()
    if path is None:
        sys.exit("no Chromium; install one, or put it on the PATH")
    browser = chromium.Browser(path)
    try:
        browser.open(run / "report.html", width=WIDTH, height=HEIGHT)
        end = int(browser.evaluate(END))
        browser.screenshot(STATIC / "report.png", whole=False)
    finally:
        browser.close()
    with Image.open(STATIC / "report.png") as image:
        image.crop((0, 0, WIDTH, end)).save(STATIC / "landing.png", optimize=True)


if __name__ == "__main__":
    main()
