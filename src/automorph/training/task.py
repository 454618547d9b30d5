"""A task: data in parts, a network, a recipe, and an encoder of examples to network inputs."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from automorph.data import Dataset, Split, guard_unlabelled, in_fold, split
from automorph.errors import DataError, UsageError
from automorph.metrics import Scorer, load_metric
from automorph.models import (
    Weights,
    build_model,
    build_text_model,
    check_output,
    hold_statistics,
    is_pretrained,
    preprocessing_of,
    weights_for,
)
from automorph.operations import Stream
from automorph.targets import Masks, Target, Values, target_of
from automorph.text import checked_patterns
from automorph.training.batch import Encoder, Normaliser
from automorph.training.checkpoint import load_weights
from automorph.training.options import check_entries
from automorph.training.recipe import Recipe
from automorph.training.recipe_table import recipe_for
from automorph.training.text import text_encoder
from automorph.training.text_notes import noting_texts

Regime = Literal["scratch", "fine-tuned", "frozen"]
"""Random weights that are all trained, pretrained weights that are, or only a head that is."""
_FOR_TARGETS = ("balance", "none", ("classes", "labels")), ("loss", "default", ("values", "masks"))
"""Entries of a recipe, their usual value, and the targets for which they have others."""
_LOSSES = {"huber": "values", "dice": "masks", "dice+cross-entropy": "masks"}
"""The target of each loss but the default one."""
ENOUGH = 10_000
"""Examples from which means and deviations are taken; more change no digit that matters."""


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """Data, network and recipe of a training; `make_task` fills in defaults.

    ``model`` is a name (see `automorph.models.list_models`) or a function without arguments that
    builds a custom network, whose layers in evaluation mode stay in it; ``encoder`` maps examples
    and a device to network inputs. ``start`` is a run's ``model.safetensors`` from which training
    starts (None: random weights); ``weights`` the file of the weights of ``timm:NAME:pretrained``
    or ``features:timm:NAME`` (None: timm's own). ``protect``: regular expressions that match what
    text operations must not change. ``metric`` is the name of the metric that chooses and is
    tested, ``also`` of those that are shown (see `automorph.metrics`).
    """

    data: Dataset
    model: str | Callable[[], nn.Module]
    recipe: Recipe
    encoder: Encoder
    start: Path | None = None
    protect: tuple[str, ...] = ()
    weights: Weights | None = None
    metric: str = "accuracy"
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the data."""
        return self.data.name

    @property
    def network(self) -> str:
        """The name of the network, or the import path of its builder, as ``module:Net``."""
        if isinstance(self.model, str):
            return self.model
        home = self.model if hasattr(self.model, "__qualname__") else type(self.model)
        return f"{home.__module__}:{home.__qualname__}"

    def __post_init__(self) -> None:
        """Refuse a recipe for another kind of network or target."""
        frozen = self.network.startswith("features:")
        if frozen != (self.recipe.optimizer == "lbfgs"):
            wanted = "lbfgs, which fits a head" if frozen else "an optimizer that takes steps"
            raise UsageError(
                f"got a recipe with the optimizer {self.recipe.optimizer!r} for {self.network}; "
                f"expected {wanted}: use automorph.training.recipe_for({self.network!r}, n)"
            )

        kind = self.data.target
        for entry, usual, meant in _FOR_TARGETS:
            given = getattr(self.recipe, entry)
            if given != usual and kind not in meant:
                raise UsageError(
                    f"got {entry}={given!r} (--{entry} {given}) for the target {kind!r}; expected "
                    f"{usual!r}, since the others are for {' and '.join(meant)} only: leave it out"
                )

        if (wanted := _LOSSES.get(self.recipe.loss, kind)) != kind:
            raise UsageError(
                f"got loss={self.recipe.loss!r} (--loss {self.recipe.loss}) for the target "
                f"{kind!r}; expected one of its own, since it is for {wanted}: leave it out"
            )

    @property
    def regime(self) -> Regime:
        """How much of the network is trained, and from where."""
        if self.network.startswith(("features:", "sentence:")):
            return "frozen"
        begun = is_pretrained(self.model) or self.network.startswith("transformers:")
        return "fine-tuned" if begun or self.start is not None else "scratch"

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.data.classes)

    @property
    def target(self) -> Target:
        """What the network predicts: its loss, decision and metric."""
        found = target_of(self.data)
        if isinstance(found, Values) and self.recipe.loss == "huber":
            return replace(found, huber=True)
        if isinstance(found, Masks):
            dice, both = self.recipe.loss.startswith("dice"), self.recipe.loss != "dice"
            return replace(found, dice=dice, cross_entropy=both)
        return found

    @property
    def asks_metrics(self) -> bool:
        """Whether other metrics than accuracy are computed."""
        return self.metric != "accuracy" or bool(self.also)

    @property
    def judged_by(self) -> Scorer | None:
        """The scorer of an evaluation: None for accuracy, which needs no probabilities."""
        return None if self.metric == "accuracy" else self.scorer

    @property
    def scorer(self) -> Scorer:
        """What computes the metric that chooses."""
        return load_metric(self.metric, self.data.predicted, self.data.target)

    @property
    def scorers(self) -> tuple[Scorer, ...]:
        """What computes the metrics; the first one chooses."""
        names = (self.metric, *self.also)
        return tuple(load_metric(name, self.data.predicted, self.data.target) for name in names)

    def __repr__(self) -> str:
        # The encoder may hold a vocabulary.
        return f"Task({self.data!r}, model={self.network!r}, {self.recipe!r})"

    def with_recipe(self, **changes: Any) -> Task:
        """Return the task with recipe entries changed, as in ``with_recipe(epochs=1)``.

        A number of epochs is then the length of the training, also if it ended by itself before.
        """
        check_entries(changes)
        if "epochs" in changes:
            changes = {"stop": "epochs", **changes}
        return replace(self, recipe=replace(self.recipe, **changes))

    def in_fold(self, seed: int) -> Task:
        """Return the task of one training of a cross-validation; without folds, the task itself.

        The seed is the number of the fold, through all repeats. Normalisation and vocabulary are
        those of its training part, unless the encoder is the caller's own.
        """
        return self if self.data.folds is None else self._on(in_fold(self.data, seed))

    def on_all_examples(self) -> Task:
        """Return the task of the network that a cross-validation has measured: with no test part.

        A fifth of the examples is its validation part, the others train.
        """
        return self._on(split(self.data.replace(folds=None), test=0.0))

    def _on(self, data: Dataset) -> Task:
        """Return the task with parts of its data; a default encoder is that of these parts."""
        data, encoder = guard_unlabelled(data), self.encoder
        if encoder == default_encoder(self.data, self.model):
            encoder = default_encoder(data, self.model)
        return replace(self, data=data, encoder=encoder)

    def build(self, seed: int) -> nn.Module:
        """Build a network from a seed, without changing torch's global generator."""
        model = self._initial(seed)
        if self.start is not None:
            load_weights(model, self.start)
        if self.recipe.frozen_statistics:
            hold_statistics(model)
        return model

    def _initial(self, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_seed(seed, "init"))
            if not isinstance(self.model, str):
                return self.model()
            if self.data.domain == "text":
                inputs = getattr(self.encoder, "inputs", 0)
                return build_text_model(self.model, inputs=inputs, classes=self.target.outputs)
            height, width, channels = self.data.train.data.shape[1:]
            return build_model(
                self.model, channels=channels, classes=self.target.outputs, size=(height, width),
                weights=self.weights,
            )  # fmt: skip


