"""Checks for an augmenter: a method that runs inside training, and the value that builds it."""

from __future__ import annotations

import copy
import json
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from automorph.models import begin_training, evaluating
from automorph.policies import Policy
from automorph.testing.checks import Check, Kit, require, require_equal
from automorph.testing.samples import one_thread, other_global_randomness, small_task
from automorph.training import (
    Augmenter,
    AugmenterSpec,
    Batch,
    Epoch,
    RawBatch,
    RunResult,
    Task,
    Units,
    steps_per_epoch,
    train,
)

KIT = Kit(
    "augmenter",
    lambda one: isinstance(one, AugmenterSpec) or callable(one),
    "an in-training method such as as_treatment(name), or a function that builds an Augmenter",
)
Method = AugmenterSpec | Callable[[], Augmenter]
SEED = 3


def augmenter_checks() -> list[Check]:
    """Return the checks for an augmenter, each a function of the method.

    >>> [check.name for check in augmenter_checks()][:2]
    ['the_method_is_a_value', 'batches_fit']
    """
    return list(KIT)


def check_augmenter(method: Method, *, task: Task | None = None, skip: Iterable[str] = ()) -> None:
    """Run all checks for an in-training method.

    ``method`` is an `AugmenterSpec` (such as an `InTrainingMethod`), or a function without
    arguments that builds an `Augmenter`, such as its class. ``task`` is what to train (default:
    `small_task`); two short trainings are run. ``skip`` names checks to leave out. Raises one
    `AssertionError` that lists all failures.

    >>> from automorph.augmenters import as_treatment
    >>> check_augmenter(as_treatment("views(m=2)"))
    """
    KIT.run(method, task=task, skip=skip)


@KIT.add
def the_method_is_a_value(method: Method, *, task: Task | None = None) -> None:
    """A named method equals its copy, can be pickled, and describes itself as plain JSON."""
    _require_json(_build(method).describe(), "`describe` of the augmenter")
    if not isinstance(method, AugmenterSpec):
        return
    remedy = "make it a frozen dataclass whose fields are plain values and policies"
    for how, twin in (
        ("a copy", copy.deepcopy(method)),
        ("a pickled copy", pickle.loads(pickle.dumps(method))),
    ):
        require(twin == method, f"{how} differs", "an equal copy", remedy)
        require(hash(twin) == hash(method), f"{how} has another hash", "equal hashes", remedy)
        same = twin.describe() == method.describe()
        require(same, f"{how} has another description", "the same description", remedy)
    _require_json(method.describe(), "`describe`")
    require(
        isinstance(method.name, str) and method.name,
        f"the name is {method.name!r}",
        "a text that is not empty",
        "derive it from the options",
    )
    require(
        isinstance(method.policy, Policy),
        f"its policy is {type(method.policy).__name__}",
        "the policy of its views before anything is learned",
        "return a Policy from `policy`",
    )
    require(
        method.build() is not method.build(),
        "`build` gives the same object twice",
        "a new augmenter for each training",
        "create the augmenter in `build`",
    )


