"""Write the reference pages from the code when Sphinx starts: operations, policies, CLI, API."""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
import tomllib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import strips
import texts

import automorph
from automorph.cli import app as cli
from automorph.cli.config import config_schema
from automorph.cli.listing import registries
from automorph.operations import CATALOGUE, TEXT_OPERATIONS, Operation, list_spaces, named_space
from automorph.policies import NAMED, POLICIES, Policy, Table, load_policy
from automorph.policies.builtin_text import NAMED_TEXTS
from automorph.policies.formatting import value_text
from automorph.registry import Registry

PICTURES = "pictures"
MINUS = "\N{MINUS SIGN}"
UNITS = {
    "ratio": "horizontal shift per row",
    "share": "fraction of a side length or of the full range",
    "deg": "degrees",
    "level": "levels of 0 to 255",
    "bits": "number of bits kept",
    "factor": "factor of a blend",
    "weight": "weight of the other image",
    "area": "fraction of the image area",
    "turn": "full rotations of the hue circle",
    "strength": "radians at the centre",
    "px": "pixels",
    "octaves": "base-2 logarithm of the exponent",
}
# The packages in the order of the contract that `lint-imports` keeps, lowest first.
_LAYERS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]["contracts"][0]["layers"]
PACKAGES = tuple(package.strip() for layer in reversed(_LAYERS) for package in layer.split("|"))


def number(value: float) -> str:
    """Format a number with a true minus sign."""
    return f"{value:.3g}".replace("-", MINUS)


def cell(text: str) -> str:
    """Escape text for a table cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


# --- operations ---------------------------------------------------------------------------------


def range_text(operation: Operation) -> str:
    """Format the low and high ends of the range."""
    if operation.magnitude_free:
        return "–"
    return f"{number(operation.low)} to {number(operation.high)}"


def direction_text(operation: Operation) -> str:
    """Describe the direction of the magnitude; the part before the comma is the short form."""
    if operation.magnitude_free:
        return "–"
    if operation.signed:
        assert operation.identity is not None
        start = number(operation.identity)
        return f"in both directions, away from {start}; a fair coin decides the direction"
    first, last = operation.ends
    return f"{'up' if last > first else 'down'}, from {number(first)} to {number(last)}"


def spaces_text(operation: Operation) -> str:
    """List the named spaces that contain the operation, with its values there."""
    found = []
    for name in list_spaces():
        if name == "catalogue":
            continue
        same = [other for other in named_space(name) if other.kernel == operation.kernel]
        values = ", ".join(filter(None, (value_text(other, 0, 1) for other in same)))
        if same:
            found.append(f"`{name}`" + (f" ({values})" if values else ""))
    return "; ".join(found) or "none of the named spaces"


def torchvision_names() -> set[str]:
    """Return the operations in torchvision's policies; a test compares results with torchvision."""
    ours = {"Cutout", "SamplePairing"}
    return {*named_space("autoaugment").names, *named_space("randaugment").names} - ours


def operation_section(operation: Operation, in_torchvision: bool) -> str:
    """Describe an operation: what it does, examples, and its declaration."""
    unit = f" {operation.unit}" if operation.unit else ""
    facts = [("Magnitude", "none: the operation has no adjustable strength")]
    if not operation.magnitude_free:
        facts = [
            ("Range", range_text(operation) + unit),
            ("Unit", unit_text(operation)),
            ("Identity", "none" if operation.identity is None else number(operation.identity)),
            ("Stronger", direction_text(operation)),
        ]
    facts.append(("Label risk", operation.label_risk or "none known"))
    if operation.whole:
        facts.append(("Values", "rounded to integers"))
    if operation.random:
        facts.append(("Random", "positions or noise are drawn separately for each example"))
    if operation.partner:
        facts.append(("Partner", "uses another example, so results depend on the batch"))
    if in_torchvision:
        facts.append(("torchvision", "pixel-identical on PIL images, nearest and bilinear"))
    facts.append(("Spaces", spaces_text(operation)))
    lines = [
        f"## {operation.name}",
        "",
        operation.about,
        "",
        written(operation) if operation.domain == "text" else pictured(operation, unit),
        "",
        *(f"- **{what}**: {text}" for what, text in facts),
        "",
    ]
    return "\n".join(lines)


