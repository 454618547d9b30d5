"""Writes the reference pages from the code when Sphinx starts: operations, policies, CLI, API."""

from __future__ import annotations

import inspect
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
from automorph.operations import CATALOGUE, TEXT_OPERATIONS, Operation, list_spaces, named_space
from automorph.policies import NAMED, Policy, Table, load_policy
from automorph.policies.builtin_text import NAMED_TEXTS
from automorph.policies.formatting import value_text

PICTURES = "pictures"
MINUS = "\N{MINUS SIGN}"
UNITS = {
    "ratio": "sideways move per row",
    "share": "share of a side or of the full range",
    "deg": "degrees",
    "level": "levels of 0 to 255",
    "bits": "bits kept",
    "factor": "factor of a blend",
    "weight": "share of the other image",
    "area": "share of the area",
    "turn": "turns of the hue circle",
    "strength": "radians at the centre",
    "px": "pixels",
}
# The rooms in the order of the contract that `lint-imports` keeps, lowest first.
_LAYERS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["tool"][
    "importlinter"
]["contracts"][0]["layers"]
ROOMS = tuple(room.strip() for layer in reversed(_LAYERS) for room in layer.split("|"))


def number(value: float) -> str:
    """A number with a true minus sign."""
    return f"{value:.3g}".replace("-", MINUS)


def cell(text: str) -> str:
    """Text that is safe in a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(map(cell, line))} |" for line in lines) + "\n"


# --- operations ---------------------------------------------------------------------------------


def range_text(operation: Operation) -> str:
    """Low and high end of the values."""
    if operation.magnitude_free:
        return "–"
    return f"{number(operation.low)} to {number(operation.high)}"


def direction_text(operation: Operation) -> str:
    """Which way the magnitude goes; the words before the comma say it in short."""
    if operation.magnitude_free:
        return "–"
    if operation.signed:
        assert operation.identity is not None
        return f"both ways, away from {number(operation.identity)}; a fair coin chooses the side"
    first, last = operation.ends
    return f"{'up' if last > first else 'down'}, from {number(first)} to {number(last)}"


def spaces_text(operation: Operation) -> str:
    """The named spaces that have the operation, with its values there."""
    found = []
    for name in list_spaces():
        if name == "catalogue":
            continue
        same = [other for other in named_space(name) if other.kernel == operation.kernel]
        values = ", ".join(filter(None, (value_text(other, 0, 1) for other in same)))
        if same:
            found.append(f"`{name}`" + (f" ({values})" if values else ""))
    return "; ".join(found) or "none of the named ones"


def torchvision_names() -> set[str]:
    """The operations that torchvision's policies have; a test holds results to its own."""
    ours = {"Cutout", "SamplePairing"}
    return {*named_space("autoaugment").names, *named_space("randaugment").names} - ours


def operation_section(operation: Operation, in_torchvision: bool) -> str:
    """One section: what it does, examples of it, and what is declared."""
    unit = f" {operation.unit}" if operation.unit else ""
    facts = [("Magnitude", "none: it does one thing")]
    if not operation.magnitude_free:
        facts = [
            ("Range", range_text(operation) + unit),
            ("Unit", unit_text(operation)),
            ("Identity", "none" if operation.identity is None else number(operation.identity)),
            ("Stronger", direction_text(operation)),
        ]
    facts.append(("Label risk", operation.label_risk or "none known"))
    if operation.whole:
        facts.append(("Values", "rounded to whole numbers"))
    if operation.random:
        facts.append(("Random", "places or noise are drawn anew for each example"))
    if operation.partner:
        facts.append(("Partner", "looks at another example, so results depend on the batch"))
    if in_torchvision:
        facts.append(("torchvision", "equal to the pixel on PIL images, nearest and bilinear"))
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
    """Five magnitudes in pictures."""
    values = strips.shown_values(operation)
    shown = " · ".join(map(number, values)) + unit if values else "before · after"
    address = f"{PICTURES}/{operation.name.lower()}.png"
    return f"![{operation.name}: {shown}]({address}){{.strip}}\n\n*{shown}*"


def written(operation: Operation) -> str:
    """A sentence before and after, with the changes marked."""
    return table((unit_text(operation), "text"), texts.of_operation(operation))


def unit_text(operation: Operation) -> str:
    """The unit in words."""
    if operation.domain == "text":
        return "share of the words"
    return UNITS.get(operation.unit, "none")


