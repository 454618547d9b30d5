"""Options that several verbs share, and how they talk to people and to programs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.param_types import DataWord, PolicyWord, check_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from automorph.data import Dataset
    from automorph.training import Task

Command = Callable[..., Any]
WIDE = 90
"""Columns of a terminal that has room for everything."""


def _stack(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_LIMITED = {
    "preview": "Choose among N examples",
    "explain": "Look at N examples only",
    "audit": "Train the audited network with N examples only",
    "patch": "Mend with N examples only",
    "search": "Search with N examples only",
    "train": "Train with N examples only",
    "compare": "Train with N examples only",
}
"""What a limit means for a verb."""


def _limit_option(command: Command) -> Command:
    """``--limit`` in the words of the verb."""
    return click.option(
        "--limit", type=click.IntRange(1), metavar="N",
        help=f"{_LIMITED[command.__name__]}, balanced over the classes. A validation part that is "
        "not given comes out of them; the test part stays whole.",
    )(command)  # fmt: skip


data_options = _stack(
    click.argument("data", type=DataWord()),
    click.option("--image", metavar="COLUMN", help="Column with the images, or their paths."),
    click.option("--text", metavar="COLUMN", help="Column with the texts."),
    click.option("--label", metavar="COLUMN", help="Column with the labels."),
    click.option(
        "--subgroup", metavar="COLUMN", multiple=True,
        help="Column with the subgroups; several columns: each combination of their values.",
    ),
    click.option(
        "--size", metavar="PX|HxW", callback=lambda _, __, value: size_of(value),
        help="Resize all images to this size.",
    ),
    _limit_option,
    click.option("--skip-bad", is_flag=True, help="Leave out examples that cannot be read."),
    click.option(
        "--leakage", type=click.Choice(["refuse", "drop", "keep"]), default="refuse",
        show_default=True, help="What to do when one example lies in two parts.",
    ),
    click.option(
        "--on-demand", is_flag=True,
        help="For sets larger than memory: images of a folder are decoded when they are needed.",
    ),
    click.option(
        "--crop", type=click.FloatRange(0, 1, min_open=True), metavar="SHARE",
        help="On demand, train on random crops of at least this share of an image, as 0.08.",
    ),
    click.option(
        "--decoders", type=click.IntRange(0), default=0, metavar="N",
        help="Processes that decode on demand; 0: threads of this one.",
    ),
    click.option("--cache", metavar="FOLDER", help="Keep decoded images here, and map them."),
    click.option("--download", is_flag=True, help="Fetch a named data set that is not on disk."),
)  # fmt: skip

policies_option = click.option(
    "--policy",
    "policies",
    multiple=True,
    required=True,
    type=PolicyWord(),
    help="Once for each policy.",
)
protect_option = click.option(
    "--protect",
    metavar="REGEX",
    multiple=True,
    callback=lambda _, __, value: patterns_of(value),
    help="Words of texts that no operation may touch; may be given several times.",
)
training_options = _stack(
    click.option(
        "--model",
        metavar="NAME",
        help="cnn, resnet9, resnet18, wrn-28-10, timm:NAME; for texts text-cnn, bag-of-words, "
        "text-transformer, sentence:NAME, transformers:NAME.",
    ),
    click.option("--epochs", type=click.IntRange(1), metavar="N"),
    click.option("--batch-size", type=click.IntRange(1), metavar="N"),
    click.option("--lr", type=click.FloatRange(0, min_open=True), metavar="RATE"),
    click.option("--precision", type=click.Choice(["auto", "fp32", "bf16", "fp16"])),
)

seed_option = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, envvar="AUTOMORPH_SEED",
    show_envvar=True,
)  # fmt: skip
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object to standard output."
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Trainings side by side; default: cores."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress bars, no tables.")


def _place(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """The folder of a run; for an address, the folder that stands for it until the verb ends."""
    from automorph.remote import is_address, mirrored

    if value is None or context.resilient_parsing:
        return value
    if not is_address(value):
        check_folder(Path(value))
        return value
    return str(context.with_resource(mirrored(value)))


out_option = click.option(
    "--out", type=click.Path(file_okay=False), callback=_place,
    help="Folder of the run, or an address of fsspec, such as s3://bucket/run.",
)  # fmt: skip


def load(data: str, **options: Any) -> Dataset:
    """The data set of a command line, in its three parts.

    All verbs split alike, whatever their seed: what one has found is not tested by another on
    examples that it was found on.
    """
    from automorph.data import load_data, split

    return split(load_data(data, **options))


def task_of(
    data: str,
    *,
    model: str | None,
    epochs: int | None,
    batch_size: int | None,
    lr: float | None,
    precision: str | None,
    protect: tuple[str, ...] = (),
    **options: Any,
) -> Task:
    """The task of a command line: its data, and the recipe changed as asked."""
    # What is wrong with the data is known long before torch is imported.
    loaded = load(data, **options)
    from automorph.training import as_task

    changes = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "precision": precision}
    return as_task(loaded, model=model, recipe=changes, protect=protect)


def patterns_of(protect: tuple[str, ...]) -> tuple[str, ...]:
    """Regular expressions as typed, if all of them are some."""
    for pattern in protect:
        try:
            re.compile(pattern)
        except re.error as error:
            raise click.BadParameter(
                f"{pattern!r} is no regular expression: {error}", param_hint="--protect"
            ) from None
    return protect


def size_of(text: str | None) -> int | tuple[int, int] | None:
    """Pixels as typed: one side, or height x width."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if not all(side.isdecimal() and int(side) > 0 for side in sides) or len(sides) > 2:
        raise click.BadParameter(
            f"got {text!r}; expected pixels, as 64 or 48x64", param_hint="--size"
        )
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def usual_policy(domain: str) -> str:
    """What a model is trained with if nothing is said."""
    if domain == "image":
        return "flip-crop"
    from automorph.text import find_wordnet

    return "eda" if find_wordnet() else "aeda"


def side_by_side(jobs: int | None) -> int:
    """How many trainings run at once: as asked, else one a core (one in all with a GPU)."""
    if jobs is not None:
        return jobs
    import torch

    return 1 if torch.cuda.is_available() else max(1, _cores())


def _cores() -> int:
    import os

    # Not on every system: where it is missing, all cores are ours.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def console(*, quiet: bool = False) -> Console:
    """Where people are told things: standard error, so that standard output stays clean."""
    from automorph.cli.terminal import Terminal

    return Terminal(stderr=True, quiet=quiet, highlight=False)


def tell_notes(say: Console, data: Dataset) -> None:
    """What was done to the data, and what is odd about them."""
    for note in data.notes:
        say.print(note, style="dim", markup=False, soft_wrap=True)


def plain_table(*names: str, numbers: Sequence[str] = (), header_style: str = "bold") -> Table:
    """A table of a terminal without lines: columns of words, then those of ``numbers``."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style=header_style, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def p_words(p: float | None) -> str:
    """A p-value in three digits; nothing where there is none.

    >>> p_words(0.0213), p_words(1e-9), p_words(None)
    ('0.021', '<0.001', '')
    """
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def print_json(content: Any) -> None:
    """One object to standard output."""
    sys.stdout.write(json.dumps(content) + "\n")
