"""``automorph review``: set the ranges of a search space by looking at your own examples."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.options import (
    choosing,
    console,
    data_options,
    json_option,
    load,
    print_json,
    print_notes,
    protect_option,
    quiet_option,
    seed_option,
)
from automorph.cli.param_types import NameWord
from automorph.cli.preview import some_examples
from automorph.cli.suggestions import print_next, suggest
from automorph.errors import UsageError
from automorph.files import atomic_write

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.data import Dataset
    from automorph.operations import SearchSpace
    from automorph.policies import Mark, ReviewedSpace
    from automorph.review import Sheet

SPACE = "space.json"


@click.command(short_help="Set the ranges of a search space by looking.")
@data_options
@click.option(
    "--space",
    metavar="NAME|FILE",
    type=NameWord("operations:SPACES", check="policies:load_space", endings=(".json",)),
    help="Operations to look at, by name or in a file.",
    show_default="randaugment; texts: texts-wordnet, or texts-plain without WordNet",
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    default=SPACE,
    show_default=True,
    help="Space file to write; if it holds an earlier review of this space, that continues.",
)
@click.option(
    "--explained",
    metavar="RUN",
    type=click.Path(exists=True, path_type=Path),
    help="Run folder of automorph explain, whose label risks are shown beside the examples.",
)
@click.option(
    "--examples", type=click.IntRange(1, 64), default=3, show_default=True,
    help="Number of examples.",
)  # fmt: skip
@click.option(
    "--steps", type=click.IntRange(1, 6), default=6, show_default=True,
    help="Magnitudes on each side of an operation.",
)  # fmt: skip
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write one self-contained page that offers the space as a download, and start no server.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="N", help="Port of the page on 127.0.0.1.",
    show_default="a free one",
)  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@protect_option
@seed_option
@quiet_option
@json_option
def review(
    data: str,
    space: str | None,
    save: Path,
    explained: Path | None,
    examples: int,
    steps: int,
    out: Path | None,
    port: int | None,
    no_browser: bool,
    protect: tuple[str, ...],
    seed: int,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Look at operations on examples of DATA, and mark from where on their label is wrong.

    \b
    automorph review folder:photos
    automorph review csv:reviews.csv --text review --label stars
    automorph review folder:photos --out review.html

    A page opens in your browser, one operation a row, stronger to the right. It is served on this
    machine only, under a secret address. What you mark is saved at once, in a file that search and
    explain take with --space, and policies with space=FILE. Only training examples are shown.
    """
    from automorph.policies import is_space_file, load_space, read_space

    # Reject bad options before reading the data.
    named = None if space is None or is_space_file(space) else load_space(space)
    given = read_space(space) if space is not None and is_space_file(space) else None
    for path in (save, out):
        _check_folder(path)
    risks = None
    if explained is not None:
        from automorph.review import read_risks

        risks = read_risks(explained)
    dataset = load(data, sizing=choosing(), **options)
    from automorph.review import make_sheet
    from automorph.searchers import default_space
    from automorph.targets import check_target
    from automorph.training import mean_of

    check_target(dataset.target, "review")
    looked_at = given.looked_at if given else named or default_space(dataset.domain)
    if dataset.domain == "image":
        looked_at = looked_at.painted(mean_of(dataset.train), only="mean")
    say = console(quiet=quiet or as_json)
    print_notes(console(quiet=quiet), dataset)
    marks = _earlier(save, looked_at, say, overwrite=out is None)
    marks = marks or (dict(given.marks) if given else {})
    part, captions = some_examples(dataset, examples)
    with say.status("drawing"):
        sheet = make_sheet(
            dataset, looked_at, part, captions, steps=steps, seed=seed, protect=protect,
            risks=risks.sentences if risks else None, marks=marks,
        )  # fmt: skip
    if not sheet.rows:
        raise UsageError(
            f"the space {looked_at.name!r} has no operation that can be looked at; expected one "
            "with operations that change single examples: see automorph list spaces"
        )
    say.print(
        f"{len(sheet.rows)} operations of {looked_at.name} on {len(captions)} examples of {data}",
        style="bold", markup=False,
    )  # fmt: skip
    if risks is not None and risks.data != data:
        say.print(f"Label risks are those of {risks.data}.", style="yellow", markup=False)
    if out is not None:
        _write_page(sheet, out, save.name)
        say.print(f"Wrote {out}: open it, mark, and download {save.name}", markup=False)
        print_next(say, [suggest("search", data, space=save.name)])
        content: dict[str, Any] = {"data": data, "page": str(out)}
    else:
        found = _serve(sheet, save, port, say=say, browser=not no_browser)
        content = {"data": data, "saved": None if found is None else str(save)}
        if found is not None:
            _print_result(found, dataset, data, save, say)
    if as_json:
        print_json(content)


