"""Test which libraries can be imported, in a subprocess that may crash."""

from __future__ import annotations

import json
import subprocess  # nosec B404
import sys
from collections.abc import Sequence
from importlib.util import find_spec

_MODULES = {"pillow": "PIL", "scikit-learn": "sklearn"}
_MARK = "automorph-imported "
_CHILD = f"""
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        reason = None
    except BaseException as error:
        reason = (f"{{type(error).__name__}}: {{error}}".splitlines() or [""])[0][:200]
    print("\\n{_MARK}" + json.dumps([name, reason]), flush=True)
"""


def not_found(library: str) -> str | None:
    """Return the reason why the module of an installed library cannot be found, or None."""
    module = _MODULES.get(library, library)
    try:
        there = find_spec(module) is not None
    except (ImportError, ValueError):
        there = False
    return None if there else f"no module {module}"


def not_imported(libraries: Sequence[str], *, seconds: float = 120) -> dict[str, str]:
    """Return the libraries that cannot be imported, each with the reason.

    One process imports all of them, since most need torch. If it crashes, another process
    continues after the library that crashed it.
    """
    names = {_MODULES.get(library, library): library for library in libraries}
    rest, reasons = list(names), {}
    while rest:
        tried, end = _tried(rest, seconds)
        reasons.update(tried)
        rest = rest[len(tried) :]
        if rest:
            reasons[rest.pop(0)] = end
    return {names[module]: reason for module, reason in reasons.items() if reason is not None}


def _tried(modules: Sequence[str], seconds: float) -> tuple[dict[str, str | None], str]:
    """Return the reasons that a process printed by module, and how it ended."""
    command = [sys.executable, "-c", _CHILD, *modules]
    try:
        done = subprocess.run(  # nosec B603
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds, check=False
        )
        out, end = done.stdout, f"the process exits with status {done.returncode}"
    except subprocess.TimeoutExpired as stop:
        out, end = stop.stdout or b"", f"not imported within {seconds:g} seconds"
    lines = out.decode("utf-8", "replace").splitlines()
    return dict(json.loads(line[len(_MARK) :]) for line in lines if line.startswith(_MARK)), end
