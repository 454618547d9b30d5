"""Safe terminal output: control characters and markup in data are shown, not interpreted."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console
from rich.errors import MarkupError
from rich.text import Text

_OURS = re.compile(r"\[(?!/?(?:bold|dim|cyan|green|red|yellow)\])")
# Control characters and characters that change the text direction.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    r"""Replace characters that a terminal would interpret.

    >>> clean("cat\x1b[2Jdog\n")
    'cat\ufffd[2Jdog\n'
    """
    return _CONTROL.sub("\ufffd", text)


class Terminal(Console):
    """A console that prints brackets literally and blocks control characters."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Render text with our own markup tags; any other bracket is literal."""
        plain = clean(text)
        if options.get("markup") is False:
            return super().render_str(plain, **options)
        try:
            return super().render_str(_OURS.sub(r"\\[", plain), **options)
        except MarkupError:
            return super().render_str(plain, **{**options, "markup": False})
