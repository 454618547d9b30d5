"""``automorph suite``: an augmenter or a searcher on public development sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.bars import progress_bar
from automorph.cli.config import write_config
from automorph.cli.options import (
    console,
    jobs_option,
    json_option,
    plain_table,
    print_json,
    quiet_option,
    side_by_side,
    versions_option,
)

if TYPE_CHECKING:
    from rich.console import Console

    from automorph.suite import Show, SuiteResult

_FOLDER = "runs/suite"


def _names(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of sets, which may also be separated by commas."""
    return tuple(name.strip() for one in given for name in one.split(",") if name.strip())


@click.command(short_help="Test an augmenter or a searcher of your own on public sets.")
@click.option(
    "--augmenter",
    metavar="NAME|FILE.py:NAME",
    help="A policy or in-training method by name, or your own: a subclass of "
    "automorph.training.Augmenter in a file. The file is run.",
)
@click.option(
    "--searcher",
    metavar="NAME|FILE.py:NAME",
    help="A search method by name, or your own: a subclass of automorph.searchers.Searcher in a "
    "file. The file is run.",
)
@click.option(
    "--sets", metavar="NAME,..", multiple=True, callback=_names,
    help="Development sets; repeatable.", show_default="those that are found",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True, metavar="N",
    help="Paired seeds of every training.",
)  # fmt: skip
@click.option(
    "--limit", type=click.IntRange(20), default=2000, show_default=True, metavar="N",
    help="Labelled examples of each set, with those of the validation part.",
)  # fmt: skip
@click.option(
    "--epochs", type=click.IntRange(1), metavar="N",
    help="Epochs of a plain training, for a quick try.",
    show_default="until the validation loss stops improving",
)  # fmt: skip
@click.option(
    "--trials", type=click.IntRange(1), metavar="N", help="Trials of the searcher.",
    show_default="race: 8; else 40",
)  # fmt: skip
@jobs_option
@versions_option
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=_FOLDER, show_default=True,
    help="Folder of finished trainings; entrants in one folder share the controls.",
)  # fmt: skip
@quiet_option
@json_option
def suite(
    augmenter: str | None,
    searcher: str | None,
    sets: tuple[str, ...],
    seeds: int,
    limit: int,
    epochs: int | None,
    trials: int | None,
    jobs: int | None,
    accept_versions: bool,
    out: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Test one augmenter or searcher on the development sets, beside five controls.

    \b
    automorph suite --augmenter my.py:MyAugmenter
    automorph suite --searcher my.py:MySearch --sets red_cells,mnist
    automorph suite --augmenter my.py:MyAugmenter --sets mnist --limit 300 --epochs 2 --seeds 1

    The sets are read from the folder that AUTOMORPH_DATA names; docs/suite.md says where each can
    be had. Every set has fixed parts. A searcher does not see the test part. The controls are no
    augmentation, flip-crop, flip-crop + trivialaugment, flip-crop with a random policy, and
    flip-crop for four times as long, under the same seeds.

    Finished trainings are kept: run the same command again to continue. With other --seeds, --limit
    or --epochs than the defaults, the row is not comparable with published ones.
    """
    from automorph.suite import Setting, available, read_entrant, row_folder, run_suite

    entrant = read_entrant(augmenter, searcher)
    there, missing = available(sets)
    say = console(quiet=quiet or as_json)
    setting = Setting(seeds, limit, epochs)
    names = ", ".join(one.name for one in there)
    say.print(f"{entrant.kind} {entrant.name} on {names}", style="bold", markup=False)
    if missing:
        say.print(f"Not found: {', '.join(missing)}", style="yellow", markup=False)
    bar = progress_bar(say, transient=True, disable=not say.is_terminal)
    with bar:
        result = run_suite(
            entrant, there, folder=out, setting=setting, trials=trials, jobs=side_by_side(jobs),
            accept_versions=accept_versions, progress=_shown(bar),
        )  # fmt: skip
    place = row_folder(out, entrant, setting)
    write_config(place)
    _print(result, say)
    say.print(f"\nRow  {place / 'suite.json'}", markup=False, soft_wrap=True)
    if as_json:
        print_json({**result.to_dict(), "row": str(place / "suite.json")})


def _shown(bar: Any) -> Show:
    tasks: dict[tuple[str, str], Any] = {}

    def show(name: str, what: str, share: float) -> None:
        if (name, what) not in tasks:
            tasks[name, what] = bar.add_task(f"{name}: {what}", total=1.0, facts="")
        bar.update(tasks[name, what], completed=share)

    return show


def _print(result: SuiteResult, say: Console) -> None:
    from automorph.report import plural
    from automorph.suite import ENTRANT, LABELS

    means, gaps = result.means(), result.gaps()
    heads = [result.entrant if arm == ENTRANT else arm for arm in result.arms]
    table = plain_table("%", numbers=heads)
    for name, arms in means.items():
        cells = (f"{100 * arms[arm]:.1f}" if arm in arms else "failed" for arm in result.arms)
        table.add_row(name, *cells)
    say.print("Test accuracy", style="dim")
    say.print(table)
    for name, one in result.sets.items():
        searched = "" if one.search is None else f", found at {one.search:.1f} trainings"
        if result.kind == "searcher":
            say.print(f"{name}: {one.picks}{searched}", markup=False, style="dim")
        for note in one.notes:
            say.print(f"{name}: {note}", markup=False, style="dim", soft_wrap=True)
        for error in one.errors:
            say.print(f"{name}: a training failed ({error})", markup=False, style="yellow")
    say.print(f"\n{result.entrant} minus:", markup=False)
    seeds = plural(result.setting.seeds, "seed")
    for arm, gap in gaps.items():
        inside = "" if gap.interval is None else (
            f" [{100 * gap.interval[0]:+.1f}, {100 * gap.interval[1]:+.1f}]"
        )  # fmt: skip
        size = f"{100 * gap.mean:+.1f} points{inside}"
        over = f"{plural(gap.sets, 'set')} x {seeds}"
        say.print(f"  {LABELS.get(arm, arm)}  {size}, {over}", markup=False)
    for remark in result.remarks:
        say.print(remark, markup=False, style="yellow")
