"""The available engines: always the reference, and the compiled one if it was built."""

from __future__ import annotations

from automorph import native
from automorph.engine import apply_native, apply_reference

ENGINES = [apply_reference, *([apply_native] if native.available() else [])]
