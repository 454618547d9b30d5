"""Options that several verbs share, and output to terminals and to programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.option_values import OUT, patterns_of, size_of, window_of
from automorph.cli.param_types import (
    DataWord,
    Epochs,
    NameWord,
    PolicyWord,
    check_folder,
    check_verb,
)
from automorph.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from automorph.data import Chosen, Dataset, Photographs, Resizing, Sizing
    from automorph.training import Task

Command = Callable[..., Any]
WIDE = 90
"""A terminal with at least this many columns has room for every table column."""


def stack(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Join options of a verb into one decorator, in the order of its help."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_LIMITED = {
    "preview": "Choose from N examples only",
    "review": "Choose from N examples only",
    "explain": "Use N examples only",
    "audit": "Train the audited network on N examples only",
    "patch": "Train on N examples only",
    "search": "Search with N examples only",
    "train": "Train on N examples only",
    "compare": "Train on N examples only",
    "rewrite": "Rewrite N texts only",
}
"""The meaning of ``--limit`` for each verb."""


def _limit_option(command: Command) -> Command:
    """Add ``--limit``, described for the verb."""
    return click.option(
        "--limit", type=click.IntRange(1), metavar="N",
        help=f"{_LIMITED[command.__name__]}, with the shares of the classes (the same "
        "number of each if their sizes differ by less than a tenth). They include the validation "
        "examples if DATA has no validation part; the test part is not reduced.",
    )(command)  # fmt: skip


_of_data = stack(
    click.option("--image", metavar="COLUMN", help="Column of images or of their paths."),
    click.option("--text", metavar="COLUMN", help="Column of texts."),
    click.option("--label", metavar="COLUMN", help="Column of labels."),
    click.option(
        "--target", type=click.Choice(["classes", "labels", "values", "masks"]),
        default="classes", show_default=True,
        help="What is predicted: one class, several labels (a list column, or --label "
        "'open,short' for columns of 0 and 1), numbers, or a class for each pixel.",
    ),
    click.option(
        "--label-of", metavar="NAME",
        help="One of several labels: examples without it and with it become two classes.",
    ),
    click.option(
        "--subgroup", metavar="COLUMN", multiple=True,
        help="Column of subgroups; repeat for one subgroup per combination of values.",
    ),
    click.option(
        "--keep-together", metavar="COLUMN",
        help="Column of lesions, persons, drives, ..: rows with equal values stay in one part. "
        "DICOM files have PatientID, StudyInstanceUID and SeriesInstanceUID.",
    ),
    click.option(
        "--size", metavar="PX|HxW", callback=lambda _, __, value: size_of(value),
        help="Resize all images to this size.",
    ),
    click.option(
        "--window", metavar="LOW,HIGH", callback=lambda _, __, value: window_of(value),
        help="Values of 16-bit images or DICOM files that become black and white; 'voi': as each "
        "DICOM file states; 'percentiles': 0.1 and 99.9 of the training images.",
        show_default="percentiles, or the window that all DICOM files state",
    ),
    _limit_option,
    click.option(
        "--equal-classes", is_flag=True,
        help="With --limit: the same number of examples of each class.",
    ),
    click.option("--skip-bad", is_flag=True, help="Skip examples that cannot be read."),
    click.option(
        "--leakage", type=click.Choice(["refuse", "drop", "keep"]), default="refuse",
        show_default=True, help="What to do if the same example is in two parts.",
    ),
    click.option(
        "--on-demand", is_flag=True,
        help="Decode the images of a folder on demand, for data larger than memory.",
    ),
    click.option(
        "--crop", type=click.FloatRange(0, 1, min_open=True), metavar="SHARE",
        help="With --on-demand: train on random crops of at least this fraction of an image, such "
        "as 0.08.",
    ),
    click.option(
        "--decoders", type=click.IntRange(0), default=0, metavar="N", show_default=True,
        help="With --on-demand: number of processes that decode images; 0: threads of the main "
        "process.",
    ),
    click.option(
        "--decode", type=click.Choice(["reduced", "exact"]),
        help="How large JPEG files are decoded: at 1/2, 1/4 or 1/8 of their size where that covers "
        "the size of the images, or in full.",
        show_default="reduced, or as the run in the folder",
    ),
    click.option(
        "--cache", metavar="FOLDER",
        help="Folder in which to cache decoded images; 'none': keep none.",
        show_default="up to 2 GiB in the user's cache",
    ),
    click.option("--download", is_flag=True, help="Download a named data set that is not on disk."),
)  # fmt: skip


def _data_or_command(
    context: click.Context, parameter: click.Parameter, data: str | None
) -> str | None:
    """Require DATA, unless ``--command`` was given: given options are processed first."""
    given = data is not None or context.params.get("command") is not None
    if not given and not context.resilient_parsing:
        raise click.MissingParameter(
            "Pass DATA, or --command to train with a command of your own.", context, parameter
        )
    return data


data_options = stack(click.argument("data", type=DataWord()), _of_data)
optional_data_options = stack(
    click.argument(
        "data", type=DataWord(), required=False, metavar="[DATA]", callback=_data_or_command
    ),
    _of_data,
)
"""For verbs that take ``--command`` instead (see `own_training`)."""

unlabelled_option = click.option(
    "--unlabelled", metavar="DATA", type=DataWord(),
    help="More training examples, used without labels by consistency, tanda-tr and the search "
    "method tanda; those that are also in the validation or test part are dropped.",
)  # fmt: skip
policies_option = click.option(
    "--policy",
    "policies",
    multiple=True,
    required=True,
    type=PolicyWord(),
    help="Policy name or policy.json file; repeat the option for each policy.",
)
protect_option = click.option(
    "--protect",
    metavar="REGEX",
    multiple=True,
    callback=lambda _, __, value: patterns_of(value),
    help="Words in texts that no operation may change; repeatable.",
)
weights_option = click.option(
    "--weights", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
    help="File of the weights of --model timm:NAME:pretrained or features:timm:NAME: "
    "safetensors, or a state_dict that torch saved.",
    show_default="those of an installed package, else timm's",
)  # fmt: skip
_model_option = stack(
    click.option(
        "--model",
        metavar="NAME",
        type=NameWord("models:MODELS", check="models:check_model"),
        help="Network, such as resnet9:16, timm:NAME or text-cnn (see: automorph list models).",
        show_default="depends on the data",
    ),
    weights_option,
)
_epochs_help = "Epochs of each training; auto: until its validation loss stops improving"
_epochs_option = partial(
    click.option,
    "--epochs",
    show_default="auto for images; a number for texts and pretrained networks",
)
_recipe_options = stack(
    click.option(
        "--recipe",
        metavar="VERSION",
        callback=lambda _, __, value: known_defaults(value),
        help="Version of Automorph whose default recipe is used.",
        show_default="the latest",
    ),
    click.option(
        "--batch-size",
        type=click.IntRange(1),
        metavar="N",
        help="Examples in a batch.",
        show_default="depends on the network",
    ),
    click.option(
        "--lr",
        type=click.FloatRange(0, min_open=True),
        metavar="RATE",
        help="Peak learning rate.",
        show_default="depends on the network",
    ),
    click.option(
        "--precision",
        type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
        help="Floating-point precision of the training.",
        show_default="auto",
    ),
    click.option(
        "--balance",
        type=click.Choice(["none", "sampler", "loss", "logits"]),
        help="Make up for rare classes: draw all classes equally often, weigh the loss, or adjust "
        "the logits.",
        show_default="none",
    ),
    click.option(
        "--loss",
        type=click.Choice(["huber", "dice", "dice+cross-entropy"]),
        help="huber: of values, a loss by which outliers count less than by the squared error; "
        "dice, dice+cross-entropy: of masks, losses by which small classes count more.",
        show_default="that of the target",
    ),
)


def _metric_options(default: str) -> Callable[[Any], Any]:
    """Make ``--metric`` and ``--also`` for a verb; ``default`` says what chooses without them."""
    return stack(
        click.option(
            "--metric",
            metavar="METRIC",
            type=NameWord("metrics:METRICS", check="metrics:check_metric"),
            help="Metric that chooses, on validation data, and is tested, such as auroc or "
            "recall:CLASS (see: automorph list metrics).",
            show_default=default,
        ),
        click.option(
            "--also",
            metavar="METRIC",
            multiple=True,
            type=NameWord("metrics:METRICS", check="metrics:check_metric"),
            help="Further metric to show; repeatable.",
        ),
    )


metric_options = _metric_options(
    "accuracy; balanced-accuracy beyond 1:3 between classes; values: mae"
)
patch_metric_options = _metric_options("accuracy, in the worst group of one class and one subgroup")
training_options = stack(
    _model_option,
    _epochs_option(type=Epochs("auto"), metavar="N|auto", help=f"{_epochs_help}."),
    _recipe_options,
)
compare_options = stack(
    _model_option,
    _epochs_option(
        type=Epochs("auto", "same"), metavar="N|auto|same",
        help=f"{_epochs_help}; same: then all as long as the longest.",
    ),
    _recipe_options,
)  # fmt: skip

seed_option = click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, envvar="AUTOMORPH_SEED",
    show_envvar=True, help="Seed of all random numbers.",
)  # fmt: skip
folds_options = stack(
    click.option(
        "--folds", type=click.IntRange(0), metavar="K",
        help="Cross-validate with K folds in place of one split into parts; 0: one split.",
        show_default="0; for compare 5, if a folder or table has fewer than 500 examples",
    ),
    click.option(
        "--repeats", type=click.IntRange(1), metavar="R",
        help="With --folds: how often the examples are divided into folds anew.",
        show_default="2",
    ),
)  # fmt: skip
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print the result as one JSON object to standard output.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Parallel trainings.",
    show_default="one per core; with a GPU: 1",
)
versions_option = click.option(
    "--accept-versions",
    is_flag=True,
    help="Continue a run that was begun with other versions of the libraries that decide pixels.",
)


engine_options = stack(
    click.option(
        "--engine",
        type=click.Choice(["local", "processes", "ray"]),
        default="processes",
        show_default=True,
        help="Where the trainings run; ray: on a cluster.",
    ),
    click.option(
        "--address",
        metavar="HOST:PORT",
        help="Ray cluster to connect to.",
        show_default="a local one",
    ),
    jobs_option,
    versions_option,
)


def engine_settings(options: dict[str, Any]) -> dict[str, Any]:
    """Take the values of `engine_options` out of the options of a verb.

    Raises `UsageError` for an address that the engine does not take.
    """
    names = ("engine", "address", "jobs", "accept_versions")
    settings = {name: options.pop(name) for name in names}
    if settings["address"] is not None and settings["engine"] != "ray":
        raise UsageError(
            f"got the address {settings['address']!r} with the engine {settings['engine']}; only "
            "ray takes one: use --engine ray, or leave out --address"
        )
    return settings


quiet_option = click.option("--quiet", "-q", is_flag=True, help="Hide progress bars and tables.")


_VERBS = ("audit", "compare", "explain", "patch", "search", "train")
"""The verbs whose name is the kind of their report."""


def _run_folder(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Return the run folder; for an fsspec address, a local mirror until the verb ends."""
    from automorph.remote import is_address, mirrored

    if value is None or context.resilient_parsing:
        return value
    if not is_address(value):
        check_folder(Path(value))
        if context.info_name in _VERBS:
            check_verb(Path(value), context.info_name)
        return value
    context.meta[OUT] = value
    return str(context.with_resource(mirrored(value)))


