"""Pages as files: escaped, self-contained, small, written atomically."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from comparisons import TEN, comparison

from automorph.errors import AutomorphError
from automorph.report import Page, Section, compare_page, figures, render, write_report
from automorph.report.page import (
    Answer,
    Definitions,
    PageTable,
    PolicyBlock,
    Strip,
    TableCell,
    figure,
)

NASTY = "</script><script>alert('x')</script><img src=x onerror=alert(1)>\"' {{ 7*7 }} &amp;"
MOST = 5 * 1024 * 1024


class Reader(HTMLParser):
    """Elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def count(self, name: str) -> int:
        return sum(tag == name for tag, _ in self.tags)


def nasty_page() -> Page:
    row = figures.FigureRow(NASTY, 1.0, 0.5, 1.5, words=NASTY)
    drawn = figure(figures.dots, [row], axis=NASTY, label=NASTY, caption=NASTY, legend=[(NASTY, 1)])
    table = PageTable([NASTY, NASTY], [[TableCell(NASTY, NASTY, NASTY, 1), NASTY]], NASTY)
    parts = [
        drawn,
        table,
        PolicyBlock(NASTY, table, NASTY),
        Definitions({NASTY: {NASTY: NASTY}, "list": [NASTY]}),
        Strip(NASTY, []),
    ]
    return Page(
        title=NASTY,
        lead=NASTY,
        verdict="better",
        badge=NASTY,
        kicker=NASTY,
        answers=[Answer(NASTY, NASTY, NASTY)],
        warnings=[NASTY],
        commands=[NASTY],
        sections=[Section(NASTY, parts, [NASTY])],
        provenance={NASTY: NASTY},
    )


def test_everything_from_data_is_escaped() -> None:
    read = Reader(render(nasty_page()))
    assert read.count("script") == 1
    assert read.count("img") == 0
    handlers = [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert handlers == []
    assert "49" not in read.text
    shown = "".join(read.text).replace("\xa0", " ")
    assert shown.count(NASTY) > 20


def test_class_names_of_a_result_are_escaped() -> None:
    result = comparison()
    result["data"]["classes"] = [NASTY] * 10
    result["data"]["source"] = f"folder:{NASTY}"
    for found in result["previews"].values():
        found["labels"] = [NASTY] * 3
    for row in result["rows"]:
        row["label"] = NASTY
    assert Reader(render(compare_page(result))).count("script") == 1


@pytest.mark.parametrize("result", [comparison(), comparison(TEN)], ids=["five", "ten"])
def test_the_page_stands_alone(result: dict[str, object]) -> None:
    text = render(compare_page(result))
    addresses = set(re.findall(r"https?://[^\s\"'<>]*", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of SVG, never fetched
    read = Reader(text)
    assert read.count("link") == 1  # an empty icon, so that browsers request none
    for _, attributes in read.tags:
        for name in ("src", "href", "xlink:href"):
            value = attributes.get(name) or ""
            assert value == "" or value.startswith(("#", "data:"))


def test_names_inside_the_page_are_unique_and_meet() -> None:
    read = Reader(render(compare_page(comparison(TEN))))
    names = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(names) == len(set(names))
    for _, attributes in read.tags:
        for key in ("aria-labelledby", "data-from"):
            assert attributes.get(key) is None or attributes[key] in names
        if (attributes.get("href") or "").startswith("#"):
            assert (attributes["href"] or "")[1:] in names


def test_the_heaviest_page_is_under_five_megabytes() -> None:
    names = tuple(f"{name} {n}" for n in range(3) for name in TEN)
    noise = np.random.default_rng(0).integers(0, 256, (8, 128, 128, 3), np.uint8)
    result = comparison(names, seeds=3, epochs=300, images=noise, draws=12)
    for found in result["policies"].values():
        found["json"] = '{"operation": "rotate"}' * 50_000
        found["table"]["rows"] = [["rotate", "−30 to 30 deg"]] * 1000
    result["data"]["classes"] = [f"class {n}" for n in range(1000)]
    for row in result["rows"]:
        row["per_class"] = [0.9] * 1000
    assert len(render(compare_page(result)).encode()) < MOST


def test_a_page_may_be_nearly_empty() -> None:
    read = Reader(render(Page(title="Nothing yet", lead="There is nothing to show.")))
    assert "Nothing yet" in read.text
    assert read.count("nav") == 0


def test_a_report_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "report.html"
    page = Page(title="One", lead="First.")
    assert write_report(path, page) == path
    write_report(str(path), replace(page, title="Two"))
    assert "<title>Two" in path.read_text(encoding="utf-8")
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_a_report_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AutomorphError, match="Choose another"):
        write_report(tmp_path / "file" / "report.html", Page(title="One", lead=""))
    (tmp_path / "folder" / "report.html").mkdir(parents=True)
    with pytest.raises(AutomorphError, match="could not be written"):
        write_report(tmp_path / "folder" / "report.html", Page(title="One", lead=""))
    assert [one.name for one in (tmp_path / "folder").iterdir()] == ["report.html"]


def test_file_names_that_are_no_text_do_not_cost_the_report(tmp_path: Path) -> None:
    page = Page(title="caf\udce9.png", lead="\x00 control")
    assert "caf?.png" in write_report(tmp_path / "report.html", page).read_text(encoding="utf-8")
