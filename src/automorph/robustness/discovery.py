"""Slices without a name: discovered in embeddings, and tested on other examples.

Two methods. *Domino* (Eyuboglu et al. 2022): a mixture over embedding, label and prediction, so
that a slice is a region where errors gather. *GEORGE* (Sohoni et al. 2020): clusters within each
class, which do not use errors.

A slice found by its errors has more of them by construction. So slices are found on one half of
the examples, the other half is assigned to them by embeddings and labels alone, and only its
errors count: if they were spread at random within each class, the largest excess of all slices
would be as large in a share ``p`` of permutations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from automorph.data import Dataset
from automorph.errors import DataError, UsageError
from automorph.robustness.gmm import GaussianMixture, clusters, fit, principal
from automorph.robustness.intersections import coded_columns
from automorph.robustness.metrics import deficits, wilson
from automorph.targets import Classes

Method = Literal["domino", "george"]
Floats = NDArray[np.float64]

SMALLEST = 20
"""Slices with fewer held-out examples than this are not reported."""
LEAST = 5 * SMALLEST
"""Fewest examples in which slices are looked for."""


@dataclass(frozen=True)
class Slice:
    """A slice of a class: its accuracy on held-out examples, and what describes it.

    ``n``, ``accuracy``, ``low`` and ``high`` (Wilson) are of held-out examples; ``rest`` is the
    held-out accuracy of the others of the class. ``p`` is that of the largest excess of errors
    among all slices in permutations. ``rows`` are all its examples, ``telling`` those nearest its
    centre, ``separating`` the metadata that sets it apart: column, value, its share inside and
    outside.
    """

    class_name: str
    name: str
    n: int
    accuracy: float
    low: float
    high: float
    rest: float
    p: float
    alarm: bool
    rows: tuple[int, ...]
    telling: tuple[int, ...]
    separating: tuple[tuple[str, str, float, float], ...]


def can_discover(data: Dataset) -> bool:
    """Return True if the validation part has enough examples to look for slices in it."""
    return len(data.validation or ()) >= LEAST


def discover(
    features: NDArray[np.floating[Any]],
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64],
    classes: tuple[str, ...],
    *,
    method: Method = "domino",
    metadata: Mapping[str, NDArray[Any]] | None = None,
    components: int = 25,
    dimensions: int = 32,
    rate: float = 0.05,
    permutations: int = 1000,
    seed: int = 0,
) -> tuple[Slice, ...]:
    """Return slices of a class with more errors than the rest of it, strongest evidence first.

    ``features`` are embeddings ``(n, d)``. If a model's errors are independent of the embeddings,
    at most a share ``rate`` of calls returns any slice with an alarm. Raises `DataError` for fewer
    than 100 examples or features that are not finite.
    """
    if method not in ("domino", "george"):
        raise UsageError(f"got method={method!r}; expected domino or george")
    _check(features, labels)
    rng = np.random.default_rng(seed)
    correct = Classes(len(classes)).correct(predictions, labels)
    x = principal(np.asarray(features, np.float64), dimensions)
    testing = np.zeros(len(labels), bool)
    for label in np.unique(labels):  # Half of every class, so that no class is lost.
        rows = rng.permutation(np.flatnonzero(labels == label))
        testing[rows[len(rows) // 2 :]] = True
    if method == "domino":
        model = _domino(
            x[~testing], labels[~testing], predictions[~testing], len(classes), components, rng
        )
        component = model.assign(x, labels)
    else:
        component = _george(x, labels, ~testing, rng)
    cells = labels * (component.max() + 1) + component
    tested, p = _tests(cells[testing], labels[testing], correct[testing], permutations, rng)
    slices = [
        _describe(cell, p_value, cells, testing, x, labels, correct, classes, metadata or {}, rate)
        for cell, p_value in zip(tested, p, strict=True)
    ]
    worse = [one for one in slices if one.accuracy < one.rest]
    return tuple(sorted(worse, key=lambda one: (one.p, one.accuracy)))


def _domino(
    x: Floats,
    labels: NDArray[np.int64],
    predictions: NDArray[np.int64],
    classes: int,
    components: int,
    rng: np.random.Generator,
) -> GaussianMixture:
    """Fit the error-aware mixture, initialised with the cells of the confusion matrix."""
    confusion = labels * classes + predictions
    cells, sizes = np.unique(confusion, return_counts=True)
    components = int(np.clip(len(x) // SMALLEST, 2, components))
    # Several components share the commonest cells; rare errors get one each.
    order = cells[np.argsort(-sizes)]
    own = np.resize(order, components)
    noise = rng.uniform(0.5, 1.5, (len(x), components))
    start = np.where(confusion[:, None] == own, 1.0, 0.02) * noise
    return fit(x, start, labels=labels, predictions=predictions, classes=classes)


def _george(
    x: Floats, labels: NDArray[np.int64], first_half: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return clusters within each class, fitted on the first half."""
    cluster = np.zeros(len(x), np.int64)
    for label in np.unique(labels):
        rows = labels == label
        if (rows & first_half).any():  # A class of one example is one cluster.
            cluster[rows] = clusters(x[rows & first_half], rng).assign(x[rows])
    return cluster