def with_changes(task: Task, treatment: Any) -> Task:
    """Return the task with the recipe that a treatment trains with, if it changes any entry.

    >>> from automorph.training import as_task
    >>> task = as_task("digits", model="cnn:4", limit=100)
    >>> with_changes(task, "crop") is task
    True
    """
    changes = getattr(treatment, "recipe_changes", None)
    return task.with_recipe(**changes) if changes else task


def make_task(
    data: Dataset,
    *,
    model: str | Callable[[], nn.Module] = "cnn",
    recipe: Recipe | None = None,
    encoder: Encoder | None = None,
    protect: Sequence[str] = (),
    weights: str | os.PathLike[str] | None = None,
) -> Task:
    """Make a task with defaults: `recipe_for` the network, normalised by the training part.

    Inputs of a pretrained network are normalised as in its own training; ``weights`` is a file of
    its weights (see `automorph.models.weights_for`). Unlabelled examples that are also in the
    validation or test part are dropped, with a note. Raises `DataError` when there are too few
    examples to train on.
    """
    data = guard_unlabelled(data)
    n = len(data.train)
    if n < 2 or (data.target == "classes" and len(data.classes) < 2):
        raise DataError(
            f"{data.name}: the training part has {n} examples for {len(data.classes)} classes; "
            "expected at least 2 of each"
        )
    if isinstance(model, nn.Module) or not (isinstance(model, str) or callable(model)):
        got = "a network" if isinstance(model, nn.Module) else f"model={model!r:.60}"
        net = type(model).__name__ if isinstance(model, nn.Module) else "Net"
        raise UsageError(
            f"got {got}; pass a factory, since every run starts from a fresh network: "
            f"model={net}, or model=lambda: {net}(10), or a name such as cnn"
        )
    if encoder is None and data.domain == "text" and not isinstance(model, str):
        raise UsageError(
            f"{data.name} contains texts, so your own network needs an encoder: a function "
            "that takes texts and a device and returns the network's inputs"
        )
    if isinstance(model, str):
        check_output(model, masks=data.target == "masks")
    start = weights_for(model, weights)
    if start is not None:
        data = data.noting(f"pretrained weights: {start}")
    protect = checked_patterns(protect)
    encoder = encoder or default_encoder(data, model)
    return Task(
        noting_texts(data, protect, encoder),
        model,
        recipe or recipe_for(model if isinstance(model, str) else "", training_rows(data)),
        encoder,
        protect=protect,
        weights=start,
    )


