"""Checks for an operation: a function with one magnitude, as `automorph.operation` makes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automorph import engine
from automorph.operations import (
    KERNELS,
    NOTHING,
    Operation,
    SearchSpace,
    Sequences,
    Stream,
)
from automorph.policies import Mixture, Step, follow
from automorph.testing.checks import Check, Kit, require, require_equal, require_picklable
from automorph.testing.samples import (
    examples_of,
    fitted_space,
    global_randomness,
    other_global_randomness,
)

KIT = Kit(
    "operation",
    lambda one: isinstance(one, Operation),
    "an operation: decorate a function with automorph.operation, or pass find_operation(name)",
)


def operation_checks() -> list[Check]:
    """Return the checks for an operation, each a function of the operation.

    >>> [check.name for check in operation_checks()][:2]
    ['values_lie_in_the_range', 'shape_and_type_are_kept']
    """
    return list(KIT)


def check_operation(
    operation: Operation, *, examples: Any = None, skip: Iterable[str] = ()
) -> None:
    """Run all checks for an operation.

    ``examples`` is a batch that suits it (default: eight small images, texts or vectors), and
    ``skip`` names checks to leave out. Raises one `AssertionError` that lists all failures.

    >>> from automorph.operations import find_operation
    >>> check_operation(find_operation("Rotate"))
    """
    KIT.run(operation, examples=examples, skip=skip)


@KIT.add
def values_lie_in_the_range(operation: Operation, *, examples: Any = None) -> None:
    """Magnitudes from 0 to 1 become values within the range, ever farther from magnitude 0."""
    ends = [operation.low, operation.high]
    ends += [] if operation.identity is None else [operation.identity]
    require(
        np.isfinite(ends).all(),
        f"range and identity are {ends}",
        "finite numbers",
        "declare range=(low, high) and identity= as finite numbers",
    )
    magnitudes = np.linspace(0, 1, 11)
    slack = 1e-9 * max(1.0, abs(operation.low), abs(operation.high))
    for sign in (1.0, -1.0):
        values = np.asarray(operation.values(magnitudes, np.full(11, sign)))
        require(
            values.shape == (11,)
            and (values >= operation.low - slack).all()
            and (values <= operation.high + slack).all(),
            f"values of magnitudes 0 to 1 are {values.tolist()}",
            f"numbers from {operation.low:g} to {operation.high:g}, one per magnitude",
            "correct `values`, or declare the range that they have",
        )
        away = np.abs(values - values[0])
        require(
            (np.diff(away) >= -slack).all(),
            f"values of magnitudes 0 to 1 are {values.tolist()}",
            "values that move away from that of magnitude 0",
            "a larger magnitude must be stronger; to make it stronger towards the low end, set "
            "identity= to the high end",
        )
        if operation.signed:
            require(
                values[0] == operation.identity and sign * (values[-1] - values[0]) > 0,
                f"with sign {sign:+g}, values run from {values[0]:g} to {values[-1]:g}",
                f"a way from the identity {operation.identity:g} to the end on that side",
                "the sign must choose the side of the identity",
            )


@KIT.add
def shape_and_type_are_kept(operation: Operation, *, examples: Any = None) -> None:
    """The result has the shape and type of the examples, in memory of its own."""
    batch = _batch(operation, examples)
    before = batch.copy()
    if batch.dtype.kind != "T":
        batch.flags.writeable = False
    for magnitude in (0.0, 0.5, 1.0):
        out = _apply(operation, batch, magnitude)
        require(
            out.shape == before.shape and out.dtype == before.dtype,
            f"at magnitude {magnitude:g}, {before.dtype} {before.shape} became "
            f"{out.dtype} {out.shape}",
            "the same shape and type",
            "convert the result, as in np.clip(result, 0, 255).astype(np.uint8)",
        )
        require(
            not np.shares_memory(out, batch),
            f"at magnitude {magnitude:g}, the result shares memory with the examples",
            "a result of its own",
            "return a copy",
        )
    require_equal(
        batch, before, "the examples were changed", "untouched examples", "work on a copy"
    )


@KIT.add
def identity_changes_nothing(operation: Operation, *, examples: Any = None) -> None:
    """The value ``identity`` leaves every example unchanged."""
    if operation.identity is None:
        return
    batch = _batch(operation, examples)
    if operation.identity_at_zero:
        require_equal(
            _apply(operation, batch, 0.0),
            batch,
            "magnitude 0 changes examples",
            f"no change, because {operation.identity:g} is declared as identity",
            "correct the function at that value, or leave out identity=",
        )
    if operation.function is None:
        return
    # The engine skips identity values, so the function itself is called.
    for number, example in enumerate(batch.tolist() if batch.dtype.kind == "T" else batch):
        out = operation(example, operation.identity)
        if operation.batched and out is not None and batch.dtype.kind == "f":
            out = np.asarray(out, batch.dtype)
        require(
            out is None or np.array_equal(out, example),
            f"the function with the value {operation.identity:g} changes example {number}",
            "no change, because that value is declared as identity",
            "correct the function at that value, or leave out identity=",
        )


@KIT.add
def full_strength_changes_something(operation: Operation, *, examples: Any = None) -> None:
    """Magnitude 1 changes at least one example, unless the only value is the identity."""
    if operation.magnitude_free and operation.low == operation.identity:
        return
    batch = _batch(operation, examples)
    if operation.function is None and operation.kernel == "Identity":
        return
    changed = (_apply(operation, batch, 1.0, epoch=epoch) != batch for epoch in range(3))
    require(
        any(differs.any() for differs in changed),
        "magnitude 1 changes no example in three epochs",
        "a change",
        "check that the function returns its result; pass examples= on which it acts",
    )


@KIT.add
def results_depend_on_their_place_only(operation: Operation, *, examples: Any = None) -> None:
    """Seed, epoch, example, copy and position decide all randomness, and nothing else does."""
    batch = _batch(operation, examples)
    with other_global_randomness(1):
        first = _apply(operation, batch)
    with other_global_randomness(2):
        before = global_randomness()
        again = _apply(operation, batch)
        moved = [name for name, state in global_randomness().items() if before.get(name) != state]
    require_equal(
        again,
        first,
        "the same call gave two results",
        "the same result",
        "draw random numbers only from the parameter rng",
    )
    require(
        not [name for name in moved if name in before],
        f"the global generators {', '.join(moved)} were used or seeded",
        "untouched global generators",
        "draw random numbers only from the parameter rng",
    )
    if _draws(operation) or operation.partner:
        return
    for place in ({"seed": 1}, {"epoch": 1}, {"copy": 1}, {"position": 1}):
        require_equal(
            _apply(operation, batch, **place),
            first,
            f"the result depends on the {next(iter(place))}",
            "a fixed result, because the operation takes no random numbers",
            "take a parameter rng, and draw from it only",
        )


@KIT.add
def declared_randomness_varies(operation: Operation, *, examples: Any = None) -> None:
    """An operation with a sign, or declared as random, differs between seeds and examples."""
    if not (operation.random or operation.signed) or operation.partner:
        return
    batch = _batch(operation, examples)
    alike = np.repeat(batch[:1], 24, axis=0)
    index = np.arange(24)
    first = _apply(operation, alike, 0.8, index=index)
    what = "random" if operation.random else "signed (its identity lies inside the range)"
    require(
        (first[0] != first).any(),
        f"24 equal examples have equal results, but the operation is {what}",
        "different results",
        "use the value's sign and the example's random numbers, or declare another range",
    )
    for place in ({"seed": 1}, {"epoch": 1}, {"copy": 1}, {"position": 1}):
        require(
            (first != _apply(operation, alike, 0.8, index=index, **place)).any(),
            f"the result does not depend on the {next(iter(place))}, but the operation is {what}",
            "other random numbers for each seed, epoch, copy and position",
            "draw from the random numbers that the operation receives",
        )


@KIT.add
def batch_equals_single_examples(operation: Operation, *, examples: Any = None) -> None:
    """A batch gives the same as its examples one by one."""
    if _combines(operation):
        return
    batch = _batch(operation, examples)
    together = _apply(operation, batch)
    for row in range(len(batch)):
        require_equal(
            _apply(operation, batch, rows=[row]),
            together[[row]],
            f"example {row} has another result alone than in its batch",
            "the same result",
            "compute each example from itself, its value and its rng only",
        )


@KIT.add
def order_and_split_change_nothing(operation: Operation, *, examples: Any = None) -> None:
    """Any order and any split of a batch give the same examples."""
    if _combines(operation):
        return
    batch = _batch(operation, examples)
    together = _apply(operation, batch)
    for cut, order in enumerate((np.arange(len(batch))[::-1], np.roll(np.arange(len(batch)), 3))):
        for rows in np.split(order, [cut + 2]):
            require_equal(
                _apply(operation, batch, rows=rows),
                together[rows],
                f"rows {rows.tolist()} have other results in another order or split",
                "the same results",
                "keep no state between calls",
            )


@KIT.add
def masks_and_points_follow(operation: Operation, *, examples: Any = None) -> None:
    """An operation that declares where pixels go moves masks and points as it moves images."""
    kernel = KERNELS.get(operation.kernel)
    if operation.domain != "image" or not (kernel and (kernel.matrix or kernel.read)):
        return
    images, points = _spots()
    steps = ((Step(operation.name, 1.0, 0.3),),)
    policy = Mixture(label="check", operations=SearchSpace("one", (operation,)), subpolicies=steps)
    masks = (images[..., 0] > 127).astype(np.int32) * 70_000
    out = follow(policy, images, masks=masks, points=points, seed=3)
    require_equal(
        out.images,
        policy.augment(images, seed=3),
        "images differ with and without masks",
        "the same images",
        "draw the same numbers in `read` or `matrix` as in `numpy`",
    )
    shown = out.images[..., 0] > 127
    same = float((shown == (out.masks == 70_000)).mean()) if out.masks is not None else 0.0
    require(
        same > 0.98,
        f"masks agree with the image in {same:.1%} of the pixels",
        "more than 98 %",
        "`read` or `matrix` must give the positions from which `numpy` reads",
    )
    gaps = _distances(shown, out.points or [])
    require(
        len(gaps) and max(gaps) < 1.5,
        f"points lie {max(gaps, default=0):.1f} pixels from what they mark",
        "at most 1.5 pixels",
        "`read` or `matrix` must give the positions from which `numpy` reads",
    )


@KIT.add
def worker_processes_get_it(operation: Operation, *, examples: Any = None) -> None:
    """It survives pickling, by which it reaches worker processes, and then does the same."""
    remedy = "define the function at the top level of a module, not inside a function or as lambda"
    copy = require_picklable(operation, "an operation", remedy)
    require(copy == operation, "a pickled copy differs", "an equal copy", remedy)
    batch = _batch(operation, examples)
    require_equal(
        _apply(copy, batch),
        _apply(operation, batch),
        "a pickled copy gives other results",
        "the same results",
        "keep no state in the function",
    )


def _batch(operation: Operation, examples: Any) -> NDArray[Any]:
    return np.array(examples_of(operation.domain) if examples is None else examples)


def _apply(
    operation: Operation,
    batch: NDArray[Any],
    magnitude: float | None = None,
    *,
    rows: Any = None,
    position: int = 0,
    **place: Any,
) -> NDArray[Any]:
    """Apply the operation to rows of the batch (all), at magnitudes that differ between rows."""
    chosen = np.arange(len(batch)) if rows is None else np.asarray(rows)
    strengths = (
        np.linspace(0.2, 1, len(batch)) if magnitude is None else np.full(len(batch), magnitude)
    )
    op = np.full((len(chosen), position + 1), NOTHING)
    op[:, position] = 0
    index = place.pop("index", np.arange(len(batch)) + 100)
    return engine.apply(
        batch[chosen],
        Sequences.of(op, strengths[chosen][:, None]),
        fitted_space(SearchSpace("one", (operation,))),
        Stream(index=index[chosen], **place),
    )


def _draws(operation: Operation) -> bool:
    """Return whether results may depend on random numbers."""
    words = operation.domain == "text" and operation.function is None
    return operation.random or operation.signed or words or _takes_rng(operation)


def _takes_rng(operation: Operation) -> bool:
    function = operation.function
    return function is not None and "rng" in inspect.signature(function).parameters


def _combines(operation: Operation) -> bool:
    """Return whether the result for an example may depend on others of its batch."""
    return operation.partner or (operation.batched and _takes_rng(operation))


def _spots() -> tuple[NDArray[np.uint8], list[NDArray[np.float64]]]:
    """Return dark images with a bright square each, and the centres of the squares."""
    rng = np.random.default_rng(0)
    images = np.zeros((12, 48, 64, 3), np.uint8)
    points = []
    for image in images:
        x, y = rng.integers(20, 44), rng.integers(16, 32)
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
        points.append(np.array([[x + 0.5, y + 0.5]]))
    return images, points


def _distances(shown: NDArray[np.bool_], points: list[NDArray[np.float64]]) -> list[float]:
    """Return how far each point lies from the centre of what is shown, where all of it is."""
    gaps = []
    for image, point in zip(shown, points, strict=True):
        y, x = np.nonzero(image)
        edge = len(x) and (min(x.min(), y.min()) == 0 or x.max() == 63 or y.max() == 47)
        if len(x) >= 9 and not edge:
            gaps.append(float(np.hypot(x.mean() + 0.5 - point[0, 0], y.mean() + 0.5 - point[0, 1])))
    return gaps