def _serve(
    sheet: Sheet, save: Path, port: int | None, *, say: Console, browser: bool
) -> ReviewedSpace | None:
    """Serve the page until the user finishes, and return what was saved last; None if nothing."""
    from automorph.policies import ReviewedSpace, marks_from_dict, write_space
    from automorph.review import ReviewServer, render_review

    latest: list[ReviewedSpace] = []

    def keep(content: Any) -> None:
        marks = marks_from_dict(content, sheet.space)
        reviewed = ReviewedSpace(sheet.space, marks, sheet.data)
        write_space(reviewed, save)
        latest[:] = [reviewed]

    page = render_review(sheet, file_name=save.name, served=True)
    try:
        server = ReviewServer(page, keep, port=port or 0)
    except OSError as error:
        raise UsageError(
            f"cannot serve the page on 127.0.0.1, port {port or 'any'}: {error.strerror or error}; "
            "expected a free port: choose another --port, or leave it out"
        ) from None
    with server:
        # The address is the way in, so --quiet and --json must not hide it.
        console().print(f"Page  {server.address}", markup=False, soft_wrap=True)
        say.print("Mark operations there, and press Finish; Ctrl-C keeps what is saved.")
        if browser:
            webbrowser.open(server.address)
        try:
            server.wait()
        except KeyboardInterrupt:
            say.print()
    return latest[0] if latest else None


def _print_result(
    found: ReviewedSpace, dataset: Dataset, data: str, save: Path, say: Console
) -> None:
    space = found.space
    left_out = f"; left out: {', '.join(space.refused)}" if space.refused else ""
    say.print(
        f"{len(found.marks)} operations judged, {len(space)} of {len(found.looked_at)} remain"
        f"{left_out}",
        markup=False,
    )
    say.print(f"Space  {save}", markup=False)
    if len(space):
        print_next(say, [suggest("search", data, space=str(save))])


def _earlier(
    save: Path, looked_at: SearchSpace, say: Console, *, overwrite: bool
) -> Mapping[str, Mark]:
    """Return the marks of an earlier review of the same space; refuse to overwrite another."""
    from automorph.policies import read_space, space_to_dict

    if not save.exists():
        return {}
    earlier = read_space(save)
    if space_to_dict(earlier.looked_at) != space_to_dict(looked_at):
        if not overwrite:
            return {}
        raise UsageError(
            f"{save} holds a review of another space ({earlier.looked_at.name}), which this one "
            f"would overwrite. Nothing was done; continue that review with --space {save}, or "
            "choose another file with --save"
        )
    say.print(
        f"Continuing the review in {save}: {len(earlier.marks)} operations are judged",
        style="dim", markup=False,
    )  # fmt: skip
    return earlier.marks


def _write_page(sheet: Sheet, out: Path, name: str) -> None:
    from automorph.review import render_review

    text = render_review(sheet, file_name=name, served=False)
    with atomic_write(out) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors="replace"))


def _check_folder(path: Path | None) -> None:
    """Reject a file in a folder that does not exist, before any work is done."""
    if path is not None and not path.parent.is_dir():
        raise UsageError(
            f"got the file {path}, but the folder {path.parent} does not exist; expected a path in "
            "an existing folder. Create it, or choose another path"
        )
