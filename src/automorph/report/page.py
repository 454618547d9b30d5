"""A page and its parts as plain values, and their rendering to one self-contained HTML file.

Every report is a `Page`: an answer first, then sections of figures, tables and pictures, then
provenance. The page loads nothing from elsewhere: its content security policy forbids it, and
forbids every script but its own.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from automorph.errors import AutomorphError
from automorph.files import atomic_write
from automorph.report import formatting, svg

Verdict = Literal["better", "worse", "unclear"]


class Code(str):
    """Text shown in monospace, such as commands and hashes."""

    __slots__ = ()


@dataclass(frozen=True)
class Answer:
    """A question of the summary, its short answer, and a sentence."""

    question: str
    short: str
    sentence: str


@dataclass(frozen=True)
class TableCell:
    """One cell of a table: text, a smaller second line, a tag, the colour of a policy."""

    text: str
    note: str = ""
    tag: str = ""
    colour: int | None = None
    warning: bool = False


@dataclass(frozen=True)
class PageTable:
    """Rows of cells; the first cell is the row header; ``numbers`` are right-aligned columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[TableCell | str]]
    caption: str
    numbers: Sequence[int] = ()
    chosen: int | None = None
    folded: bool = False
    kind: ClassVar[str] = "table"

    def cells(self, row: Sequence[TableCell | str]) -> list[TableCell]:
        """Return the cells of a row, each as a `TableCell`."""
        return [cell if isinstance(cell, TableCell) else TableCell(cell) for cell in row]


@dataclass(frozen=True)
class Figure:
    """A figure in two widths; ``legend`` names the colours below the narrow one."""

    wide: Markup
    narrow: Markup
    caption: str
    legend: Sequence[tuple[str, int]] = ()
    kind: ClassVar[str] = "figure"


@dataclass(frozen=True)
class Picture:
    """An image inside the page: a data URL, its size on the page, its label and alt text."""

    address: str
    width: int
    height: int
    label: str = ""
    alt: str = ""
    crisp: bool = True


@dataclass(frozen=True)
class Strip:
    """Pictures stacked under one name: the effect of a policy on some examples."""

    name: str
    pictures: Sequence[Picture]
    colour: int = 0
    kind: ClassVar[str] = "strip"


@dataclass(frozen=True)
class Gallery:
    """Pictures side by side under one name, each with its label below."""

    name: str
    pictures: Sequence[Picture]
    kind: ClassVar[str] = "gallery"


@dataclass(frozen=True)
class Passages:
    """Texts under one name, each with a label, with changes marked (see `changes`).

    ``originals`` are the positions of texts that stand above their augmented versions.
    """

    name: str
    texts: Sequence[tuple[str, str]]
    colour: int = 0
    originals: Sequence[int] = ()
    kind: ClassVar[str] = "passages"


@dataclass(frozen=True)
class PolicyBlock:
    """A policy as a table, as a figure of its usage, and as a file to copy."""

    name: str
    table: PageTable | None
    json: str
    colour: int = 0
    opened: bool = False
    drawn: Figure | None = None
    kind: ClassVar[str] = "policy"


@dataclass(frozen=True)
class Definitions:
    """Names and their values: settings, versions, sizes."""

    items: Mapping[str, object]
    kind: ClassVar[str] = "definitions"


Part = PageTable | Figure | Strip | Gallery | Passages | PolicyBlock | Definitions


@dataclass(frozen=True)
class Section:
    """A heading, a few sentences, and the parts below them."""

    title: str
    parts: Sequence[Part]
    text: Sequence[str] = ()

    @property
    def anchor(self) -> str:
        """The section's URL fragment."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-") or "section"


@dataclass(frozen=True)
class Page:
    """A whole report: the answer, the evidence, the provenance."""

    title: str
    lead: str
    verdict: Verdict | None = None
    badge: str = ""
    kicker: str = ""
    answers: Sequence[Answer] = ()
    warnings: Sequence[str] = ()
    commands: Sequence[str] = ()
    sections: Sequence[Section] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)


def figure(
    draw: Callable[..., Markup],
    series: Sequence[object],
    *,
    axis: str,
    label: str,
    caption: str,
    legend: Sequence[tuple[str, int]] = (),
) -> Figure:
    """Draw a figure in both widths.

    ``draw`` is one of `figures.dots`, `figures.differences`, `figures.bars`, `curves.curves`;
    ``label`` describes the figure for screen readers.
    """
    wide, narrow = (
        draw(series, width=width, axis=axis, label=label) for width in (svg.WIDE, svg.NARROW)
    )
    return Figure(wide, narrow, caption, legend)


def render(page: Page) -> str:
    """Render a page as one HTML document; all text is escaped."""
    script, style = _source("script.js"), _source("style.css")
    template = _environment().get_template("page.html")
    # Both are files of this package.
    return template.render(
        page=page,
        script=Markup(script),  # nosec B704
        style=Markup(style),  # nosec B704
        script_hash=_hash(script),
        style_hash=_hash(style),
    )


def write_report(path: str | os.PathLike[str], page: Page) -> Path:
    """Write a page as an HTML file, replacing an older one atomically.

    Raises:
        AutomorphError: the file cannot be written there.
    """
    target = Path(path)
    # File names may contain bytes that are not valid text; the report is still written.
    text = render(page).encode("utf-8", errors="replace")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(target) as draft:
            draft.write_bytes(text)
    except OSError as error:
        raise AutomorphError(
            f"the report could not be written to {target}: {error.strerror or error}; "
            "expected a writable folder. Choose another folder, or free disk space"
        ) from error
    return target


@cache
def _environment() -> Environment:
    # The template is part of the package; an undefined name in it is a bug.
    environment = Environment(
        loader=PackageLoader("automorph", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = formatting.plain
    environment.filters["glued"] = formatting.glued
    environment.filters["opening"] = formatting.opening
    environment.tests["code"] = lambda value: isinstance(value, Code)
    environment.globals["mark"] = svg.swatch
    return environment


@cache
def _source(name: str) -> str:
    return files("automorph.report").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
