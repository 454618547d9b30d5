"""``automorph preview``: show what policies do to your own examples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.answers import captions
from automorph.cli.options import (
    choosing,
    console,
    data_options,
    json_option,
    load,
    plain_table,
    policies_option,
    print_json,
    print_notes,
    protect_option,
    quiet_option,
    seed_option,
)
from automorph.errors import UsageError
from automorph.files import atomic_write

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.table import Table
    from rich.text import Text

    from automorph.data import Dataset, Split
    from automorph.policies import Policy

SHOWN, MOST = 3, 400
"""Maximum examples and draws, and characters of each text, shown on a terminal."""
LISTED = 16
"""Maximum operations of a policy that are listed."""
_FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF",
    ".tif": "TIFF", ".tiff": "TIFF", ".pdf": "PDF",
}  # fmt: skip
"""Pillow's format name by file ending."""


@click.command(short_help="Show what policies do to your examples.")
@data_options
@policies_option
@click.option(
    "--examples",
    type=click.IntRange(1, 64),
    default=6,
    show_default=True,
    help="Number of examples.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 32),
    default=8,
    show_default=True,
    help="Number of draws for each example.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write: .png, .jpg, .webp, .bmp, .gif, .tif or .pdf; texts: .html.",
    show_default="preview.png; texts: preview.html",
)
@protect_option
@seed_option
@quiet_option
@json_option
def preview(
    data: str,
    policies: tuple[str, ...],
    examples: int,
    draws: int,
    out: Path | None,
    protect: tuple[str, ...],
    seed: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Show examples of DATA before and after each policy, as a picture or (for texts) a page.

    \b
    automorph preview folder:photos --policy trivialaugment --policy 'randaugment(n=2,m=9)'
    automorph preview csv:reviews.csv --text review --policy eda --policy 'tf-idf(p=0.3)'
    """
    if out is not None:
        _need_folder(out)
    dataset = load(data, sizing=choosing(), **options)
    if out is not None:
        _check_ending(out, dataset.domain)
    from automorph.augmenters import as_treatment
    from automorph.experiments import idle_policy, policy_of
    from automorph.policies import check_domain, check_follow
    from automorph.targets import check_target

    check_target(dataset.target, "preview")
    chosen = [policy_of(as_treatment(policy)) for policy in policies]
    for policy in chosen:
        check_domain(policy, dataset.domain, data=dataset.name)
        if dataset.target == "masks":
            check_follow(policy)
    part, names = some_examples(dataset, examples)
    say = console(quiet=quiet or as_json)
    # No record is written, so the notes are shown beside JSON, too.
    print_notes(console(quiet=quiet), dataset)
    if dataset.domain == "text":
        out = out or Path("preview.html")
        chosen = [policy.fitted(dataset.train.data, protect=protect) for policy in chosen]
        drawn = {
            policy.name: policy.preview(part.data, draws=draws, seed=seed, epochs=policy.span)
            for policy in chosen
        }
        hint = _write_page(data, dataset.notes, drawn, names, out)
    else:
        from automorph.training import mean_of

        out, drawn = out or Path("preview.png"), {}
        if any(policy.needs_mean for policy in chosen):
            chosen = [policy.with_mean(mean_of(dataset.train)) for policy in chosen]
        hint = _write_sheets(dataset, chosen, part, names, out, draws=draws, seed=seed)
    for policy in chosen:
        say.print(f"[bold]{policy.name}[/bold]")
        say.print(_listed(policy))
        for row, name in zip(drawn.get(policy.name, ())[:SHOWN], names, strict=False):
            say.print(_marked(row.tolist(), name, plain=not say.is_terminal), soft_wrap=True)
    say.print(f"Wrote [bold]{out}[/bold]: {hint}")
    remarks = [words for policy in chosen if (words := idle_policy(policy, dataset, policy.span))]
    for words in remarks:
        say.print(words, style="yellow", markup=False, soft_wrap=True)
    if as_json:
        noted = {"remarks": remarks} if remarks else {}
        names = [policy.name for policy in chosen]
        print_json({"data": data, "policies": names, "picture": str(out), **noted})


def _listed(policy: Policy) -> Table:
    """Return the first rows of what a policy does, as a table for the terminal."""
    from rich.text import Text

    content = policy.table()
    rows = content.rows[:LISTED]
    table = plain_table(*content.columns, header_style="dim")
    for number, column in enumerate(table.columns[:-1]):  # Only the last one is broken into lines.
        column.min_width = max(map(len, (content.columns[number], *(row[number] for row in rows))))
    for row in rows:
        table.add_row(*map(Text, row))
    if more := len(content.rows) - len(rows):
        table.add_row(f"and {more} more")
    return table


def some_examples(data: Dataset, count: int) -> tuple[Split, list[str]]:
    """Return training examples that are spread over the classes, and what they are called."""
    part = data.train.take(spread(data.train.labels, count))
    if data.target == "masks":  # One image has many classes.
        return part, part.names
    return part, captions(data, part)


def previewed(data: Dataset, policy: Policy, part: Split, *, draws: int, **options: Any) -> Any:
    """Return images ``(n, 1 + draws, H, W, C)``: originals and draws, with their masks if any."""
    from automorph.report import overlaid
    from automorph.targets import Masks, target_of

    target = target_of(data)
    if not isinstance(target, Masks):
        return policy.preview(part.data, draws=draws, **options)
    images, masks = target.preview(policy, part.data, part.expected, draws=draws, **options)
    return overlaid(images, masks)


def _write_sheets(
    data: Dataset,
    policies: list[Policy],
    part: Split,
    names: list[str],
    out: Path,
    *,
    draws: int,
    seed: int,
) -> str:
    """Write one picture of all policies; return a hint on how to read it."""
    from automorph.report import contact_sheet

    sheets = [
        contact_sheet(
            previewed(data, policy, part, draws=draws, seed=seed, epochs=policy.span),
            names,
            columns=("original", policy.name),
        )
        for policy in policies
    ]
    save(stacked(sheets), out)
    masks = " Classes of pixels are coloured, ignored pixels grey." if data.annotation else ""
    return f"the first column shows the originals.{masks}"


def _write_page(
    source: str, notes: Sequence[str], drawn: dict[str, Any], names: list[str], out: Path
) -> str:
    """Write a page of texts before and after; return a hint on how to read it."""
    from automorph.report import MARKS, Page, Section, passages, write_report

    parts = [
        passages(name, rows, names, colour=number % 10, most=rows.shape[1])
        for number, (name, rows) in enumerate(drawn.items(), 1)
    ]
    title = f"Policies applied to {source}"
    sections = [Section("Texts before and after", parts)]
    write_report(out, Page(title, MARKS, warnings=notes, sections=sections))
    return "inserted words are underlined, deleted words are struck through."


def _marked(texts: list[str], name: str, *, plain: bool) -> Text:
    """Show a text and its draws: insertions underlined in green, deletions struck in red.

    Without colours (``plain``), marked as in wdiff: {+inserted+} and [-deleted-].
    """
    from rich.text import Text

    from automorph.report import changes

    styles = {"same": "", "in": "underline green", "out": "strike red"}
    signs = {"same": "{}", "in": "{{+{}+}}", "out": "[-{}-]"} if plain else {}
    before, *others = texts
    lines = [Text.assemble((f"  {name}  ", "dim"), Text(before[:MOST]))]
    for after in others[:SHOWN]:
        parts = [
            Text(signs.get(kind, "{}").format(words), styles[kind])
            for kind, words in changes(before[:MOST], after[:MOST])
        ]
        lines.append(Text.assemble("    ", *parts))
    return Text("\n").join(lines)


def stacked(sheets: list[Image]) -> Image:
    """Stack pictures vertically."""
    from PIL import Image

    size = (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets))
    whole = Image.new("RGB", size, "white")
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def save(picture: Image, path: Path) -> None:
    """Write a picture atomically, in the format of its file ending."""
    with atomic_write(path) as temporary:
        picture.save(temporary, _FORMATS[path.suffix.lower()])


def _check_ending(path: Path, domain: str) -> None:
    """Reject a file name whose format cannot be written."""
    endings = (".html", ".htm") if domain == "text" else tuple(_FORMATS)
    if path.suffix.lower() not in endings:
        what = "a page of texts" if domain == "text" else "a picture"
        raise UsageError(
            f"got the file name {path.name} for {what}; expected a name that ends in "
            f"{', '.join(endings[:-1])} or {endings[-1]}. Choose another name with --out"
        )


def _need_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise UsageError(
            f"got the file {path}, but the folder {path.parent} does not exist; expected a path in "
            "an existing folder. Create it, or choose another path with --out"
        )


def spread(labels: Any, count: int) -> list[int]:
    """Return rows of examples spread evenly over the classes."""
    import numpy as np

    by_class = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    turns = (rows[turn] for turn in range(count) for rows in by_class if turn < len(rows))
    return sorted(
        [row for row, _ in zip(turns, range(count), strict=False)], key=lambda r: labels[r]
    )
