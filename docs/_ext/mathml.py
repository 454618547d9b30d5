r"""Write formulas as MathML when Sphinx builds, so that pages need no script and no network.

>>> mathml(r"\unknown{1}")
Traceback (most recent call last):
    ...
ValueError: cannot convert the formula \unknown{1}: Unknown LaTeX command "\unknown".
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml

# Commands of LaTeX that the converter of docutils does not know.
KNOWN_AS = {r"\dots": r"\ldots", r"\big": "", r"\Big": ""}
_COMMAND = re.compile(r"\\[a-zA-Z]+")


def mathml(formula: str, *, block: bool = False) -> str:
    """Return a formula of LaTeX as MathML; a formula that cannot be converted is an error."""
    known = _COMMAND.sub(lambda found: KNOWN_AS.get(found[0], found[0]), formula)
    try:
        return str(tex2mathml(known, as_block=block))
    except MathError as error:
        raise ValueError(f"cannot convert the formula {formula}: {error}") from None


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer that `html_math_renderer` names; Sphinx calls this function."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