out_option = click.option(
    "--out", type=click.Path(file_okay=False), callback=_run_folder,
    show_default="runs/VERB-DATA-HASH",
    help="Run folder, or an fsspec address such as s3://bucket/run.",
)  # fmt: skip


def known_defaults(version: str | None) -> str | None:
    """Return the version of a default recipe. Raises `UsageError` for an unknown one."""
    if version is not None:
        from automorph.training import check_defaults

        check_defaults(version)
    return version


def pretraining_of(model: str | None) -> Resizing | None:
    """Return how images are resized for a named network; None: in the usual way."""
    from automorph.models import is_pretrained

    if not is_pretrained(model):  # Without importing torch, which is slow.
        return None
    from automorph.models import resizing_of

    return resizing_of(model)


def choosing(**options: Any) -> Sizing:
    """Return what chooses size and network of photographs; see `automorph.training.sizing_for`."""

    def choose(photographs: Photographs) -> Chosen | None:
        from automorph.training import sizing_for  # Imports torch, which is slow.

        return sizing_for(**options)(photographs)

    return choose


def load(data: str, **options: Any) -> Dataset:
    """Load the data set of a command line, split into three parts unless it has folds.

    All verbs use the same split whatever their seed, so one verb never tests a result on examples
    that another verb used to find it. ``options`` are those of `load_whole`.
    """
    from automorph.data import split

    return split(load_whole(data, **options))