@KIT.add
def batches_fit(method: Method, *, task: Task | None = None) -> None:
    """Inputs are finite, labels sum to 1, and all views of an example are adjacent."""
    for step in _Drive(method, task).epoch(0):
        raw, batch = step.raw, step.batch
        rows = len(batch)
        require(
            isinstance(batch, Batch) and rows > 0 and rows % batch.views == 0,
            f"a batch has {rows} rows of {batch.views} views",
            "a Batch with a multiple of `views` rows",
            "make it with raw.batch(...)",
        )
        lengths = (len(batch.inputs), len(batch.index))
        require(
            lengths == (rows, rows) and (batch.weights is None or len(batch.weights) == rows),
            f"inputs and index have {lengths} rows, for {rows} labels",
            "as many rows of each",
            "pass labels= and index= with the examples",
        )
        require(
            bool(batch.inputs.float().isfinite().all()),
            "inputs are not finite",
            "finite inputs",
            "encode bytes with raw.encode",
        )
        sums = batch.labels.sum(dim=1)
        require(
            batch.labels.ndim == 2
            and bool((batch.labels >= 0).all())
            and torch.allclose(sums, torch.ones_like(sums), atol=1e-5),
            f"labels sum to {sums.tolist()[:4]}",
            "soft labels of shape (rows, classes) that sum to 1",
            "repeat or mix the labels of the raw batch",
        )
        require(
            bool(np.isin(batch.index, raw.index).all()),
            "the index names examples outside the raw batch",
            "numbers from raw.index",
            "repeat raw.index like the examples",
        )
        views = batch.index.reshape(-1, batch.views)
        require(
            bool((views == views[:, :1]).all()),
            f"{batch.views} consecutive rows belong to several examples",
            "all views of an example in adjacent rows",
            "order rows by example, then by view",
        )
        require(
            batch.weights is None or bool(((batch.weights >= 0) & batch.weights.isfinite()).all()),
            "weights are negative or not finite",
            "finite weights of at least 0",
            "clip the weights",
        )


@KIT.add
def inputs_are_untouched(method: Method, *, task: Task | None = None) -> None:
    """The raw batch, the weights of the network and its gradients stay as they were."""
    drive = _Drive(method, task)
    raw = drive.raw(0, 0)
    examples, labels = raw.examples.copy(), raw.labels.copy()
    weights = {name: value.clone() for name, value in drive.model.state_dict().items()}
    drive.call(raw)
    remedy = "work on copies; pass gradients only to inputs or to networks of your own"
    require_equal(raw.examples, examples, "examples of the raw batch changed", "no change", remedy)
    require_equal(raw.labels, labels, "labels of the raw batch changed", "no change", remedy)
    changed = [
        name for name, value in drive.model.state_dict().items()
        if not torch.equal(value, weights[name])
    ]  # fmt: skip
    require(
        not changed,
        f"the network's {', '.join(changed[:3])} changed",
        "no change: training alone updates the network",
        f"{remedy}; score in evaluation mode, which keeps statistics of batch norm",
    )
    left = [name for name, value in drive.model.named_parameters() if value.grad is not None]
    require(not left, f"gradients were left on {', '.join(left[:3])}", "no gradients", remedy)


@KIT.add
def batches_depend_on_their_place_only(method: Method, *, task: Task | None = None) -> None:
    """Two new augmenters make the same batches, whatever the global generators and each other."""
    with other_global_randomness(1):
        first = [step.batch for step in _Drive(method, task).epoch(0)]
    with other_global_randomness(2):
        second = [step.batch for step in _Drive(method, task).epoch(0)]
    _require_same(
        first,
        second,
        "two new augmenters made different batches of the same rows",
        "draw from a Stream of raw.seed, raw.epoch and raw.numbers, and keep no state in the class",
    )


@KIT.add
def repeats_draw_differently(method: Method, *, task: Task | None = None) -> None:
    """If batches differ between epochs, an example that comes again in an epoch differs too."""
    first, later, again = (
        drive.call(replace(drive.raw(epoch, 0), occurrence=np.full(len(drive.raw(0, 0)), times)))
        for drive, epoch, times in ((_Drive(method, task), *at) for at in ((0, 0), (1, 0), (0, 1)))
    )
    require(
        torch.equal(first.inputs, later.inputs) or not torch.equal(first.inputs, again.inputs),
        "an example gets the same draw each time that it comes in an epoch",
        "other draws for repeats, as in another epoch",
        "pass raw.numbers to the Stream, not raw.index",
    )


