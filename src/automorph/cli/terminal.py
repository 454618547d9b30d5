"""Words on a terminal: names from data are shown, never obeyed."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.errors import MarkupError
from rich.text import Text

_OURS = re.compile(r"\[(?!/?(?:bold|dim|cyan|green|red|yellow)\])")
# Control characters, and those that turn the direction of what follows them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    r"""The text without characters that a terminal would obey.

    >>> clean("cat\x1b[2Jdog\n")
    'cat\ufffd[2Jdog\n'
    """
    return _CONTROL.sub("\ufffd", text)


class Terminal(Console):
    """A console on which brackets in names are brackets, and names cannot move the cursor."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Text with our own few marks; any other bracket stands for itself."""
        plain = clean(text)
        if options.get("markup") is False:
            return super().render_str(plain, **options)
        try:
            return super().render_str(_OURS.sub(r"\\[", plain), **options)
        except MarkupError:
            return super().render_str(plain, **{**options, "markup": False})
