"""``automorph list``: the names that may be typed, kind by kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import click

from automorph.cli.options import console, json_option, print_json
from automorph.registry import Registry

REGISTRIES = {
    "spaces": ("operations:SPACES",),
    "policies": ("policies:POLICIES",),
    "models": ("models:MODELS",),
    "data": ("data:SOURCES",),
    "metrics": ("metrics:METRICS",),
    "methods": ("searchers:METHODS", "augmenters:METHODS"),
    "objectives": ("robustness:METHODS",),
    "translators": ("robustness:TRANSLATORS",),
}
"""The registries of each kind, as ``package:NAME``; listing a kind imports its packages."""
KINDS = ("operations", "ops", *REGISTRIES)
"""What can be listed; ``ops`` is short for ``operations``."""


def registries(kind: str) -> list[Registry[Any]]:
    """The registries of a kind."""
    homes = (home.partition(":") for home in REGISTRIES[kind])
    return [getattr(import_module(f"automorph.{package}"), name) for package, _, name in homes]


@click.command("list", short_help="List the available names.")
@click.argument("kind", type=click.Choice(KINDS))
@json_option
def list_(kind: str, as_json: bool) -> None:
    """List the names of one kind, each with a line about it.

    Kinds: operations (or ops), search spaces, policies, models, data sets, metrics, methods, and
    the objectives and translators of patch.
    """
    columns, rows = _READERS[kind]()
    if as_json:
        print_json({kind: [dict(zip(columns, row, strict=True)) for row in rows]})
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    # A list is what was asked for, so it goes to standard output.
    Console(highlight=False, emoji=False).print(table)
    if kind == "policies":
        console().print(
            "\nJoin stages with +, as in 'flip-crop + randaugment(n=2,m=9) + cutout(16)'. timm "
            "strings (rand-m9-mstd0.5-inc1) and paths of policy.json files are accepted too.",
        )


def _ops() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.operations import CATALOGUE, TEXT_OPERATIONS

    def span(low: float, high: float) -> str:
        return "–" if low == high else f"{low:g} to {high:g}"

    rows = [
        (
            o.name,
            f"{o.domain}s",
            span(o.low, o.high),
            o.unit,
            "–" if o.identity is None else f"{o.identity:g}",
            "both ways" if o.signed else "one way" if o.low < o.high else "–",
            o.about,
        )
        for o in (*CATALOGUE, *TEXT_OPERATIONS.values())
    ]
    return ("operation", "on", "range", "unit", "identity", "direction", "what it does"), rows


def _spaces() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.operations import list_spaces, named_space

    rows = [(name, len(named_space(name)), about) for name, about in list_spaces().items()]
    return ("space", "operations", "what it is"), rows


def _data() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.data import list_sources

    def state(found: bool | None) -> str:
        return "you give the path" if found is None else "found" if found else "not on disk"

    rows = [(s.name, state(s.found), ", ".join(s.where), s.about) for s in list_sources()]
    return ("source", "state", "where", "what it is"), rows


def _metrics() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.metrics import list_metrics

    rows = []
    for name, kinds in list_metrics().items():
        lines = dict.fromkeys(kinds.values())
        alike = len(lines) == 1 or len(kinds) == 1
        about = (
            next(iter(lines)) if alike else " ".join(f"{kind}: {a}" for kind, a in kinds.items())
        )
        rows.append((name, ", ".join(kinds), about))
    return ("metric", "target", "what it is"), rows


def _methods() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    searches, augmenters = registries("methods")
    rows: list[tuple[Any, ...]] = [
        *((name, f"{about} (search --method)") for name, about in searches.about().items()),
        *((name, f"{about} (as a --policy)") for name, about in augmenters.about().items()),
        ("compare", "Given policies, paired seeds, intervals: automorph compare"),
    ]
    return ("method", "what it does"), rows


def _named(kind: str, *columns: str) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Two columns: a name and a line about it."""
    return columns, [row for registry in registries(kind) for row in registry.about().items()]


_READERS: dict[str, Callable[[], tuple[tuple[str, ...], list[tuple[Any, ...]]]]] = {
    "operations": _ops,
    "ops": _ops,
    "spaces": _spaces,
    "policies": partial(_named, "policies", "policy", "what it does"),
    "models": partial(_named, "models", "model", "what it is"),
    "data": _data,
    "metrics": _metrics,
    "methods": _methods,
    "objectives": partial(_named, "objectives", "objective", "what it does"),
    "translators": partial(_named, "translators", "translator", "what it does"),
}