@KIT.add
def split_batches_give_the_same(method: Method, *, task: Task | None = None) -> None:
    """Unless `whole_batch` is true, an example's views do not depend on the rest of its batch."""
    if _build(method).whole_batch:
        return
    whole = _Drive(method, task)
    raw = whole.raw(0, 0)
    half = len(raw) // 2
    parts = [
        _Drive(method, task).call(raw.rows(rows)) for rows in (slice(0, half), slice(half, None))
    ]
    together = whole.call(raw)
    joined = torch.cat([part.inputs for part in parts])
    require(
        joined.shape == together.inputs.shape and torch.allclose(joined, together.inputs),
        "a batch in two halves gives other views",
        "the same views",
        "set whole_batch = True if examples interact; else compute each from itself",
    )


@KIT.add
def losses_fit(method: Method, *, task: Task | None = None) -> None:
    """`loss` gives one finite number per row, with a finite gradient."""
    for step in _Drive(method, task).epoch(0):
        require(
            step.losses.shape == (len(step.batch),),
            f"losses have shape {tuple(step.losses.shape)}, for {len(step.batch)} rows",
            "one loss per row",
            "return losses without averaging them",
        )
        require(
            bool(step.losses.isfinite().all()) and step.losses.requires_grad,
            "losses are not finite, or have no gradient",
            "finite losses that depend on the logits",
            "compute them from the logits, in log space",
        )
        (gradient,) = torch.autograd.grad(step.losses.mean(), step.logits)
        require(
            bool(gradient.isfinite().all()),
            "the gradient of the losses is not finite",
            "a finite gradient",
            "clamp before log, sqrt and division",
        )


@KIT.add
def unlabelled_examples_take_part(method: Method, *, task: Task | None = None) -> None:
    """If it asks for unlabelled examples, their views are adjacent and have one loss per row."""
    drive = _Drive(method, task)
    size = drive.task.recipe.batch_size
    count = drive.augmenter.unlabelled_rows(size)
    require(
        isinstance(count, int) and count >= 0,
        f"`unlabelled_rows` returned {count!r}",
        "a whole number of at least 0",
        "return how many examples a batch of that size needs, or 0",
    )
    if not count:
        return
    batch = drive.call(drive.raw(0, 0))
    rest = batch.unlabelled
    require(
        rest is not None and len(rest) > 0 and len(rest) % rest.views == 0,
        f"{count} unlabelled examples gave {0 if rest is None else len(rest)} rows",
        "a batch `unlabelled` with all views of the examples of raw.unlabelled",
        "make one, or return 0 from `unlabelled_rows`",
    )
    assert rest is not None
    index = rest.index.reshape(-1, rest.views)
    require(
        bool((index == index[:, :1]).all()) and not bool(rest.labels.any()),
        "unlabelled rows of several examples are mixed, or have labels",
        "all views of an example in adjacent rows, with labels of zeros",
        "order rows by example, then by view, and use the labels of raw.unlabelled",
    )
    logits = drive.logits(rest)
    losses = drive.augmenter.unlabelled_loss(logits, batch)
    require(
        losses.shape == (len(rest),) and bool(losses.isfinite().all()) and losses.requires_grad,
        f"unlabelled losses have shape {tuple(losses.shape)}, or are not finite",
        f"one finite loss that depends on the logits for each of {len(rest)} rows",
        "return losses without averaging them from `unlabelled_loss`",
    )


@KIT.add
def costs_are_counted(method: Method, *, task: Task | None = None) -> None:
    """`units` gives whole numbers of examples, at least 0, and `feedback` gives nothing."""
    for step in _Drive(method, task).epoch(0):
        units = step.units
        counts = (units.forward, units.backward) if isinstance(units, Units) else ()
        require(
            counts and all(isinstance(count, int) and count >= 0 for count in counts),
            f"the units are {units!r}",
            "Units of whole numbers, at least 0",
            "count rows passed through the network beyond the plain step on the batch",
        )
        require(
            step.answer is None, f"feedback returned {step.answer!r}", "None",
            "keep what you learn in the augmenter",
        )  # fmt: skip


