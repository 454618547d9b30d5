"""The page of every verb, made by the verb itself, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from automorph.cli import main
from chromium import Browser
from pages import check_accessible, check_whole

pytestmark = pytest.mark.slow
QUICK = ["--limit", "100", "--model", "cnn:8", "--epochs", "2"]
TWO = ["--policy", "none", "--policy", "trivialaugment", "--seeds", "2"]
MARKED = ["digits-correlation", "--model", "cnn:8", "--epochs", "2"]
VERBS = {
    "compare": ["compare", "digits", *TWO, *QUICK],
    "search": ["search", "digits", "--trials", "16", "--seeds", "2", *QUICK],
    "train": ["train", "digits", "--policy", "uncertainty", *QUICK],
    "explain": ["explain", "digits", "--limit", "100"],
    "audit": ["audit", *MARKED, "--discover"],
    "patch": ["patch", *MARKED, "--translator", "exact", "--objective", "camel", "--seeds", "1"],
}
PAGES = (*VERBS, "report")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for verb, words in VERBS.items():
        main([*words, "--out", str(folder / verb), "--quiet"])
    pages = {verb: folder / verb / "report.html" for verb in VERBS}
    both = folder / "both.html"
    main(["report", *(str(folder / verb) for verb in ("compare", "search", "train")),
          "--out", str(both)])  # fmt: skip
    return {**pages, "report": both}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("verb", PAGES)
def test_the_page_is_whole(
    browser: Browser, runs: dict[str, Path], verb: str, width: int, dark: bool
) -> None:
    check_whole(browser, runs[verb], width=width, dark=dark)


@pytest.mark.parametrize("verb", PAGES)
def test_axe_finds_no_fault(browser: Browser, runs: dict[str, Path], verb: str) -> None:
    check_accessible(browser, runs[verb])


@pytest.mark.parametrize("verb", VERBS)
def test_a_page_is_made_again_to_the_byte(runs: dict[str, Path], verb: str) -> None:
    before = runs[verb].read_bytes()
    main(["report", str(runs[verb].parent)])
    assert runs[verb].read_bytes() == before