def training_rows(data: Dataset) -> int:
    """Return the number of training examples, with folds those of one training."""
    return len(data.train) if data.folds is None else data.folds.training_rows


def default_encoder(data: Dataset, model: str | Callable[[], nn.Module]) -> Encoder:
    """Return the encoder of a task that is given none."""
    if data.domain == "text":
        assert isinstance(model, str)
        # Words of unlabelled texts are known, too: of a few labelled ones, hardly any would be.
        texts = [data.train.data, *([] if data.unlabelled is None else [data.unlabelled.data])]
        return text_encoder(model, chain.from_iterable(texts))
    if is_pretrained(model):
        channels = data.train.data.shape[-1]
        return Normaliser(*preprocessing_of(model).for_channels(channels))
    return normaliser_of(data.train)


def normaliser_of(part: Split) -> Normaliser:
    """Return channel means and deviations, divided by 255, of images uint8 ``(n, H, W, C)``.

    Of more than 10,000 images, every k-th is used.
    """
    rows = np.arange(0, len(part), -(-len(part) // ENOUGH) or 1)
    channels = part.data.shape[-1]
    # Counts of levels are exact, and need no float copy of the images, nor all images at once.
    levels = np.zeros((channels, 256), np.int64)
    for some in np.array_split(rows, -(-len(rows) // 256)):
        images = part.data[some]
        for c in range(channels):
            levels[c] += np.bincount(images[..., c].reshape(-1), minlength=256)
    stats = [_mean_and_std(counts) for counts in levels]
    return Normaliser(tuple(mean for mean, _ in stats), tuple(std for _, std in stats))


def _mean_and_std(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean and deviation of levels, as shares of 255, from how often each occurs.

    Sums are whole numbers and exact; what follows is rounded alike on every processor.
    """
    level = np.arange(256)
    n, total, squares = (int(counts @ level**power) for power in range(3))
    # Of whole numbers of any size, Python's quotient is the nearest float.
    std = math.sqrt((n * squares - total**2) / (255 * n) ** 2)
    # A channel that is constant (an opaque alpha) carries nothing: any divisor will do.
    return total / (255 * n), 1.0 if std < 1 / 255 else std


def torch_seed(seed: int, name: str, *, epoch: int = 0, process: int = 0) -> int:
    """Return a seed for torch's generator from a stream of the run's seed."""
    high, low = Stream(seed=seed, epoch=epoch, index=[process]).bits(f"torch:{name}", 2)[0].tolist()
    return int(high) << 31 | int(low) >> 1