def overview(operations: Iterable[Operation]) -> str:
    """One line an operation."""
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
    """The page of all operations."""
    known = torchvision_names()
    sections = "\n".join(operation_section(o, o.name in known) for o in CATALOGUE)
    on_texts = tuple(TEXT_OPERATIONS.values())
    last = "\n".join(operation_section(o, in_torchvision=False) for o in on_texts)
    return f"""# Operations

Every image operation of the catalogue, with the widest range that anyone uses with profit.
The named [search spaces](#search-spaces) narrow the ranges.
A *magnitude* goes from 0 to 1 and is always "stronger as it grows"; the range makes it a value.
The pictures show values over the whole range, on photographs and handwriting that scikit-learn
embeds.
A *label risk* says when an operation can change what an example is; no operation is harmless for
every data set, so [look at yours](../../how-to/look.md).

{overview(CATALOGUE)}
The [operations on texts](#operations-on-texts) come after those on images.

{sections}
## Operations on texts

Every operation on texts; the value is the share of a text's words that is touched.
What is protected (see [texts](../../guides/texts.md)) and punctuation stay as they are.
Words that came in are underlined, words that went are struck through.

{overview(on_texts)}
{last}
## Search spaces

{
        table(
            ("space", "what it is", "operations"),
            [
                (f"`{name}`", about, str(len(named_space(name))))
                for name, about in list_spaces().items()
            ],
        )
    }"""


# --- policies -----------------------------------------------------------------------------------


def policy_section(name: str) -> str:
    """One section: options, a sheet of draws, and the policy as a table."""
    build = NAMED[name]
    policy = load_policy(name)
    rows = [
        (f"`{parameter.name}`", f"`{parameter.default}`", parameter.annotation)
        for parameter in inspect.signature(build).parameters.values()
    ]
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
            (inspect.getdoc(build) or "").split("\n")[0],
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
    """A table of a policy that opens on a click."""
    body = table(said.columns, list(said.rows))
    return f"<details><summary>What it does</summary>\n\n{said.caption}\n\n{body}\n</details>\n"


def policies_page() -> str:
    """The page of all named policies."""
    lines = table(
        ("policy", "what it does"),
        [(f"[{name}](#{name})", (b.__doc__ or "").split("\n")[0]) for name, b in NAMED.items()],
    )
    sections = "\n".join(policy_section(name) for name in NAMED)
    return f"""# Policies

The policies that have a name.
How names are written, joined and read, and which timm strings are understood, says
[policy names](../../policy-names.md).
All of them also take `fill=` (one level, or one a channel) and `interpolation=` (`nearest` or
`bilinear`), except mixup and CutMix, which draw nothing.
`masked-lm`, `back-translation` and `paraphrases` need a model or a file of yours, so they have no
section here; see [texts](../../guides/texts.md).
Each sheet shows two photographs on the left and six draws of each; policies for texts show two
sentences and two draws of each, changes marked.

{lines}
{sections}"""


# --- other libraries ----------------------------------------------------------------------------


def peers_page() -> str:
    """The page of all operations in all libraries: how faithful an export is."""
    from automorph.interop import FIDELITY

    libraries = list(FIDELITY)
    marks = {"equal": "**equal**", "close": "close", "alike": "alike", "none": "–"}
    rows = []
    notes: dict[str, list[str]] = {library: [] for library in libraries}
    for operation in CATALOGUE:
        cells = [f"[{operation.name}](operations.md#{operation.name.lower()})"]
        for library in libraries:
            entry = FIDELITY[library][operation.name]
            within = f" ({entry.within:g})" if entry.level == "close" else ""
            cells.append(marks[entry.level] + within)
            if entry.note:
                notes[library].append(f"- **{operation.name}**: {entry.words}")
        rows.append(tuple(cells))
    counts = tuple(
        str(sum(entry.level != "none" for entry in FIDELITY[library].values()))
        for library in libraries
    )
    rows.append(("expressible, of " + str(len(CATALOGUE)), *counts))
    said = "\n\n".join(f"## {library}\n\n" + "\n".join(notes[library]) for library in libraries)
    return f"""# Operations in other libraries

How faithful an [export](../../how-to/export.md) is, operation by operation.
The table is made of the declaration that exports are written from, and tests hold every line to the
library itself, on photographs.

- **equal**: equal to the pixel (for torchvision and timm on PIL images). Where an operation draws a
  place, the library draws its own; each of its results is one that Automorph can give.
- **close**: the mean difference is at most so many levels of 0 to 255.
- **alike**: the same kind of change in the same direction, by another rule, which is said below.
- **–**: not expressible.

{table(("operation", *libraries), rows)}
{said}

# What is read from other libraries

[Imports](../../how-to/export.md#bring-a-pipeline-along) read these transforms, and containers
of them.
The tables are made of what the readers themselves go by.
A parameter that is not named is read; where an operation has no such value, the error names those
that can be read.

{readings()}"""


