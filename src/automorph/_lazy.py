"""Names that packages import on first use, so that importing a package costs little."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(
    package: str,
    homes: Mapping[str, str],
    otherwise: Callable[[str], Any] | None = None,
) -> Callable[[str], Any]:
    """Make a package's ``__getattr__``: a name is imported from its home when it is first used.

    ``homes`` has the module of each name, in full or within the package. ``otherwise`` is asked for
    all other names; without it they raise `AttributeError`.
    """

    def get(name: str) -> Any:
        if name in homes:
            home = homes[name]
            module = home if home.startswith("automorph.") else f"{package}.{home}"
            return getattr(import_module(module), name)
        if otherwise is not None:
            return otherwise(name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