def _tests(
    cells: NDArray[np.int64],
    labels: NDArray[np.int64],
    correct: NDArray[np.bool_],
    permutations: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], Floats]:
    """Return the cells that are large enough, and each one's p-value for the largest excess.

    Permuting errors within a class draws the errors of its cells from a multivariate
    hypergeometric distribution, which is sampled directly.
    """
    excesses: list[tuple[int, float]] = []
    largest = np.full(permutations, -np.inf)
    for label in np.unique(labels):
        mine = labels == label
        names, cell = np.unique(cells[mine], return_inverse=True)
        n = np.bincount(cell)
        wrong = np.bincount(cell, ~correct[mine]).astype(np.int64)
        total, errors = int(n.sum()), int(wrong.sum())
        usable = (n >= SMALLEST) & (n < total)
        if not usable.any() or errors in (0, total):
            continue
        share = errors / total
        spread = np.sqrt(n * share * (1 - share) * (total - n) / max(1, total - 1))
        drawn = rng.multivariate_hypergeometric(n, errors, permutations)
        with np.errstate(divide="ignore", invalid="ignore"):
            excess = (wrong - n * share) / spread
            chance = (drawn - n * share) / spread
        largest = np.maximum(largest, chance[:, usable].max(axis=1))
        excesses += list(zip(names[usable].tolist(), excess[usable].tolist(), strict=True))
    kept = np.array([cell for cell, _ in excesses], np.int64)
    p = [(1 + (largest >= value - 1e-9).sum()) / (1 + permutations) for _, value in excesses]
    return kept, np.array(p, np.float64)


def _describe(
    cell: int,
    p: float,
    cells: NDArray[np.int64],
    testing: NDArray[np.bool_],
    x: Floats,
    labels: NDArray[np.int64],
    correct: NDArray[np.bool_],
    classes: tuple[str, ...],
    metadata: Mapping[str, NDArray[Any]],
    rate: float,
) -> Slice:
    inside = cells == cell
    label = int(labels[inside][0])
    mine = labels == label
    n, right = int((inside & testing).sum()), int((inside & testing & correct).sum())
    rest = correct[mine & testing & ~inside]
    low, high = wilson(right, n)
    rows = np.flatnonzero(inside)
    distance = ((x[rows] - x[rows].mean(axis=0)) ** 2).sum(axis=1)
    # Errors first: they show how the model fails on the slice.
    order = np.lexsort((distance, correct[rows]))
    return Slice(
        classes[label], f"{classes[label]} {cell}", n, right / n, float(low), float(high),
        float(rest.mean()), float(p), bool(p < rate),
        tuple(rows.tolist()), tuple(rows[order][:12].tolist()),
        separating(inside[mine], {name: column[mine] for name, column in metadata.items()}),
    )  # fmt: skip


def separating(
    inside: NDArray[np.bool_], metadata: Mapping[str, NDArray[Any]], *, rate: float = 0.01
) -> tuple[tuple[str, str, float, float], ...]:
    """Return values of columns that are commoner inside than outside.

    Each is a tuple of column, value, and both shares. Fisher's exact tests, Bonferroni over all
    values; the clearest three.
    """
    coded = coded_columns(metadata)
    looked = sum(len(names) for _, names in coded.values())
    rows = []
    for column, (codes, names) in coded.items():
        for code, value in enumerate(names):
            has = codes == code
            counts = np.array([(has & inside).sum(), (has & ~inside).sum()])
            sizes = np.array([inside.sum(), (~inside).sum()])
            p = float(deficits(sizes - counts, sizes)[0]) * looked
            shares = counts / np.maximum(sizes, 1)
            if p < rate:
                rows.append((p, (column, value, float(shares[0]), float(shares[1]))))
    return tuple(row for _, row in sorted(rows)[:3])


def _check(features: NDArray[Any], labels: NDArray[np.int64]) -> None:
    if len(features) != len(labels) or features.ndim != 2:
        raise DataError(
            f"got features of shape {features.shape} for {len(labels):,} examples; expected one "
            "row per example"
        )
    if not np.isfinite(features).all():
        raise DataError(
            "the features contain NaN or infinity; expected finite numbers: check the network"
        )
    if len(labels) < LEAST:
        raise DataError(
            f"got {len(labels)} examples for slice discovery; expected at least {LEAST}, "
            "because slices found in one half are tested on the other: use a larger part"
        )