def pictured(operation: Operation, unit: str) -> str:
    """Show five magnitudes as pictures."""
    values = strips.shown_values(operation)
    shown = " · ".join(map(number, values)) + unit if values else "before · after"
    address = f"{PICTURES}/{operation.name.lower()}.png"
    return f"![{operation.name}: {shown}]({address}){{.strip}}\n\n*{shown}*"


def written(operation: Operation) -> str:
    """Show a sentence before and after, with the changes marked."""
    return table((unit_text(operation), "text"), texts.of_operation(operation))


def unit_text(operation: Operation) -> str:
    """Describe the unit."""
    if operation.domain == "text":
        return "fraction of the words"
    return UNITS.get(operation.unit, "none")


def overview(operations: Iterable[Operation]) -> str:
    """Return a table with one line per operation."""
    rows = [
        (
            f"[{o.name}](#{o.name.lower()})",
            range_text(o),
            o.unit or "–",
            "–" if o.identity is None else number(o.identity),
            direction_text(o).split(",")[0],
            o.label_risk or "–",
        )
        for o in operations
    ]
    return table(("operation", "range", "unit", "identity", "stronger", "label risk"), rows)


def operations_page() -> str:
    """Return the page of all operations."""
    known = torchvision_names()
    sections = "\n".join(operation_section(o, o.name in known) for o in CATALOGUE)
    on_texts = tuple(TEXT_OPERATIONS.values())
    last = "\n".join(operation_section(o, in_torchvision=False) for o in on_texts)
    return f"""# Operations

This page lists every image operation in the catalogue with its widest useful range.
The named [search spaces](#search-spaces) narrow the ranges.
A *magnitude* is a number from 0 to 1, where larger always means stronger; the range maps it to a
value.
The pictures show values across the whole range, on photographs and handwritten digits that ship
with scikit-learn.
The *label risk* states when an operation can change the class of an example.
No operation is harmless for every data set, so [preview them on your own](../../how-to/look.md).

{overview(CATALOGUE)}
The [operations on texts](#operations-on-texts) follow those on images.

{sections}
## Operations on texts

The value of an operation on texts is the fraction of the words that it changes.
Punctuation and protected words (see [texts](../../guides/texts.md)) never change.
Inserted words are underlined, and removed words are struck through.

{overview(on_texts)}
{last}
## Search spaces

{
        table(
            ("space", "description", "operations"),
            [
                (f"`{name}`", about, str(len(named_space(name))))
                for name, about in list_spaces().items()
            ],
        )
    }"""


# --- policies -----------------------------------------------------------------------------------


def policy_section(name: str) -> str:
    """Describe a policy: options, a sheet of draws, and the policy as a table."""
    entry = POLICIES[name]
    policy = load_policy(name)
    rows = [(f"`{one.name}`", f"`{one.default}`", one.type) for one in entry.options]
    said = policy.table()
    options = table(("option", "default", "type"), rows) if rows else "No options.\n"
    shown = (
        table(("", "text"), texts.of_policy(policy))
        if name in NAMED_TEXTS
        else f"![Two photographs and six draws of {name} of each]"
        f"({PICTURES}/policy-{name}.png){{.strip}}"
    )
    return "\n".join(
        [
            f"## {name}",
            "",
            entry.about,
            "",
            shown,
            "",
            f"Full name of the default: `{policy.name}`.",
            "",
            options,
            folded(said) if said.rows else "",
            "",
        ]
    )


def folded(said: Table) -> str:
    """Return a table of a policy that opens on a click."""
    body = table(said.columns, list(said.rows))
    return f"<details><summary>What it does</summary>\n\n{said.caption}\n\n{body}\n</details>\n"


