"""A task from whatever the user passes: a task, a ``DATA`` string, arrays, a data set."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence, Sized
from pathlib import Path
from typing import Any

from torch import nn

from automorph.data import (
    Chosen,
    Dataset,
    Photographs,
    Sizing,
    as_dataset,
    split,
    with_folds,
    with_unlabelled,
)
from automorph.errors import UsageError
from automorph.models import resizing_of
from automorph.training.judging import with_metrics
from automorph.training.network import check_network
from automorph.training.options import check_entries, check_folder, check_options
from automorph.training.photographs import choose_setting
from automorph.training.recipe import Recipe
from automorph.training.recipe_table import LATEST, OF_FROZEN, recipe_for
from automorph.training.run_defaults import decode_begun, defaults_of, model_begun
from automorph.training.task import Task, make_task, training_rows

_OF_UNLABELLED = ("image", "text", "label", "size", "skip_bad", "root", "cache", "download")
"""Options of the data that apply to unlabelled examples, too."""


def as_task(
    source: Any,
    *,
    model: str | Callable[[], nn.Module] | None = None,
    seed: int = 0,
    recipe: dict[str, Any] | None = None,
    protect: Sequence[str] = (),
    run_folder: str | os.PathLike[str] | None = None,
    unlabelled: Any = None,
    weights: str | os.PathLike[str] | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    metric: str | None = None,
    also: Sequence[str] = (),
    **options: Any,
) -> Task:
    """Make a task of ``source``: missing parts are split off, and defaults fit the data.

    ``source`` is a `Task` (returned unchanged; options are then an error), or anything that
    `automorph.data.as_dataset` accepts: a ``DATA`` string, ``(images, labels)``, a torch or Hugging
    Face data set; ``options`` are passed on to it. ``recipe`` changes entries of `recipe_for`'s
    recipe; ``epochs`` may be ``"auto"``, and ``defaults`` a version (see there). ``seed`` decides
    the split, not the trainings. ``protect``: regular expressions that match what text operations
    must not change. ``unlabelled``: examples without labels, see `automorph.data.with_unlabelled`;
    the same options apply to them. ``weights``: the file from which a model named
    ``timm:NAME:pretrained`` starts (safetensors, or a state_dict that torch saved).
    Photographs, which are large or of different sizes, get the size and network of
    `choose_setting` if neither is named.
    ``folds``: cross-validate with so many folds, ``repeats`` times (default 2), and split off no
    parts (see `automorph.data.with_folds`; 0 or None: split). `train` then trains on the fold whose
    number is its seed, other calls on every fold.
    ``metric`` is the name of the metric that chooses and is tested, ``also`` of those that are only
    shown (see `automorph.metrics`); the default is accuracy, or balanced accuracy if the largest
    class has more than three times the examples of the smallest.
    ``run_folder``: where the run will be kept; if it was begun with the default recipe of an
    earlier version, it keeps that recipe.

    >>> as_task("digits", model="cnn", recipe={"epochs": 3}, limit=200).recipe.epochs
    3
    """
    check_entries(recipe or {}, defaults=True)
    changes = {key: value for key, value in (recipe or {}).items() if value is not None}
    check_folder(options)
    if isinstance(source, Task):
        asked = {
            "model": model, "recipe": changes, "seed": seed, "protect": protect,
            "unlabelled": unlabelled, "weights": weights, "metric": metric,
            "also": also, "folds": folds, "repeats": repeats,
            **options,
        }  # fmt: skip
        _need_none(asked)
        check_network(source)
        return source
    _need_no_frame(source)
    check_options(source, options)
    check_repeats(folds, repeats)
    if folds and not isinstance(source, Dataset):
        options["hold_out"] = False
    if isinstance(source, Dataset):
        as_dataset(source, **options)  # Raises for options that this source cannot take.
    else:
        known: dict[str, Any] = {"resizing": resizing_of(model)}
        if run_folder is not None and (begun := decode_begun(Path(run_folder))) is not None:
            known["decode"] = begun
        if model is None and options.get("target") != "masks":
            version = changes.get("defaults", LATEST)
            frozen = changes.keys() <= {"defaults", *OF_FROZEN}
            known["sizing"] = sizing_for(version=version, run_folder=run_folder, frozen=frozen)
        source = as_dataset(source, seed=seed, **{**known, **options})
    data = with_folds(source, folds, repeats=repeats, seed=seed) if folds else source
    data = split(data, seed=seed)
    if unlabelled is not None:
        shared = {name: value for name, value in options.items() if name in _OF_UNLABELLED}
        if data.chosen is not None:
            shared["size"] = data.chosen.size
        data = with_unlabelled(data, unlabelled, **shared)

    def by(version: str) -> tuple[str | Callable[[], nn.Module], Recipe]:
        network = model or default_model(data, version)
        known = network if isinstance(network, str) else ""
        return network, recipe_for(known, training_rows(data), **{**changes, "defaults": version})

    def record_of(version: str) -> dict[str, Any]:
        network, recipe = by(version)
        named = {"model": network} if isinstance(network, str) else {}
        return {**named, "recipe": recipe.to_dict()}

    version = changes.get("defaults", LATEST)
    if run_folder is not None and "defaults" not in changes:
        version = defaults_of(Path(run_folder), record_of)
    network, fitting = by(version)
    task = make_task(data, model=network, recipe=fitting, protect=protect, weights=weights)
    task = with_metrics(
        task, metric, also, run_folder=None if run_folder is None else Path(run_folder),
        defaults=version,
    )  # fmt: skip
    # Errors must appear before anything is trained or written.
    check_network(task)
    if isinstance(task.model, str):
        task.build(0)
    return task


def check_repeats(folds: int | None, repeats: int | None) -> None:
    """Raise ``UsageError`` for a number of repeats without folds."""
    if repeats is not None and not folds:
        raise UsageError(
            f"got {repeats} repeats without folds; expected both, as in --folds 5 --repeats 2 "
            "(folds=5, repeats=2): add folds, or leave out the repeats"
        )


def sizing_for(
    *,
    budget: float | None = None,
    version: str | None = None,
    run_folder: str | os.PathLike[str] | None = None,
    frozen: bool = True,
) -> Sizing:
    """Return what chooses size and network of photographs, for searches of ``budget`` seconds.

    Runs with the defaults of version 0.1 use photographs as they are. ``frozen`` is that of
    `choose_setting`.
    """

    def choose(photographs: Photographs) -> Chosen | None:
        begun = None if run_folder is None else model_begun(Path(run_folder))
        if version == "0.1" or begun == LARGE:
            return None
        return choose_setting(photographs, budget=budget, frozen=frozen)

    return choose


def refuse_folds(task: Task, call: str) -> None:
    """Raise ``UsageError`` for a cross-validated task where parts of the data are needed."""
    if task.data.folds is not None:
        raise UsageError(
            f"got {task.data.folds.words} for {call}; expected data with a validation and a test "
            "part, because what it finds has then seen no test example: leave out folds and "
            "repeats"
        )


def _need_none(options: dict[str, Any]) -> None:
    """Raise ``UsageError`` for options that would change a task; empty ones are allowed."""
    if given := [name for name, value in options.items() if not _says_nothing(value)]:
        raise UsageError(
            f"a Task is complete: {', '.join(given)} cannot be used with it; pass the data instead "
            "of the task, or create the task with them (see automorph.training.as_task). Change "
            "its recipe with task.with_recipe(epochs=2)"
        )


def _need_no_frame(source: Any) -> None:
    """Raise ``UsageError`` for a table in memory: it cannot be indexed by example."""
    if type(source).__name__ == "DataFrame":
        columns = ", ".join(map(repr, source.columns))
        raise UsageError(
            f"got a DataFrame with the columns {columns:.100}; expected "
            "two columns, as in (frame[TEXT], frame[LABEL]), or a data set: "
            "datasets.Dataset.from_pandas(frame) with text=TEXT, label=LABEL"
        )


def _says_nothing(value: Any) -> bool:
    return value is None or (not len(value) if isinstance(value, Sized) else value in (0, False))


def default_model(data: Dataset, defaults: str = LATEST) -> str:
    """Return a network that fits the size of the images and trains in minutes on a CPU.

    ``defaults`` is the version whose default network is asked for.
    """
    if data.domain == "text":
        return "text-cnn"
    side = min(data.train.data.shape[1:3])
    if data.target == "masks":
        return next((name for most, name in NETWORKS_FOR_MASKS if side <= most), LARGEST_FOR_MASKS)
    if data.chosen is not None:
        return data.chosen.model
    networks = NETWORKS_0_1 if defaults == "0.1" else NETWORKS
    return next((name for most, name in networks if side <= most), LARGE)


NETWORKS_0_1 = (28, "cnn"), (64, "resnet9:16")
NETWORKS = (28, "cnn"), (45, "resnet9:16"), (90, "resnet9:16/2"), (180, "resnet9:16/4")
"""Default networks by the largest side that they are for. From 32 to 128 pixels the strides of
their stems keep the price of an image the same (24 million multiply-adds)."""
LARGE = "timm:resnet18"
NETWORKS_FOR_MASKS = (64, "unet:16"), (150, "unet:16/2"), (300, "unet:16/4")
LARGEST_FOR_MASKS = "unet:16/8"
"""U-Nets by the largest side that they are for: an image costs the same at 64, 128 and 256 pixels.
At 120 pixels (wbc_masks, 80 images, 24 epochs, flip-crop, one seed), the validation mean IoU was
0.874 with `/2` and 0.847 with `/4`, at 13 and 5 ms a training step and image. In another trial
(two other seeds) it was 0.888 and 0.889 with `/2`, 0.903 without a stride at four times the cost
(one seed), and 0.909 and 0.896 with the U-Net of segmentation-models-pytorch 0.6 (ResNet-18, depth
3, not pretrained), at 4.3 times the cost and 18 times the weights: not enough to depend on it."""
