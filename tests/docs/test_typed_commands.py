"""The commands that the README and the documentation show can be typed."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from automorph.augmenters import as_treatment
from automorph.cli import app
from automorph.data import SOURCES
from automorph.searchers import load_method

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in PAGES if not {"_generated", "_build"} & set(page.parts)]
KINDS = {source.stem for source in SOURCES.values()}


def typed(page: Path) -> list[list[str]]:
    """The words of each `automorph` command in the shell blocks of a page."""
    blocks = re.findall(r"^ *```(?:bash|sh)\n(.*?)^ *```$", page.read_text(), re.M | re.S)
    # A line that is indented continues the one before it, inside quotation marks.
    lines = re.split(r"\n(?! )", "\n".join(blocks).replace("\\\n", " "))
    words = [shlex.split(line, comments=True) for line in lines]
    return [found[1:] for found in words if found[:1] == ["automorph"]]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if typed(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_commands_of_a_page_exist(page):
    for verb, *words in typed(page):
        command = app.commands[verb]
        known = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
        used = {word.split("=")[0] for word in words if word.startswith("--")}
        assert used <= known, (verb, words)
        for option, value in pairwise(words):
            if option == "--policy" and ".json" not in value and "{" not in value:
                as_treatment(value)
            if option == "--method":
                load_method(value)
        arguments = [p.name for p in command.params if p.param_type_name == "argument"]
        # Arguments come first, and may be left out.
        for name, value in zip(arguments, words, strict=False):
            if name == "data" and value[0] != "-":
                assert value.partition(":")[0] in KINDS, (verb, value)