@KIT.add
def epochs_are_complete(method: Method, *, task: Task | None = None) -> None:
    """`epoch_rows` gives as many batches as a plain epoch, of rows that exist, reproducibly."""
    used = _task(task)
    n, size = len(used.data.train), used.recipe.batch_size
    rows = [_build(method).epoch_rows(n, size, seed=SEED, epoch=1) for _ in range(2)]
    wanted = steps_per_epoch(n, size)
    require(
        len(rows[0]) == wanted,
        f"an epoch has {len(rows[0])} batches",
        f"{wanted}, as many as a plain epoch",
        "give each batch some of the rows that you choose",
    )
    numbers = np.concatenate([np.asarray(one) for one in rows[0]])
    require(
        numbers.dtype.kind == "i" and (numbers >= 0).all() and (numbers < n).all(),
        f"rows run from {numbers.min()} to {numbers.max()}, of type {numbers.dtype}",
        f"whole numbers from 0 to {n - 1}",
        "number rows of the training part",
    )
    same = all(np.array_equal(a, b) for a, b in zip(*rows, strict=True))
    require(same, "a second call gives other rows", "the same rows", "draw from seed and epoch")


@KIT.add
def state_restores_it(method: Method, *, task: Task | None = None) -> None:
    """An augmenter that loads the state of another after an epoch goes on like it."""
    drive, resumed = _Drive(method, task), _Drive(method, task)
    with one_thread():
        list(drive.epoch(0))
        facts = drive.augmenter.end_epoch(EPOCH)
        _require_json(facts, "the result of `end_epoch`")
        state = drive.augmenter.state_dict()
        require(
            all(isinstance(name, str) and isinstance(v, Tensor) for name, v in state.items()),
            f"the state has {sorted({type(v).__name__ for v in state.values()})}",
            "tensors by name, which checkpoints can hold",
            "wrap numbers as torch.tensor(number)",
        )
        resumed.augmenter.load_state_dict({name: v.clone() for name, v in state.items()})
        first, second = ([step.batch for step in one.epoch(1)] for one in (drive, resumed))
    _require_same(
        first,
        second,
        "after loading its state, another augmenter makes other batches",
        "return everything that was learned from `state_dict`, and restore it",
    )


@KIT.add
def resumed_training_is_the_same(method: Method, *, task: Task | None = None) -> None:
    """A training that stops after an epoch and resumes has the same weights, cost and records."""
    used = _task(task)
    with tempfile.TemporaryDirectory() as folder, one_thread():
        options: dict[str, Any] = {
            "seed": SEED, "parts": ("validation",), "workers": 0, "progress": False,
        }  # fmt: skip
        once = train(used, _trained(method), **options)
        train(used, _trained(method), folder=folder, stop_epoch=1, **options)
        again = train(used, _trained(method), folder=folder, **options)
    first, second = _weights(once), _weights(again)
    differ = [name for name, value in first.items() if not torch.equal(value, second[name])]
    require(
        not differ,
        f"a resumed training has other weights ({', '.join(differ[:3])})",
        "the same weights, to the bit",
        "return everything that was learned from `state_dict`, and restore it",
    )
    for what, one, two in (
        ("units", once.units, again.units),
        ("records", *([epoch.augmenter for epoch in run.curves] for run in (once, again))),
    ):
        require(
            one == two,
            f"a resumed training has the {what} {two}",
            f"{one}, as without a stop",
            "return everything that was learned from `state_dict`, and restore it",
        )


EPOCH = Epoch(
    epoch=1, lr=0.05, loss=2.0, accuracy=0.3, validation_loss=2.1, validation_accuracy=0.25,
    validation_score=0.25,
)  # fmt: skip
"""The record of a finished epoch."""


@dataclass(frozen=True, eq=False)
class _Step:
    """One step of a training: what the augmenter received and gave."""

    raw: RawBatch
    batch: Batch
    logits: Tensor
    losses: Tensor
    units: Units
    answer: Any