def load_whole(
    data: str,
    *,
    folds: int | None = None,
    repeats: int | None = None,
    few: bool = False,
    **options: Any,
) -> Dataset:
    """Load the data set of a command line with the parts of its source, or with ``folds``.

    ``few``: if no number of folds is given, few examples in a folder or table are cross-validated
    (see `automorph.data.with_default_folds`).
    """
    from automorph.data import SOURCES, load_data, with_default_folds, with_folds

    if repeats is not None and not folds:
        raise UsageError(
            f"got --repeats {repeats} without --folds; expected both: add --folds 5, or leave out "
            "--repeats"
        )
    if folds:
        loaded = load_data(data, **options, hold_out=False)
        return with_folds(loaded, folds, repeats=repeats)
    loaded = load_data(data, **options)
    own = data not in SOURCES
    if few and own and folds is None and options.get("limit") is None:
        loaded = with_default_folds(loaded)
    return loaded


def task_of(
    data: str | None,
    *,
    model: str | None,
    epochs: int | str | None,
    batch_size: int | None,
    lr: float | None,
    precision: str | None,
    loss: str | None = None,
    balance: str | None = None,
    recipe: str | None = None,
    protect: tuple[str, ...] = (),
    unlabelled: str | None = None,
    weights: str | None = None,
    metric: str | None = None,
    also: tuple[str, ...] = (),
    out: str | None = None,
    budget: float | None = None,
    **options: Any,
) -> Task:
    """Make the task of a command line: load its data, apply its training options.

    ``out`` is the run folder of the command, if it is known by now, ``budget`` the seconds that it
    may take; ``few`` is that of `load`.
    """
    assert data is not None
    # Reject bad data before importing torch, which is slow.
    sizing = None
    if model is None and options.get("target") != "masks":
        sizing = choosing(budget=budget, version=recipe, run_folder=out, frozen=lr is None)
    if out is not None and options.get("decode") is None:
        from automorph.training import decode_begun

        options["decode"] = decode_begun(Path(out))
    loaded = load(data, resizing=pretraining_of(model), sizing=sizing, **options)
    if unlabelled is not None:
        from automorph.data import with_unlabelled

        names = ("image", "text", "label", "size", "skip_bad", "cache", "download")
        shared = {name: options[name] for name in names}
        if loaded.chosen is not None:
            shared["size"] = loaded.chosen.size
        loaded = with_unlabelled(loaded, unlabelled, **shared)
    from automorph.training import as_task

    changes = {
        "epochs": "auto" if epochs == "same" else epochs, "defaults": recipe,
        "batch_size": batch_size, "lr": lr, "precision": precision, "balance": balance,
        "loss": loss,
    }  # fmt: skip
    return as_task(
        loaded, model=model, recipe=changes, protect=protect, run_folder=out, weights=weights,
        metric=metric, also=also,
    )  # fmt: skip


