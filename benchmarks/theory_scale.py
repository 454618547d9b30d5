"""The theory at scale: networks on MNIST, and a kernel with 10,000 digits and 4,000 features.

Part of theory_figures.py, which runs the cells and states the hardware. What the papers lead one to
expect, written before the run:

- networks (Wu et al. 2020, as in the linear setting's figure): operations that keep the label of a
  digit (rotation, shift, crop) lower the bias; composed operations lower it further than each
  alone; an operation that changes labels (the horizontal flip) raises it; mixup lowers the
  variance.
- kernel (Dao et al. 2019): averaging over rotation, crop and blur raises the uncentred alignment;
  the second order is closer to the exact objective than the first, with a regulariser of about the
  gap between them; the second-order model agrees with the exact one more than the first-order
  model and than the one that penalises variance without averaging.

Bias and variance are those of the squared error of predicted probabilities over ``repeats``
networks, each trained on its own 500 digits: ``E |p - y|^2 = |E p - y|^2 + E |p - E p|^2``, without
the bias of a finite number of repeats. All networks take the same number of steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from automorph.experiments import paired_difference
from automorph.theory import agreement, divergence, fourier_features
from automorph.theory.objectives import objectives_of, value_and_slope
from record import claim
from theory_digits import (
    OPERATIONS_OF,
    accuracy,
    copies_of,
    lenet,
    pixels,
    sampled,
    tested_digits,
)

SEEDS = 5
NETWORKS = ("mlp", "lenet")
ARMS = ("none", "rotation", "shift", "crop", "rotation + shift", "rotation + shift + crop",
        "h-flip", "mixup")  # fmt: skip
KERNELS = ("rotation", "crop", "blur")
ORDERS = ("original", "variance", "first", "second", "exact")


@dataclass(frozen=True)
class Sizes:
    """How much is computed: the sizes of the result, and those of a trial of the code."""

    examples: int = 500
    repeats: int = 8
    steps: int = 400
    batch: int = 50
    every: int = 4
    digits: int = 10_000
    features: int = 4000
    epochs: int = 4
    chunk: int = 1000


FULL = Sizes()
TINY = Sizes(
    examples=50, repeats=2, steps=5, digits=200, features=60, epochs=1, every=100, chunk=70
)


def composed(name: str) -> list[list[tuple[str, float]]]:
    """The copies of ``a + b``: copy i has copy i of a, then another copy of b."""
    first, *others = (OPERATIONS_OF[part] for part in name.split(" + "))
    made = [list(draws) for draws in first]
    for number, other in enumerate(others, 1):
        # Steps of 3 and 5 through 8 copies pair each of a with another of b.
        stride = 2 * number + 1
        made = [
            [*draws, *other[(stride * i + number) % len(other)]] for i, draws in enumerate(made)
        ]
    return made


def network(kind: str) -> nn.Module:
    if kind == "lenet":
        return nn.Sequential(nn.Unflatten(1, (1, 28, 28)), *lenet())
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def trained(kind: str, copies: Any, labels: Any, *, mixup: bool, seed: int, sizes: Sizes) -> Any:
    """Train a network on copies ``(n, T, 784)``, each equally often."""
    torch.manual_seed(seed)
    model, rate = network(kind), {"mlp": 0.05, "lenet": 0.02}[kind]
    turn = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=1e-4)
    falling = torch.optim.lr_scheduler.LinearLR(turn, 1.0, 0.0, total_iters=sizes.steps)
    x = torch.tensor(copies, dtype=torch.float32)
    y = nn.functional.one_hot(torch.tensor(labels), 10).float()
    rng = np.random.default_rng(seed)
    for _ in range(sizes.steps):
        rows, copy = rng.integers(0, len(x), sizes.batch), rng.integers(0, x.shape[1], sizes.batch)
        seen, target = x[rows, copy], y[rows]
        if mixup:
            share, partner = float(rng.uniform()), rng.permutation(sizes.batch)
            seen = share * seen + (1 - share) * seen[partner]
            target = share * target + (1 - share) * target[partner]
        turn.zero_grad()
        nn.functional.cross_entropy(model(seen), target).backward()
        turn.step()
        falling.step()
    return model


def bias_and_variance(predicted: Any, labels: Any) -> dict[str, float]:
    """Decompose the squared error of probabilities ``(repeats, n, C)``, without bias.

    >>> p = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> bias_and_variance(p, np.array([0]))
    {'bias': 0.0, 'variance': 1.0, 'error': 0.5}
    """
    repeats, truth = len(predicted), np.eye(predicted.shape[2])[labels]
    mean = predicted.mean(0)
    variance = float(np.square(predicted - mean).sum(2).mean()) * repeats / (repeats - 1)
    bias = float(np.square(mean - truth).sum(1).mean()) - variance / repeats
    wrong = float((predicted.argmax(2) != labels).mean())
    return {"bias": bias, "variance": variance, "error": wrong}


def networks_cell(kind: str, seed: int, sizes: Sizes = FULL) -> Any:
    """Bias and variance of one kind of network under every arm, over the same sets of digits."""
    images, test_labels = tested_digits(sizes.every)
    test = torch.tensor(pixels(images), dtype=torch.float32)
    found: dict[str, Any] = {}
    for arm in ARMS:
        predicted = []
        for repeat in range(sizes.repeats):
            number = 1000 * seed + repeat
            data, labels = sampled(number, sizes.examples)
            plain = arm in ("none", "mixup")
            copies = data[:, None] if plain else copies_of(data, arm, number, composed(arm))
            model = trained(
                kind, pixels(copies), labels, mixup=arm == "mixup", seed=number, sizes=sizes
            )
            with torch.no_grad():
                predicted.append(model(test).softmax(1).double().numpy())
        found[arm] = bias_and_variance(np.stack(predicted), test_labels)
    return found


def scale_cell(name: str, seed: int, sizes: Sizes = FULL) -> Any:
    """Alignment, regulariser and models of every order with random features of one operation."""
    began = time.perf_counter()
    images, labels = sampled(seed, sizes.digits)
    test, test_labels = tested_digits(2)
    map_of = fourier_features(784, gamma=0.003, components=sizes.features, seed=seed)
    parts = range(0, len(images), sizes.chunk)
    phi = np.concatenate([
        map_of(pixels(copies_of(images[i : i + sizes.chunk], name, seed))).astype(np.float32)
        for i in parts
    ])  # fmt: skip
    tested = map_of(pixels(test)).astype(np.float32)
    averaged = phi.mean(1)
    before, after = alignments(phi[:, 0], labels), alignments(averaged, labels)
    gains = {kind: after[kind] - before[kind] for kind in before}
    weights = side_by_side(phi, averaged, labels, seed, sizes)
    found = objectives_of(scores_of(phi, weights["exact"]), labels)
    scores = {order: tested @ weights[order] for order in ORDERS}
    return {
        **gains,
        "objectives": {order: float(getattr(found, order)) for order in ORDERS},
        "regulariser": found.regulariser,
        "accuracy": {order: accuracy(scores[order], test_labels) for order in ORDERS},
        "agreement": {order: agreement(scores["exact"], scores[order]) for order in ORDERS},
        "divergence": {order: divergence(scores["exact"], scores[order]) for order in ORDERS},
        "seconds": time.perf_counter() - began,
    }


def alignments(phi: Any, labels: Any) -> dict[str, float]:
    """Both alignments from one product of features: `automorph.theory.alignment`, in float32."""
    n, counts = len(phi), np.bincount(labels).astype(float)
    mean = phi.mean(0, dtype=np.float64)
    gram = (phi.T @ phi).astype(np.float64)
    sums = np.stack([phi[labels == c].sum(0, dtype=np.float64) for c in range(len(counts))])
    pairs = float(np.square(counts).sum())
    found = {"uncentred": np.square(sums).sum() / (np.linalg.norm(gram) * np.sqrt(pairs))}
    gram -= n * np.outer(mean, mean)
    sums -= counts[:, None] * mean
    pairs += (pairs / n) ** 2 - 2 / n * float((counts**3).sum())
    found["centred"] = np.square(sums).sum() / (np.linalg.norm(gram) * np.sqrt(pairs))
    return {kind: float(value) for kind, value in found.items()}


def scores_of(phi: Any, weights: Any) -> Any:
    return (phi.reshape(-1, phi.shape[2]) @ weights).reshape(*phi.shape[:2], -1)


def side_by_side(phi: Any, averaged: Any, labels: Any, seed: int, sizes: Sizes) -> dict[str, Any]:
    """Train linear models from one start on the same batches, each with its own objective."""
    n, _, d = phi.shape
    seen = {"original": phi[:, :1], "first": averaged[:, None]}
    kinds: dict[str, Any] = {"second": "second", "variance": "variance"}
    weights = {order: np.zeros((d, 10), np.float32) for order in ORDERS}
    pushed = {order: np.zeros((d, 10), np.float32) for order in ORDERS}
    rng = np.random.default_rng(seed)
    for epoch in range(sizes.epochs):
        rate = 2.0 * (1 - epoch / sizes.epochs)
        for rows in np.array_split(rng.permutation(n), max(1, n // 100)):
            whole = phi[rows]
            for order in ORDERS:
                x = seen[order][rows] if order in seen else whole
                _, slope = value_and_slope(
                    scores_of(x, weights[order]), labels[rows], order=kinds.get(order, "exact")
                )
                flat = slope.reshape(-1, 10).astype(np.float32)
                step = x.reshape(-1, d).T @ flat + 1e-5 * weights[order]
                pushed[order] = 0.9 * pushed[order] + step
                weights[order] -= rate * pushed[order]
    return weights


KINDS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "networks": (networks_cell, NETWORKS),
    "scale": (scale_cell, KERNELS),
}


def cell_names() -> dict[str, tuple[str, str, int]]:
    """Every cell by name: its kind, what it measures, and its seed."""
    return {
        f"{kind}-{what}-{seed}": (kind, what, seed)
        for kind, (_, subjects) in KINDS.items()
        for what in subjects
        for seed in range(SEEDS)
    }


def measure_scale(kind: str, what: str, seed: int) -> Any:
    """Run one cell."""
    torch.set_num_threads(1)
    return KINDS[kind][0](what, seed)


def judged(text: str, values: Any, baseline: Any) -> Any:
    """The claim that values lie above a baseline, pair by pair."""
    d = paired_difference(values, baseline)
    interval = None if d.low is None else [round(d.low, 4), round(d.high or 0.0, 4)]
    # If all pairs differ by the same amount, there is no interval.
    return claim(text, round(d.mean, 4), interval, (d.mean if d.low is None else d.low) > 0)


def clear(made: Any) -> Any:
    """The claim, neither held nor refuted if its interval covers 0."""
    low, high = made["interval"] or (0.0, 0.0)
    return {**made, "holds": None} if low <= 0 <= high else made


def scale_claims(read: Callable[[str], list[Any]]) -> Iterator[Any]:
    """The claims; ``read`` returns the cells of a kind and what it measures, seed by seed."""
    for kind in NETWORKS:
        cells = read(f"networks-{kind}")

        def of(arm: str, what: str, cells: list[Any] = cells) -> list[float]:
            return [cell[arm][what] for cell in cells]

        for arm in ("rotation", "shift", "crop"):
            yield clear(judged(f"{kind}: {arm} lowers the bias", of("none", "bias"),
                              of(arm, "bias")))  # fmt: skip
        for arm in ("rotation", "shift"):
            yield clear(judged(f"{kind}: rotation + shift has less bias than {arm}",
                              of(arm, "bias"), of("rotation + shift", "bias")))  # fmt: skip
        yield clear(judged(f"{kind}: rotation + shift + crop has less bias than rotation + shift",
                          of("rotation + shift", "bias"),
                          of("rotation + shift + crop", "bias")))  # fmt: skip
        yield clear(judged(f"{kind}: the horizontal flip raises the bias", of("h-flip", "bias"),
                          of("none", "bias")))  # fmt: skip
        yield clear(judged(f"{kind}: mixup lowers the variance", of("none", "variance"),
                          of("mixup", "variance")))  # fmt: skip
    for name in KERNELS:
        cells = read(f"scale-{name}")
        yield clear(judged(f"10,000 digits: {name} raises uncentred alignment",
                          [cell["uncentred"] for cell in cells], [0.0] * len(cells)))  # fmt: skip
        gaps = {order: [abs(cell["objectives"][order] - cell["objectives"]["exact"])
                        for cell in cells] for order in ORDERS}  # fmt: skip
        yield clear(judged(f"10,000 digits, {name}: second order is closer to the exact objective "
                          "than first order", gaps["first"], gaps["second"]))  # fmt: skip
        for other in ("first", "variance"):
            yield clear(judged(f"10,000 digits, {name}: the second-order model agrees with the "
                              f"exact one more than the {other}-order model",
                              [cell["agreement"]["second"] for cell in cells],
                              [cell["agreement"][other] for cell in cells]))  # fmt: skip


def scale_rows(read: Callable[[str], list[Any]]) -> list[Any]:
    """The rows of the tables: means and intervals over seeds."""
    found: list[Any] = []
    for kind in NETWORKS:
        cells = read(f"networks-{kind}")
        for arm in ARMS:
            row: dict[str, Any] = {"network": kind, "arm": arm}
            for what in ("bias", "variance", "error"):
                row[what] = [cell[arm][what] for cell in cells]
            found.append(row)
    for name in KERNELS:
        cells = read(f"scale-{name}")
        share = [cell["regulariser"] / (cell["objectives"]["exact"] - cell["objectives"]["first"])
                 for cell in cells]  # fmt: skip
        found.append({
            "kernel": name, "regulariser": [cell["regulariser"] for cell in cells],
            "share of the gap": share, "uncentred": [cell["uncentred"] for cell in cells],
            "centred": [cell["centred"] for cell in cells],
            "accuracy": {order: [cell["accuracy"][order] for cell in cells] for order in ORDERS},
        })  # fmt: skip
    return found


def try_out() -> None:
    """Run every kind of cell in a tiny size, and print what it finds; nothing is stored."""
    for kind, (work, subjects) in KINDS.items():
        for what in subjects:
            began = time.perf_counter()
            print(kind, what, work(what, 0, TINY), f"{time.perf_counter() - began:.1f} s")