class _Drive:
    """A new augmenter with a network that is not updated, driven as the training loop does."""

    def __init__(self, method: Method, task: Task | None) -> None:
        self.task = _task(task)
        self.augmenter = _build(method)
        self.model: nn.Module = self.task.build(SEED)
        begin_training(self.model)

    def raw(self, epoch: int, step: int, rows: Any = None) -> RawBatch:
        """Return a raw batch of the training part: the first rows, unless ``rows`` are given."""
        part, size = self.task.data.train, self.task.recipe.batch_size
        index = np.arange(min(size, len(part))) if rows is None else np.asarray(rows, np.int64)
        labels = np.eye(self.task.classes, dtype=np.float32)[part.labels[index]]
        raw = RawBatch(
            part.data[index], labels, index, SEED, epoch, step, self.task.encoder,
            target=self.task.target,
        )  # fmt: skip
        if not (count := self.augmenter.unlabelled_rows(size)):
            return raw
        times, others = np.divmod(step * count + np.arange(count), len(part))
        rest = replace(
            raw, examples=part.data[others], labels=np.zeros((count, labels.shape[1]), np.float32),
            index=len(part) + others, occurrence=times,
        )  # fmt: skip
        return replace(raw, unlabelled=rest)

    def call(self, raw: RawBatch) -> Batch:
        """Return the augmenter's batch; the network is passed only if it is needed."""
        return self.augmenter(raw, self.model if self.augmenter.needs_model else None)

    def epoch(self, epoch: int) -> Iterator[_Step]:
        """Yield the steps of an epoch, with the losses of a fixed network as feedback."""
        n, size = len(self.task.data.train), self.task.recipe.batch_size
        rows = self.augmenter.epoch_rows(n, size, seed=SEED, epoch=epoch)
        for number, some in enumerate(rows):
            raw = self.raw(epoch, number, some)
            batch = self.call(raw)
            units = self.augmenter.units()
            logits = self.logits(batch)
            losses = self.augmenter.loss(logits, batch, smoothing=self.task.recipe.label_smoothing)
            answer: Any = self.augmenter.feedback(losses.detach())  # type: ignore[func-returns-value]
            yield _Step(raw, batch, logits, losses, units, answer)

    def logits(self, batch: Batch) -> Tensor:
        """Return the logits of the network for the labelled rows, as a leaf with a gradient."""
        with evaluating(self.model), torch.no_grad():
            logits = self.model(*batch.arguments)
        return torch.as_tensor(logits).float().detach().requires_grad_()


def _weights(run: RunResult) -> dict[str, Tensor]:
    assert run.model is not None
    return run.model.state_dict()


def _task(task: Task | None) -> Task:
    return small_task() if task is None else task


def _build(method: Method) -> Augmenter:
    return method.build() if isinstance(method, AugmenterSpec) else method()


def _trained(method: Method) -> Any:
    return method if isinstance(method, AugmenterSpec) else method()


def _require_same(first: list[Batch], second: list[Batch], got: str, remedy: str) -> None:
    same = len(first) == len(second) and all(
        np.array_equal(a.index, b.index)
        and torch.equal(a.inputs, b.inputs)
        and torch.equal(a.labels, b.labels)
        and (a.weights is None) == (b.weights is None)
        and (a.weights is None or b.weights is None or torch.equal(a.weights, b.weights))
        for a, b in zip(first, second, strict=False)
    )
    require(same, got, "the same batches, to the bit", remedy)


def _require_json(content: Any, what: str) -> None:
    try:
        json.dumps(content, allow_nan=False)
    except (TypeError, ValueError) as error:
        require(
            False,
            f"{what} is no JSON ({error})",
            "texts, finite numbers, booleans, None, lists, and dicts with texts as keys",
            "convert arrays with tolist()",
        )
