"""The page on which a person sets ranges: one HTML document that loads nothing."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from automorph.policies import ReviewedSpace, reviewed_to_dict
from automorph.review.sheet import Reviewed, Sheet


def render_review(sheet: Sheet, *, file_name: str, served: bool) -> str:
    """Render the page; all text is escaped.

    ``served``: it saves to the server that it comes from, as ``file_name``; else it offers the file
    as a download.
    """
    script, style = _source("review.js"), _style()
    template = _environment().get_template("review.html")
    # All of these are files of this package, or JSON without a "<".
    return template.render(
        sheet=sheet,
        served=served,
        file_name=file_name,
        policy=content_policy(served=served, script=script, style=style),
        script=Markup(script),  # nosec B704
        style=Markup(style),  # nosec B704
        data=Markup(_embedded(_data(sheet, file_name, served=served))),  # nosec B704
    )


def content_policy(*, served: bool, script: str | None = None, style: str | None = None) -> str:
    """Return the content security policy: own script and style, pictures in the page, no more."""
    script, style = script or _source("review.js"), style or _style()
    parts = [
        "default-src 'none'",
        "img-src data:",
        f"style-src '{_hash(style)}'",
        f"script-src '{_hash(script)}'",
        *(["connect-src 'self'"] if served else []),
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(parts)


def _data(sheet: Sheet, file_name: str, *, served: bool) -> dict[str, Any]:
    """Return what the script needs: the file without marks, and the ranges that marks leave."""
    blank = reviewed_to_dict(ReviewedSpace(sheet.space, data=sheet.data))
    marked = reviewed_to_dict(ReviewedSpace(sheet.space, sheet.marks, sheet.data))
    return {
        "served": served,
        "file_name": file_name,
        "file": blank,
        "marks": marked["review"]["marks"],
        "operations": [_row(row) for row in sheet.rows],
    }


def _row(row: Reviewed) -> dict[str, Any]:
    return {
        "name": row.name,
        "signed": row.operation.signed,
        "lines": [
            {
                "side": line.side,
                "views": [
                    {
                        "from": view.magnitude,
                        "right_to": view.right_to,
                        "kept": view.kept,
                        "words": view.words,
                    }
                    for view in line.views
                ],
            }
            for line in row.lines
        ],
    }


def _embedded(data: Any) -> str:
    """Return JSON that cannot end the script element that it stands in."""
    return json.dumps(data, allow_nan=False).replace("<", "\\u003c")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("automorph", "review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _style() -> str:
    """The style of reports, and what this page adds to it."""
    return files("automorph.report").joinpath("style.css").read_text("utf-8") + _source(
        "review.css"
    )


@cache
def _source(name: str) -> str:
    return files("automorph.review").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