def default_policy(domain: str) -> str:
    """Default policy of ``train``."""
    if domain == "image":
        return "flip-crop"
    from automorph.text import find_wordnet

    return "eda" if find_wordnet() else "aeda"


def side_by_side(jobs: int | None) -> int:
    """Return the number of parallel trainings: as requested, one per core, or one with a GPU."""
    if jobs is not None:
        return jobs
    import torch

    from automorph.processes import usable_cores

    return 1 if torch.cuda.is_available() else max(1, usable_cores())


def console(*, quiet: bool = False) -> Console:
    """Return the console for messages: standard error, so that standard output stays clean."""
    from automorph.cli.terminal import Terminal

    return Terminal(stderr=True, quiet=quiet, highlight=False, emoji=False)


def print_notes(say: Console, data: Dataset) -> None:
    """Print what was changed in the data, and what is unusual about them."""
    for note in data.notes:
        say.print(note, style="dim", markup=False, soft_wrap=True)


def plain_table(*names: str, numbers: Sequence[str] = (), header_style: str = "bold") -> Table:
    """Make a terminal table without rules: text columns, then right-aligned ``numbers``."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style=header_style, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def p_words(p: float | None) -> str:
    """Format a p-value with three digits; empty for None.

    >>> p_words(0.0213), p_words(1e-9), p_words(None)
    ('0.021', '<0.001', '')
    """
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def print_json(content: Any) -> None:
    """Print one JSON object to standard output."""
    sys.stdout.write(json.dumps(content) + "\n")