def policies_page() -> str:
    """Return the page of all named policies."""
    lines = table(
        ("policy", "what it does"),
        [(f"[{name}](#{name})", POLICIES[name].about) for name in NAMED],
    )
    sections = "\n".join(policy_section(name) for name in NAMED)
    return f"""# Policies

This page lists all named policies.
[Policy names](../../policy-names.md) describes how names are written and combined, and which timm
strings are supported.
All policies also take `fill=` (one level, or one per channel) and `interpolation=` (`nearest` or
`bilinear`), except mixup and CutMix, which apply no operation to the images themselves.
`masked-lm`, `back-translation`, `paraphrases` and `llm` need a model or a file that you provide, so
they have no section here; see [texts](../../guides/texts.md).
Each sheet shows two photographs on the left and six draws of each.
Policies for texts show two sentences and two draws of each, with the changes marked.

{lines}
{sections}"""


# --- other names -------------------------------------------------------------------------------


def names_page() -> str:
    """Return the page of all names except policies and operations, which have separate pages."""
    sections = "\n".join(
        f"## {registry.kind.capitalize()}s\n\n{names_table(registry)}"
        for kind in ("models", "data", "metrics", "methods", "objectives", "translators")
        for registry in registries(kind)
    )
    return f"""# Names

The names of models, data sources, metrics, methods, objectives and translators, with their options.
`automorph list KIND` shows them in a terminal; [policies](policies.md) and
[operations](operations.md) have separate pages.
Options are given in brackets, as in `camel(weight=1)`; the table shows their defaults.

{sections}"""


def names_table(registry: Registry[Any]) -> str:
    """Return the names of a registry with descriptions, and with options if it has any."""
    if not registry.example.endswith(")"):
        rows = [(f"`{name}`", about) for name, about in registry.about().items()]
        return table((registry.kind, "description"), rows)
    options = {name: ", ".join(f"`{o}`" for o in one.options) for name, one in registry.items()}
    rows = [(f"`{name}`", options[name], about) for name, about in registry.about().items()]
    return table((registry.kind, "options", "what it does"), rows)


# --- other libraries ----------------------------------------------------------------------------


def peers_page() -> str:
    """Return the page on the fidelity of exports, by operation and library."""
    from automorph.interop import FIDELITY
    from automorph.interop.fidelity import VERSIONS

    libraries = list(FIDELITY)
    marks = {"equal": "**equal**", "close": "close", "alike": "alike", "none": "–"}
    rows = []
    notes: dict[str, list[str]] = {library: [] for library in libraries}
    for operation in CATALOGUE:
        cells = [f"[{operation.name}](operations.md#{operation.name.lower()})"]
        for library in libraries:
            entry = FIDELITY[library][operation.name]
            tolerance = f" ({entry.tolerance:g})" if entry.level == "close" else ""
            cells.append(marks[entry.level] + tolerance)
            if entry.note:
                notes[library].append(f"- **{operation.name}**: {entry.words}")
        rows.append(tuple(cells))
    counts = tuple(
        str(sum(entry.level != "none" for entry in FIDELITY[library].values()))
        for library in libraries
    )
    rows.append(("expressible, of " + str(len(CATALOGUE)), *counts))
    tested = ", ".join(f"{name} {version}" for name, version in VERSIONS.items())
    said = "\n\n".join(f"## {library}\n\n" + "\n".join(notes[library]) for library in libraries)
    return f"""# Operations in other libraries

This page states how faithful an [export](../../how-to/export.md) is, operation by operation.
The table is generated from the declarations that the exporters use, and tests compare every entry
with the library itself, on photographs.
The entries hold for {tested}; other versions may differ.

- **equal**: identical pixel for pixel (for torchvision and timm, on PIL images). If an operation
  draws a position, the library draws its own; Automorph can produce each of its results, too.
- **close**: the mean difference is at most the given number of levels, on a scale from 0 to 255.
- **alike**: the same kind of change in the same direction, by a different rule, described below.
- **–**: not expressible.

{table(("operation", *libraries), rows)}
{said}

# Transforms that can be imported

[`import_policy`](../../how-to/export.md#import-an-existing-pipeline) reads these
transforms and containers of them.
The tables are generated from the readers' own declarations.
A parameter that is not listed may have any value that an operation can express; otherwise, an error
lists the supported values.

{readings()}"""


