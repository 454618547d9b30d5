"""``automorph predict``: use a trained network on examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from automorph.cli.option_values import window_of
from automorph.cli.options import console, json_option, print_json, quiet_option, stack
from automorph.cli.param_types import DataWord
from automorph.cli.suggestions import flags_of, typed_options
from automorph.cli.trained_with import READING, trained_with

if TYPE_CHECKING:
    from automorph.data import Dataset
    from automorph.inference import Predictions

_NEW = (
    "image", "text", "label", "label_of", "subgroup", "window", "skip_bad", "cache", "download",
)  # fmt: skip
"""Options of reading examples without a part."""
_COLUMNS = ("image", "text", "label", "label_of", "subgroup")
"""Options that new examples take over from the training."""

_reading_options = stack(
    click.option("--image", metavar="COLUMN", help="Column of images or of their paths."),
    click.option("--text", metavar="COLUMN", help="Column of texts."),
    click.option("--label", metavar="COLUMN", help="Column of true labels, if there is one."),
    click.option("--label-of", metavar="NAME", help="One of several labels, as in training."),
    click.option(
        "--subgroup", metavar="COLUMN", multiple=True, help="Column of subgroups; repeatable."
    ),
    click.option(
        "--window", metavar="LOW,HIGH", callback=lambda _, __, value: window_of(value),
        help="Values of 16-bit images or DICOM files that become black and white.",
        show_default="as in training",
    ),
    click.option("--skip-bad", is_flag=True, help="Leave out examples that cannot be read."),
    click.option("--cache", metavar="FOLDER", help="Folder in which to cache decoded images."),
    click.option("--download", is_flag=True, help="Download a named data set that is not on disk."),
)  # fmt: skip


@click.command(short_help="Use a trained network on examples.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", type=DataWord())
@_reading_options
@click.option(
    "--part",
    type=click.Choice(["train", "validation", "test"]),
    help="Only this part of DATA, split as in training.",
    show_default="all examples",
)
@click.option(
    "--tta",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Average N views drawn by the run's policy, if that is no worse on the validation part "
    "of the training data.",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Floating-point precision.",
    show_default="that of the training",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="predictions.csv",
    show_default=True,
    help="New file: .csv or .parquet.",
)
@quiet_option
@json_option
def predict(
    run: Path,
    data: str,
    part: str | None,
    tta: int | None,
    precision: str | None,
    out: Path,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Predict DATA with the network of RUN and write one row per example.

    \b
    automorph predict runs/photos folder:new-photos --out new.csv
    automorph predict runs/photos folder:photos --part test --tta 8 --out test.parquet

    RUN is a folder of automorph train, or a file of weights. DATA are read as in training and need
    no labels. Columns: example (file or row), label (predicted), true and subgroup (where known),
    and the probability of each class. Networks for masks write a PNG file of class numbers for each
    image to the folder NAME-masks beside the table, which has the share of each class.
    """
    from automorph.inference import (
        TABLE_ENDINGS,
        MaskPredictions,
        check_new_file,
        check_new_masks,
        masks_beside,
        predicts_masks,
    )
    from automorph.inference import predict as run_predict

    check_new_file(out, TABLE_ENDINGS)
    if predicts_masks(run):
        check_new_masks(out)
    folder = run if run.is_dir() else run.parent
    recorded = trained_with(folder)
    typed = typed_options(click.get_current_context())
    given = {name: value for name, value in typed if name in _NEW}
    own = recorded.pop("data", None)
    # Columns of a table mean nothing for a source of another kind.
    taken = recorded if own is not None and _kind(own) == _kind(data) else {}
    chosen = {name: value for name, value in taken.items() if part or name in _COLUMNS}
    used = {**chosen, **given}
    training = _training_data(own, recorded) if tta and not part else None
    result = run_predict(
        run, data, part=part, tta=tta, training_data=training, precision=precision, **used
    )
    file = result.save(out)
    notes = [*_of_training({k: v for k, v in chosen.items() if k not in given}), *result.notes]
    masks = masks_beside(file) if isinstance(result, MaskPredictions) else None
    _print(result, notes, file, masks, quiet=quiet or as_json)
    if as_json:
        print_json(
            {
                "examples": len(result),
                "accuracy": result.accuracy,
                "loss": result.loss,
                "labelled": int(result.known.sum()),
                "views": result.views,
                "classes": list(result.classes),
                "metrics": result.figures,
                "notes": notes,
                "file": str(file),
                **({} if masks is None else {"masks": str(masks)}),
            }
        )


def _kind(data: str) -> str:
    return data.partition(":")[0]


def _training_data(source: str | None, options: dict[str, Any]) -> Dataset | None:
    """Load the data of the training as its command did, for the comparison of views."""
    from automorph.data import load_data

    return None if source is None else load_data(source, **options)


def _of_training(options: dict[str, Any]) -> list[str]:
    """Note the options that were taken over."""
    if not options:
        return []
    words = flags_of("train", {name: options[name] for name in READING if name in options})
    return [f"options of the training were taken over: {' '.join(words)}"]


def _print(
    result: Predictions, notes: list[str], file: Path, masks: Path | None, *, quiet: bool
) -> None:
    """Print notes, the figures where there are labels, and the file."""
    say = console(quiet=quiet)
    for note in notes:
        say.print(note, style="dim", markup=False, soft_wrap=True)
    known = int(result.known.sum())
    if result.summary:
        say.print(f"{result.summary} on {known:,} examples with a label")
    say.print(f"Wrote {file}: {len(result):,} predictions", markup=False, soft_wrap=True)
    if masks is not None:
        say.print(f"Wrote {masks}: a mask for each", markup=False, soft_wrap=True)
