"""The examples to predict: new ones read as in training, or the parts of a data set."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from automorph.data import (
    Dataset,
    load_data,
    open_part,
    read_new_examples,
    same_names,
    split_hashes,
)
from automorph.errors import DataError, UsageError
from automorph.inference.trained_run import TrainedRun
from automorph.robustness import split_as_trained

_ROW = re.compile(r"train\[(\d+)\]")


@dataclass(frozen=True, eq=False)
class Given:
    """One part to predict; ``labels`` are -1 where unknown, ``subgroups`` empty without any.

    Several labels are int8 ``(n, k)``, whose rows are -1 where they are unknown; masks are uint8
    ``(n, H, W)``, 255 where they are unknown.
    """

    part: str
    data: NDArray[Any]
    labels: NDArray[Any]
    names: Sequence[str]
    subgroups: Sequence[str] = ()


def new_examples(
    run: TrainedRun, source: Any, options: dict[str, Any]
) -> tuple[list[Given], tuple[str, ...]]:
    """Return all examples of a source, part by part, and notes on them."""
    options = {"window": run.window, **options}
    if unknown := sorted(set(options) - _OPTIONS):
        raise UsageError(
            f"got {', '.join(unknown)}; without part=..., the options are "
            f"{', '.join(sorted(_OPTIONS))}: leave the others out"
        )
    found = read_new_examples(
        source,
        classes=run.classes,
        shape=run.shape,
        resizing=run.resizing,
        target=run.target,
        ignoring=run.ignoring,
        **options,
    )
    alone = len(found.splits) == 1
    given = [
        Given(
            part, one.data, found.matrices.get(part, one.labels),
            _numbers(one.names) if alone else one.names,
            found.subgroups.get(part, ()),
        )
        for part, one in found.splits.items()
        if len(one)
    ]  # fmt: skip
    notes = list(found.notes)
    if run.shape and isinstance(source, str):
        height, width, channels = run.shape
        colours = {1: "grey", 3: "RGB", 4: "RGBA"}.get(channels, f"{channels} channels")
        notes.append(
            f"images are read as {height}x{width} {colours}, as in training; others are converted, "
            "scaled to cover this size and cropped at the centre"
        )
    if isinstance(source, str) and source == run.data.get("name"):
        notes.append(
            "the network was trained on examples of this source, so its accuracy on all of them is "
            "too high; predict only those that it has not seen with part='test' (--part test)"
        )
    return given, tuple(notes)


_OPTIONS = {
    "image", "text", "label", "label_of", "subgroup", "window", "skip_bad", "root", "cache",
    "download",
}  # fmt: skip


def examples_of_part(
    run: TrainedRun, source: Any, part: str, options: dict[str, Any]
) -> tuple[list[Given], tuple[str, ...]]:
    """Return one part of data that are split as in the training, and notes on it."""
    data, doubt = split_like_run(run, source, options)
    if part not in data.parts:
        raise UsageError(f"{data.name} has no {part} part; expected one of {', '.join(data.parts)}")
    wanted = run.part(part)
    if wanted == split_hashes(data)[part]:
        doubt = None  # Whatever else differs, these are the examples of the training's own part.
    elif wanted is not None:
        doubt = (
            f"the {part} part has other examples than in training, so the figures cannot be "
            "compared, and some examples may be training examples; pass the options of the "
            "training (--label, --limit, --size, the same files)"
        )
    return [_of_part(data, part)], (*data.notes, *([] if doubt is None else [doubt]))


def examples_of_dataset(run: TrainedRun, data: Dataset) -> tuple[list[Given], tuple[str, ...]]:
    """Return all parts of a data set as they are."""
    _check_like(run, data)
    return [_of_part(data, part) for part in data.parts], data.notes


def split_like_run(
    run: TrainedRun, source: Any, options: dict[str, Any]
) -> tuple[Dataset, str | None]:
    """Return data split as in the training, and a warning unless that is certain."""
    if isinstance(source, Dataset):
        data = source
    elif isinstance(source, str):
        # Images that have this size already stay as they are.
        size: dict[str, Any] = (
            {"size": run.shape[:2], "resizing": run.resizing, "decode": run.decode}
            if run.shape
            else {}
        )
        size["target"] = run.target
        data = load_data(source, **{**size, **options})
    else:
        raise UsageError(
            f"got {type(source).__name__} with a part; expected a DATA string or a Dataset, which "
            "have parts: leave out part to predict all examples"
        )
    data, doubt = split_as_trained(data, run.file, seed=0)
    _check_like(run, data)
    return data, doubt


def _check_like(run: TrainedRun, data: Dataset) -> None:
    if not same_names(run.classes, data.predicted):
        raise UsageError(
            f"{run.file} was trained on the classes {list(run.classes)[:8]}, but {data.name} has "
            f"{list(data.predicted)[:8]}; expected the same, in the same order: without a part, "
            "examples of other classes are predicted as well"
        )
    shape = tuple(data.train.data.shape[1:])
    if shape != run.shape:
        raise DataError(
            f"{data.name} contains examples of shape {shape}, but the network was trained on "
            f"{run.shape}; expected the same kind and size: set the size and the columns as in "
            "training"
        )


def _of_part(data: Dataset, name: str) -> Given:
    part = open_part(data, name)
    groups: Sequence[str] = ()
    if part.subgroups is not None:
        groups = [data.subgroup_names[number] for number in part.subgroups.tolist()]
    return Given(name, part.data, part.expected, part.names, groups)


def _numbers(names: Sequence[str]) -> Sequence[str]:
    """Return the numbers of rows where there is a single part; paths stay as they are."""
    matches = [_ROW.fullmatch(name) for name in names]
    return [match[1] if match else name for match, name in zip(matches, names, strict=True)]