def readings() -> str:
    """List the transforms read from each library, those left out, and similar policies."""
    from automorph.interop import albumentations_reader, kornia_reader, torchvision_reader
    from automorph.interop.nearest import NEAR

    sections = []
    for name, reader in (
        ("torchvision (v2 and v1)", torchvision_reader),
        ("albumentations", albumentations_reader),
        ("kornia", kornia_reader),
    ):
        rows = [
            (f"`{kind}`", ", ".join(f"`{key}={_plain(value)}`" for key, value in usual.items()))
            for kind in sorted(set(reader.READERS) - {"Drawn"})
            for usual in [reader.USUAL.get(kind, {})]
        ]
        near = [
            (f"`{k}`", entry.why, f"`{entry.policy}`") for k, entry in NEAR[reader.NAME].items()
        ]
        left_out = ", ".join(f"`{kind}`" for kind in reader.SKIPPED if kind != "Identity")
        sections.append(
            f"## Read from {name}\n\n{table(('transform', 'required values'), rows)}\n"
            f"Left out, with a warning: {left_out}.\n\n"
            f"Rejected, with the most similar policy:\n\n"
            f"{table(('transform', 'reason', 'similar policy'), near)}"
        )
    return "\n".join(sections)


def _plain(value: object) -> str:
    """Format a value as in source code, with short floats."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_plain, value))})"
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


# --- command line -------------------------------------------------------------------------------


def cli_page(app: click.Group | None = None) -> str:
    """Return the page of all commands, from click."""
    if app is None:
        from automorph.cli import app as found

        app = found
    context = click.Context(app, info_name="automorph")
    sections = [verb_section(app.commands[name], context) for name in app.list_commands(context)]
    return f"""# Command line

{paragraphs(app.help or "")}

Every command exits with status 0 on success, 2 for bad usage or data, and 1 for any other error.
With `--json`, a command prints [one object](../../json-results.md) to standard output;
human-readable messages go to standard error.
To resume an interrupted run, give the same command again.

{chr(10).join(sections)}"""


def verb_section(command: click.Command, parent: click.Context) -> str:
    """Describe a command: what it does, usage, arguments and options."""
    context = click.Context(command, info_name=command.name, parent=parent)
    usage = " ".join(["automorph", command.name or "", *command.collect_usage_pieces(context)])
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            rows.append((f"`{record[0]}`", meaning(record[1], parameter)))
    return "\n".join(
        [
            f"## {command.name}",
            "",
            f"```text\n{usage}\n```",
            "",
            paragraphs(command.help or ""),
            "",
            table(("option", "meaning"), rows),
        ]
    )


def meaning(text: str, parameter: click.Parameter) -> str:
    """Return an option's help, with click's notes in words: "[default: 5]" -> "(default 5)"."""
    said, _, notes = text.rpartition("[") if text.endswith("]") else (text, "", "")
    if isinstance(parameter, click.Argument):
        return "The data; see above." if parameter.name == "data" else "One of these values."
    words = []
    notes = re.sub(r"default: \((.*)\)", r"default: \1", notes.rstrip("]"))
    for note in filter(None, notes.split("; ")):
        if span := re.fullmatch(r"(-?[\d.]+)<=?x<=?(-?[\d.]+)", note):
            words.append(f"{span[1]} to {span[2]}")
        elif least := re.fullmatch(r"x>(=?)(-?[\d.]+)", note):
            words.append(f"{least[2]} or more" if least[1] else f"above {least[2]}")
        else:
            words.append(note.replace("default: ", "default "))
    return f"{said.strip()} ({'; '.join(words)})".strip() if words else said


def paragraphs(help_text: str) -> str:
    """Convert click's help to Markdown: paragraphs after a backspace mark are code."""
    parts = inspect.cleandoc(help_text).split("\n\n")
    return "\n\n".join(
        f"```bash\n{inspect.cleandoc(part.lstrip().removeprefix(chr(8)))}\n```"
        if part.lstrip(" \n").startswith("\b")
        else part
        for part in parts
    )


