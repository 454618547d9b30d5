"""``automorph list``: what there is."""

from __future__ import annotations

from typing import Any

import click

from automorph.cli.options import console, json_option, print_json

KINDS = ("ops", "spaces", "policies", "models", "data", "methods")


@click.command("list", short_help="Show what there is.")
@click.argument("kind", type=click.Choice(KINDS))
@json_option
def list_(kind: str, as_json: bool) -> None:
    """Show the operations, spaces, policies, models, data sets or methods there are."""
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
    Console(highlight=False).print(table)
    if kind == "policies":
        console().print(
            "\nJoin stages by +, as in 'flip-crop + randaugment(n=2,m=9) + cutout(16)'. timm "
            "strings (rand-m9-mstd0.5-inc1) and paths of policy.json files are names too.",
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


def _policies() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.policies import list_policies

    return ("policy", "what it does"), list(list_policies().items())


def _models() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.models import list_models

    return ("model", "what it is"), list(list_models().items())


def _data() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.data import list_sources

    def state(found: bool | None) -> str:
        return "you give the path" if found is None else "found" if found else "not on disk"

    rows = [(s.name, state(s.found), ", ".join(s.where), s.about) for s in list_sources()]
    return ("source", "state", "where", "what it is"), rows


def _methods() -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    from automorph.augmenters import list_methods
    from automorph.searchers import list_searches

    rows: list[tuple[Any, ...]] = [
        *((name, f"{about} (search --method)") for name, about in list_searches().items()),
        *((name, f"{about} (as a --policy)") for name, about in list_methods().items()),
        ("compare", "Given policies, paired seeds, intervals: automorph compare"),
    ]
    return ("method", "what it does"), rows


_READERS = {
    "ops": _ops,
    "spaces": _spaces,
    "policies": _policies,
    "models": _models,
    "data": _data,
    "methods": _methods,
}