def readings() -> str:
    """What is read from each library, what is left out, and what is refused though it is near."""
    from automorph.interop import albumentations_reader, kornia_reader, torchvision_reader

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
        near = [(f"`{k}`", entry.why, f"`{entry.policy}`") for k, entry in reader.NEAR.items()]
        left_out = ", ".join(f"`{kind}`" for kind in reader.SKIPPED if kind != "Identity")
        sections.append(
            f"## Read from {name}\n\n{table(('transform', 'only with'), rows)}\n"
            f"Left out, with a note: {left_out}.\n\n"
            f"Refused, with the policy that comes near:\n\n"
            f"{table(('transform', 'why', 'near'), near)}"
        )
    return "\n".join(sections)


def _plain(value: object) -> str:
    """A value as people write it: shares with few digits."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_plain, value))})"
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


# --- command line -------------------------------------------------------------------------------


def cli_page(app: click.Group | None = None) -> str:
    """The page of all verbs, from the click commands."""
    if app is None:
        from automorph.cli import app as found

        app = found
    context = click.Context(app, info_name="automorph")
    sections = [verb_section(app.commands[name], context) for name in app.list_commands(context)]
    return f"""# Command line

{paragraphs(app.help or "")}

Every verb exits with 0 on success, with 2 for bad usage or data and with 1 for anything else.
With `--json` it prints [one object](../../json-results.md) to standard output; everything for
people goes to standard error.
A run that was stopped goes on when the same command is given again.

{chr(10).join(sections)}"""


def verb_section(command: click.Command, parent: click.Context) -> str:
    """One verb: what it does, usage, arguments and options."""
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
    """An option's help, with click's notes in words: "[default: 5; x>=1]" -> "(default 5)"."""
    said, _, notes = text.rpartition("[") if text.endswith("]") else (text, "", "")
    if isinstance(parameter, click.Argument):
        return "The data: see above." if parameter.name == "data" else "One of these."
    words = []
    for note in filter(None, notes.rstrip("]").split("; ")):
        if span := re.fullmatch(r"(-?[\d.]+)<=?x<=?(-?[\d.]+)", note):
            words.append(f"{span[1]} to {span[2]}")
        elif least := re.fullmatch(r"x>(=?)(-?[\d.]+)", note):
            words.append(f"{least[2]} or more" if least[1] else f"above {least[2]}")
        else:
            words.append(note.replace("default: ", "default "))
    return f"{said.strip()} ({'; '.join(words)})".strip() if words else said


def paragraphs(help_text: str) -> str:
    """click's help as Markdown: paragraphs after a form feed mark are code."""
    parts = inspect.cleandoc(help_text).split("\n\n")
    return "\n\n".join(
        f"```bash\n{inspect.cleandoc(part.lstrip().removeprefix(chr(8)))}\n```"
        if part.lstrip(" \n").startswith("\b")
        else part
        for part in parts
    )


# --- API ----------------------------------------------------------------------------------------


def rooms() -> list[str]:
    """The rooms that declare public names, lowest first; refuse one that the contract omits."""
    packages = {module.name for module in pkgutil.iter_modules(automorph.__path__) if module.ispkg}
    if unlisted := packages - set(ROOMS):
        raise ValueError(f"rooms missing from the import contract of pyproject.toml: {unlisted}")
    return [
        room
        for room in ROOMS
        if room in packages and hasattr(import_module(f"automorph.{room}"), "__all__")
    ]


def api_page() -> str:
    """The page of all public names."""
    top = [
        (f"`automorph.{name}`", f"{{py:obj}}`{home}.{name}`")
        for name, home in sorted(automorph._HOMES.items())
    ]
    sections = [room_section(f"automorph.{room}") for room in rooms()]
    return f"""# Python API

What is imported when `automorph` is imported is little; these names load their room when they are
first used:

{table(("name", "lives in"), top)}
{chr(10).join(sections)}
## automorph.errors

```{{eval-rst}}
.. automodule:: automorph.errors
```
"""


def room_section(module: str) -> str:
    """One room: its own line, and its public names."""
    members = [name for name in import_module(module).__all__ if is_documented(module, name)]
    return f"""## {module}

```{{eval-rst}}
.. automodule:: {module}
   :members: {", ".join(members)}
```
"""


def is_documented(module: str, name: str) -> bool:
    """Whether a public name is a class or function (constants are told of where they are used)."""
    thing = getattr(import_module(module), name)
    return inspect.isclass(thing) or inspect.isfunction(thing)


# --- Sphinx -------------------------------------------------------------------------------------


def write_reference(docs: Path) -> None:
    """Write all pages and pictures below the folder of the documentation."""
    pages = {
        "operations": operations_page(),
        "policies": policies_page(),
        "peers": peers_page(),
        "cli": cli_page(),
        "api": api_page(),
    }
    target = docs / "reference" / "_generated"
    pictures = target / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        path = target / f"{name}.md"
        # Sphinx reads only what is newer, so a page that stays the same is left alone.
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


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", lambda app: write_reference(Path(app.srcdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