# --- API ----------------------------------------------------------------------------------------


def public_modules() -> list[str]:
    """Return all modules and packages of Automorph, lowest first.

    One that the import contract of pyproject.toml leaves out is an error.
    """
    found = {one.name for one in pkgutil.iter_modules(automorph.__path__) if one.name[0] != "_"}
    if unlisted := found - set(PACKAGES):
        raise ValueError(f"modules missing from the import contract of pyproject.toml: {unlisted}")
    return [name for name in PACKAGES if name in found]


def api_page() -> str:
    """Return the page of all public names."""
    top = [
        (f"`automorph.{name}`", f"{{py:obj}}`{home}.{name}`")
        for name, home in sorted(automorph._HOMES.items())
    ]
    sections = [module_section(f"automorph.{name}") for name in public_modules()]
    return f"""# Python API

`import automorph` loads little; each of these names imports its sub-package on first use:

{table(("name", "defined in"), top)}
All sub-packages and modules follow, from the lowest to the highest.
Each imports only from those above it on this page.
Names in sub-packages may move, with a warning for one minor release.

{chr(10).join(sections)}"""


def module_section(module: str) -> str:
    """Describe a module or package: its docstring and its public names."""
    public = getattr(import_module(module), "__all__", None)
    if module == "automorph.cli":
        return f"## {module}\n\nThe command line has [a page of its own](cli.md).\n"
    if public is None:
        return f"## {module}\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n"
    members = [name for name in public if is_documented(module, name)]
    others = ", ".join(f"`{name}`" for name in sorted(set(public) - set(members)))
    return f"""## {module}

```{{eval-rst}}
.. automodule:: {module}
   :members: {", ".join(members)}
```

{f"Constants and types: {others}." if others else ""}
"""


def is_documented(module: str, name: str) -> bool:
    """Return whether a public name is a class or function, which autodoc describes."""
    thing = getattr(import_module(module), name)
    return inspect.isclass(thing) or inspect.isfunction(thing)


# --- Sphinx -------------------------------------------------------------------------------------


def write_reference(docs: Path) -> None:
    """Write all pages and pictures below the folder of the documentation."""
    pages = {
        "operations": operations_page(),
        "policies": policies_page(),
        "names": names_page(),
        "objectives": names_table(*registries("objectives")),
        "peers": peers_page(),
        "cli": cli_page(),
        "api": api_page(),
    }
    target = docs / "reference" / "_generated"
    pictures = target / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        path = target / f"{name}.md"
        # Sphinx rereads only newer files, so leave unchanged pages alone.
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for operation in CATALOGUE:
        sheet = strips.operation_strip(operation)[None]
        strips.write_sheet(sheet, pictures / f"{operation.name.lower()}.png")
    for name in NAMED:
        if name in NAMED_TEXTS:
            continue
        policy: Policy = load_policy(name)
        strips.write_sheet(strips.policy_sheet(policy), pictures / f"policy-{name}.png")


def write_schema(outdir: Path) -> None:
    """Write the JSON Schema of configuration files beside the pages."""
    outdir.mkdir(parents=True, exist_ok=True)
    content = json.dumps(config_schema(cli.commands), indent=1) + "\n"
    (outdir / "config.schema.json").write_text(content, encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    """Connect the generator to Sphinx, which calls this function."""
    app.connect("builder-inited", lambda app: write_reference(Path(app.srcdir)))
    app.connect("builder-inited", lambda app: write_schema(Path(app.outdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
