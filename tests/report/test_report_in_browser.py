"""The report in a real browser: the page shows what was intended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from comparisons import LONG, TEN, comparison, photographs

from automorph.report import compare_page, write_report
from chromium import Browser
from pages import VISIBLE, check_accessible, check_whole

CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "digits": comparison,
    "ten": lambda: comparison(TEN, failed=("cutmix",), images=photographs(4, 32)),
    "one seed": lambda: comparison(("none", "random"), seeds=1, images=photographs(2, 180)),
    "all failed": lambda: comparison(("none", "random"), failed=("none", "random")),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    return {
        name: write_report(folder / f"{name}.html", compare_page(make()))
        for name, make in CASES.items()
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("case", CASES)
def test_the_page_is_whole(
    browser: Browser, reports: dict[str, Path], case: str, width: int, dark: bool
) -> None:
    check_whole(browser, reports[case], width=width, dark=dark)


def test_tables_pictures_and_figures_are_there(browser: Browser, reports: dict[str, Path]) -> None:
    browser.open(reports["digits"])
    table = browser.evaluate("""
        [...document.querySelector("table").rows].map(row => [...row.cells].map(c => c.innerText))
    """)
    assert [row[0].split()[0] for row in table[1:]] == [
        "randaugment(n=1,m=5)", "trivialaugment", "flip-crop", "random", "none",
    ]  # fmt: skip
    assert table[0] == [
        "Policy", "Validation", "Accuracy", "Difference", "p", "Passes", "Wall time",
    ]  # fmt: skip
    assert table[1][2].startswith("96.")
    assert browser.evaluate("document.querySelectorAll('.strip img').length") == 5 * 3
    assert browser.evaluate("document.querySelectorAll('.gallery img').length") == 3
    shown = browser.evaluate(f"({VISIBLE})('figure svg[role=img]').length")
    # The draws of each of the five policies are collapsed, except those of the winner.
    assert shown == browser.evaluate("document.querySelectorAll('figure').length") - 4 == 6
    words = browser.evaluate("document.body.innerText")
    for wanted in ("Which policy won?", "Beyond chance?", "Next steps", "automorph search digits"):
        assert wanted in words


def test_long_names_and_failures_can_be_read(browser: Browser, reports: dict[str, Path]) -> None:
    for width in (400, 1200):
        browser.open(reports["ten"], width=width)
        words = browser.evaluate("document.body.innerText")
        assert LONG in words
        assert "Failed: loss is nan in epoch 3" in words
        end = "document.querySelector('td.warning span').getBoundingClientRect().right"
        assert browser.evaluate(end) <= width


def test_a_telephone_gets_the_narrow_figures(browser: Browser, reports: dict[str, Path]) -> None:
    size = f"({VISIBLE})('figure text')[0].getBoundingClientRect().height"
    for width in (400, 1200):
        browser.open(reports["digits"], width=width)
        assert browser.evaluate(size) >= 10  # px: small print stays readable


def test_light_and_dark_differ_in_paper_and_ink(browser: Browser, reports: dict[str, Path]) -> None:
    colours = """(() => { const style = (one, key) => getComputedStyle(one)[key];
        return [style(document.body, "backgroundColor"), style(document.body, "color"),
                style(document.querySelector("figure text"), "fill"),
                style(document.querySelector("figure .mark"), "fill")]; })()"""
    browser.open(reports["digits"])
    light = browser.evaluate(colours)
    browser.open(reports["digits"], dark=True)
    dark = browser.evaluate(colours)
    assert light[0] == "rgb(255, 255, 255)"
    assert all(one != other for one, other in zip(light, dark, strict=True))
    browser.open(reports["digits"], dark=True, media="print")
    assert browser.evaluate(colours) == light


def test_the_page_works_without_scripts(browser: Browser, reports: dict[str, Path]) -> None:
    browser.open(reports["digits"], scripts=False)
    document = browser.send("DOM.getDocument", depth=-1)["root"]
    found = browser.send(
        "DOM.querySelectorAll", nodeId=document["nodeId"], selector="button.copy:not([hidden])"
    )
    assert found["nodeIds"] == []  # no button that does nothing
    browser.open(reports["digits"])
    assert browser.evaluate("document.querySelectorAll('button.copy:not([hidden])').length") > 5


def test_keys_reach_everything_and_copy_the_policy(
    browser: Browser, reports: dict[str, Path]
) -> None:
    browser.open(reports["digits"])
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.textContent") == "Skip to the results"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    browser.press("Enter")
    assert browser.evaluate("location.hash") == "#main"
    browser.evaluate("document.querySelector('.file .copy').focus()")
    browser.send("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    browser.press("Enter")
    browser.evaluate("new Promise(done => setTimeout(done, 200))")
    assert browser.evaluate("document.getElementById('copy-status').textContent") == "Copied"
    name = "document.querySelector('.file .copy').dataset.from"
    policy = browser.evaluate(f"document.getElementById({name}).textContent")
    assert json.loads(policy)["name"] == "randaugment(n=1,m=5)"
    assert browser.evaluate("navigator.clipboard.readText()") == policy


def test_scripts_from_elsewhere_are_refused(browser: Browser, reports: dict[str, Path]) -> None:
    browser.open(reports["digits"])
    browser.evaluate("""document.body.append(Object.assign(document.createElement("script"),
        {textContent: "window.entered = true"}))""")
    assert browser.evaluate("window.entered === undefined")


def test_folded_parts_unfold_for_the_printer(browser: Browser, reports: dict[str, Path]) -> None:
    browser.open(reports["digits"])
    folded = "document.querySelectorAll('details:not([open])').length"
    before = browser.evaluate(folded)
    assert before > 3
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate(folded) == 0
    browser.evaluate("dispatchEvent(new Event('afterprint'))")
    assert browser.evaluate(folded) == before


@pytest.mark.parametrize("case", CASES)
def test_axe_finds_no_fault(browser: Browser, reports: dict[str, Path], case: str) -> None:
    check_accessible(browser, reports[case])
