"""Do the theories' own figures reproduce: Dao et al. (2019) on MNIST, Wu et al. (2020) simulated?

Figures (docs/guides/figures/*.svg, and one page with all of them, work/theory-figures.html)
and what the papers lead one to expect, written before the run:

- objectives: during training on the exact augmented objective, its first-order approximation
  (averaged features) lies below it, and the second-order one (plus variance) much closer.
- agreement: of models trained side by side from one start, the second-order one agrees most with
  the exact one and has the least KL divergence, then first order, then no augmentation at all.
- alignment: operations that raise kernel target alignment (rotation, crop, blur) raise accuracy,
  flips lower both.
- layers: averaging at a deeper layer costs more and keeps more of the accuracy.
- points: with little noise, the error falls with every label-preserving point; with much noise and
  a small penalty it peaks where the points just fill the space, and a larger penalty removes the
  peak.
- kinds: composed operations add more than one operation; changed labels hurt; mixup lowers the
  variance and raises the bias, like a larger penalty.
- greedy: taking the best point first needs only a few points to reach what a random order reaches
  with all of them.
- strength: accuracy on unseen states rises with the number of composed operations, then falls;
  neighbours vote like the kernel, with disagreement falling like one over the root of the draws.
- evidence: the marginal likelihood of rotated digits is largest at a wider range than that of
  upright ones.

Changed after a first look, with the expectations left unchanged: the rate of LeNet decays to zero
(one seed at a fixed rate differed by ten points from noise alone); the glyphs have 4 x 3 pixels and
unequal classes (8 x 8 ones were told apart at any strength). Added: the two comparisons of LeNet
with no augmentation.

Two measurements at scale, of networks and of the kernel, are in theory_scale.py and run last.

Sizes: 1,000 training digits, 1,000 random Fourier features, 9 copies, every second test digit, 5
seeds (the papers use all 60,000 digits, 10,000 features, 12 to 68 copies, 10 seeds); LeNet: 500
digits, 5 copies, 12 epochs. Hardware: CPU, 1 thread per cell, about 8 core-minutes, and about an
hour for the measurements at scale (networks: 500 digits, 8 trainings; kernel: 10,000 digits, 4,000
features, 9 copies, 4 GB of memory). Cells are lines of results/theory-figures.jsonl.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/theory_figures.py [--jobs 1] [--draw] [--try]
(``--draw`` only draws the stored measurements and rebuilds the page; ``--try`` runs the code of the
measurements at scale in tiny sizes and stores nothing.)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import nn

import theory_drawings as drawings
from automorph.engine import apply
from automorph.experiments import paired_difference
from automorph.operations import OPERATIONS, SearchSpace, Sequences, Stream
from automorph.theory import (
    MarkovChain,
    add_greedily,
    agreement,
    alignment_gain,
    averaging_cost,
    divergence,
    draw_problem,
    fit_linear,
    fourier_features,
    layer_loss,
    layer_objectives,
    nearest_shares,
    range_evidence,
    reach,
    ridge_error,
    split_at,
)
from automorph.theory.objectives import objectives_of, value_and_slope
from cells import Cells
from record import claim, write_result
from theory_digits import (
    OPERATIONS_OF,
    accuracy,
    copies_of,
    lenet,
    pixels,
    sampled,
    tested_digits,
)
from theory_scale import (
    cell_names,
    clear,
    judged,
    measure_scale,
    scale_claims,
    scale_rows,
    try_out,
)

SEEDS, EXAMPLES, FEATURES = 5, 1000, 1000
ORDERS = ("original", "first", "second", "exact")
CELLS = Cells("theory-figures")

KERNEL = [name for name in OPERATIONS_OF if name != "few rotations"]


def compared(scores: dict[str, Any]) -> dict[str, Any]:
    return {
        order: {"agreement": agreement(scores["exact"], scores[order]),
                "divergence": divergence(scores["exact"], scores[order])}
        for order in ORDERS[:-1]
    }  # fmt: skip


def side_by_side(phi: Any, labels: Any, tested: Any, seed: int, epochs: int = 15) -> Any:
    """Train linear models from one start on the same batches, each with its own objective."""
    n, _, d = phi.shape
    seen = {"original": phi[:, :1], "first": phi.mean(1, keepdims=True), "second": phi,
            "exact": phi}  # fmt: skip
    weights = {order: np.zeros((d, 10)) for order in ORDERS}
    pushed = {order: np.zeros((d, 10)) for order in ORDERS}
    rng, history = np.random.default_rng(seed), []
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(n), n // 100):
            for order in ORDERS:
                x = seen[order][rows]
                kind: Any = "second" if order == "second" else "exact"
                _, slope = value_and_slope(x @ weights[order], labels[rows], order=kind)
                step = np.tensordot(x, slope, axes=([0, 1], [0, 1])) + 1e-5 * weights[order]
                pushed[order] = 0.9 * pushed[order] + step
                weights[order] -= 2.0 * pushed[order]
        found = objectives_of(phi @ weights["exact"], labels)
        history.append({
            "objectives": {order: getattr(found, order) for order in ORDERS},
            **compared({order: tested @ weights[order] for order in ORDERS}),
        })  # fmt: skip
    return history


def kernel_cell(seed: int) -> Any:
    """Measure alignment and accuracy of each operation with random Fourier features of digits."""
    images, labels = sampled(seed, EXAMPLES)
    test, test_labels = tested_digits(2)
    features = fourier_features(784, gamma=0.003, components=FEATURES, seed=seed)
    tested = features(pixels(test))
    plain = features(pixels(images))[:, None]
    base = fit_linear(plain, labels, iterations=60)
    rows = {"base": accuracy(base(tested), test_labels)}
    for name in KERNEL:
        phi = features(pixels(copies_of(images, name, seed)))
        model = fit_linear(phi, labels, iterations=60)
        gains = [alignment_gain(phi[:, 0], phi, labels, centred=c, draws=0) for c in (True, False)]
        rows[name] = {
            "accuracy": accuracy(model(tested), test_labels),
            "centred": gains[0].value,
            "uncentred": gains[1].value,
        }
        if name in ("rotation", "crop", "blur"):
            rows[name]["history"] = side_by_side(phi, labels, tested, seed)
    return rows


def lenet_cell(seed: int, epochs: int = 12) -> Any:
    """Train LeNets from one start under rotation: objectives, and averaging at each layer."""
    torch.manual_seed(seed)
    start = lenet().state_dict()
    images, labels = sampled(seed, EXAMPLES // 2)
    x = torch.tensor(pixels(copies_of(images, "few rotations", seed)), dtype=torch.float32)
    x, y = x.reshape(*x.shape[:2], 1, 28, 28), torch.tensor(labels)
    images, test_labels = tested_digits(4)
    test = torch.tensor(pixels(images), dtype=torch.float32).reshape(-1, 1, 28, 28)
    arms: dict[str, tuple[int, str]] = {order: (4, order) for order in ORDERS}
    arms |= {f"layer {k}": (k, "first") for k in range(4)}
    models, turns = {}, {}
    for arm in arms:
        models[arm] = lenet()
        models[arm].load_state_dict(start)
        turns[arm] = torch.optim.SGD(models[arm].parameters(), lr=0.02, momentum=0.9,
                                     weight_decay=1e-3)  # fmt: skip
    rng, history = np.random.default_rng(seed), []
    for epoch in range(epochs):
        # The rate decays to zero; otherwise models would differ by the noise of their last steps.
        for turn in turns.values():
            turn.param_groups[0]["lr"] = 0.02 * (1 - epoch / epochs)
        for rows in np.array_split(rng.permutation(len(y)), len(y) // 25):
            for arm, (layer, order) in arms.items():
                split = split_at(models[arm], layer)
                chosen, kind = (x[rows, :1], "exact") if order == "original" else (x[rows], order)
                turns[arm].zero_grad()
                layer_loss(split, chosen, y[rows], order=kind).backward()  # type: ignore[arg-type]
                turns[arm].step()
        found = layer_objectives(split_at(models["exact"], 4), x, y)
        history.append({
            "objectives": {order: getattr(found, order) for order in ORDERS},
            **compared({order: tested(models[order], test) for order in ORDERS}),
        })  # fmt: skip
    last = {arm: accuracy(tested(model, test), test_labels) for arm, model in models.items()}
    return {"history": history, "accuracy": last}


def tested(model: nn.Module, test: torch.Tensor) -> Any:
    with torch.no_grad():
        return model(test).double().numpy()


COUNTS = (0, 1, 2, 3, 5, 8, 10, 12, 15, 18, 20, 22, 25, 28, 30, 33, 36, 40)


def linear_cell(seed: int) -> Any:
    """Errors after adding points, on random problems (100 features, 40 examples of rank 20)."""
    rows: dict[str, Any] = {"points": {}, "kinds": {}, "greedy": {}}
    for problem in (draw_problem(seed=1000 * seed + k) for k in range(4)):
        one, two = problem.maps
        for noise, penalty in ((0.1, 1), (0.1, 4), (0.5, 1), (0.5, 4)):
            errors = [
                problem.error(noise=noise, penalty=penalty, added=[(one, count)] if count else [])
                for count in COUNTS
            ]
            kept = rows["points"].setdefault(f"{noise},{penalty}", [])
            kept.append([[e.bias, e.variance] for e in errors])
        held = {"noise": 0.1, "penalty": 1}
        tries: dict[str, Any] = {
            "nothing": problem.error(**held),
            "one operation, 40 points": problem.error(added=[(one, 40)], **held),
            "and 40 composed": problem.error(added=[(one, 40), (one @ two, 40)], **held),
            "label changed, 40": problem.error(added=[(problem.wrong, 40)], **held),
        }
        loud = {"noise": 0.5, "penalty": 1}
        tries["centred, noisy: nothing"] = problem.centred().error(**loud)
        tries["centred, noisy: mixup 400"] = problem.centred().mixup_error(count=400, **loud)
        for what, error in tries.items():
            rows["kinds"].setdefault(what, []).append([error.bias, error.variance])
        candidates = np.concatenate([problem.rows @ one.T, problem.rows @ (one @ two).T])
        mixing, shuffled = np.tile(np.eye(40), (2, 1)), np.random.default_rng(seed).permutation(80)
        held = {"noise": 0.3, "penalty": 1}
        best = add_greedily(problem.rows, candidates, problem.beta, mixing=mixing, count=40, **held)
        rows["greedy"].setdefault("best first", []).append(
            [best.errors[min(count, len(best.order))].total for count in COUNTS]
        )
        rows["greedy"].setdefault("random order", []).append(
            [random_order(problem, candidates, mixing, shuffled[:count], held) for count in COUNTS]
        )
    return rows


def random_order(problem: Any, candidates: Any, mixing: Any, taken: Any, held: Any) -> float:
    noises = np.concatenate([np.eye(40), mixing[taken]])
    rows = np.concatenate([problem.rows, candidates[taken]])
    return ridge_error(rows, problem.beta, mixing=noises, **held).total


STRENGTHS = tuple(float(b) for b in 10.0 ** np.arange(-1.0, 2.51, 0.25))
DRAWS = tuple(int(t) for t in 10.0 ** np.arange(2.0, 5.01, 0.5))
SHAPES = ("100 100 100 100", "111 000 000 000", "110 110 000 000", "100 010 001 000")
SEEN = (5, 3, 2, 2)


def chain_cell(seed: int) -> Any:
    """Four glyphs of 4 x 3 pixels on a torus; shifts (rate 2/3) and pixels that flip (1/3)."""
    rng = np.random.default_rng(seed)
    shapes = np.array([[[c == "1" for c in row] for row in s.split()] for s in SHAPES])

    def noisy(label: int, place: int, pixel: int) -> Any:
        glyph = np.roll(shapes[label], divmod(place, 3), (0, 1)).copy()
        glyph.flat[pixel] ^= True
        return glyph

    def flip(pixel: int) -> Callable[[Any], Any]:
        return lambda states: states ^ (np.arange(12) == pixel).reshape(4, 3)

    labels = np.repeat(np.arange(4), SEEN)
    starts = np.stack([noisy(c, *rng.integers(0, 12, 2)) for c in labels])
    tested = np.stack([noisy(c, i, j) for c in range(4) for i in range(12) for j in range(12)])
    truth = np.repeat(np.arange(4), 144)
    moves = [lambda s, a=a, d=d: np.roll(s, d, a) for a in (1, 2) for d in (1, -1)]
    moves += [flip(pixel) for pixel in range(12)]
    whole = reach(starts, moves, rates=[1 / 6] * 4 + [1 / 36] * 12)
    flat = whole.states.reshape(len(whole), -1).astype(float)
    asked = tested.reshape(len(tested), -1).astype(float)
    state = (np.abs(asked[:, None] - flat[None]).sum(2) == 0).argmax(1)

    def votes(chain: MarkovChain, count: int, k: int) -> Any:
        walk = chain.sample(count, seed=seed)
        drawn = flat[walk.state], labels[walk.source]
        return nearest_shares(*drawn, asked, k=k, classes=4).argmax(1)

    found: dict[str, Any] = {"accuracy": [], "neighbours": [], "disagreement": []}
    for strength in STRENGTHS:
        chain = replace(whole, rates=whole.rates * strength, strength=strength)
        share = chain.posterior(labels)[state].argmax(1)
        found["accuracy"].append(float((share == truth).mean()))
        found["neighbours"].append(float((votes(chain, 1000, 5) == truth).mean()))
    chain = replace(whole, rates=whole.rates * 3.0, strength=3.0)
    best = chain.posterior(labels)[state].argmax(1)
    for count in DRAWS:
        found["disagreement"].append(
            float((votes(chain, count, round(count**0.5 / 3)) != best).mean())
        )
    return found | {"states": len(whole)}


RANGES = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)


def evidence_cell(seed: int) -> Any:
    """The marginal likelihood of rotation ranges, for upright and for rotated digits."""
    images, labels = sampled(seed, 200)
    rng = np.random.default_rng(seed)

    def turned(x: Any, degrees: Any) -> Any:
        values = np.broadcast_to(degrees, (len(x),))
        rotate = OPERATIONS["Rotate"]
        space = SearchSpace("turn", (rotate.between(-180, 180),))
        made = np.empty_like(x)
        for value in np.unique(values):
            rows = values == value
            held = SearchSpace(space.name, (rotate.at(float(value)),))
            steps = Sequences.of(np.zeros((rows.sum(), 1)), 1.0)
            stream = Stream(index=np.arange(rows.sum()))
            made[rows] = apply(x[rows], steps, held, stream, interpolation="bilinear")
        return made

    found = {}
    for name, data in (
        ("upright", images),
        ("turned by up to 45 degrees", turned(images, rng.uniform(-45, 45, len(images)).round())),
    ):
        seen = range_evidence(
            data, labels, lambda x, v: pixels(turned(x, v)), RANGES, copies=9,
            gammas=[0.001, 0.002, 0.004],
        )  # fmt: skip
        found[name] = [evidence.value / len(images) for evidence in seen.evidence]
    return found


KINDS: dict[str, Callable[[int], Any]] = {
    "linear": linear_cell,
    "chain": chain_cell,
    "evidence": evidence_cell,
    "kernel": kernel_cell,
    "lenet": lenet_cell,
}


def measure(kind: str, seed: int) -> Any:
    """Run one cell."""
    torch.set_num_threads(1)
    return KINDS[kind](seed)


def read(kind: str) -> list[Any]:
    return [CELLS[f"{kind}-{seed}"] for seed in range(SEEDS)]


def claims() -> Iterator[Any]:
    kernel, deep, linear = read("kernel"), read("lenet"), read("linear")
    chain, evidence = read("chain"), read("evidence")

    def gap(history: Any, order: str) -> float:
        found = history[-1]["objectives"]
        return abs(found[order] - found["exact"])

    runs = {f"random features, {name}": [cell[name]["history"] for cell in kernel]
            for name in ("rotation", "crop", "blur")}  # fmt: skip
    runs["LeNet, rotation"] = [cell["history"] for cell in deep]
    for name, histories in runs.items():
        first, second = ([gap(h, order) for h in histories] for order in ("first", "second"))
        yield judged(f"{name}: second order is closer to the exact objective than first order",
                     first, second)  # fmt: skip
    for name, histories in runs.items():
        for a, b in (("second", "first"), ("first", "original")):
            yield judged(
                f"{name}: the {a}-order model agrees with the exact one more than {b}",
                [h[-1][a]["agreement"] for h in histories],
                [h[-1][b]["agreement"] for h in histories],
            )
            yield judged(
                f"{name}: the {a}-order model diverges less from the exact one than {b} (KL)",
                [h[-1][b]["divergence"] for h in histories],
                [h[-1][a]["divergence"] for h in histories],
            )
    for kind in ("centred", "uncentred"):
        ranks = []
        for cell in kernel:
            change = [cell[name]["accuracy"] - cell["base"] for name in KERNEL]
            ranks.append(spearmanr([cell[n][kind] for n in KERNEL], change)[0])
        yield judged(f"{kind} alignment gain and accuracy change rise together (Spearman)",
                     ranks, [0.0] * len(ranks))  # fmt: skip
    for name in ("h-flip", "both flips"):
        for kind in ("uncentred", "centred"):
            yield clear(judged(f"{name} lowers {kind} alignment", [0.0] * len(kernel),
                              [cell[name][kind] for cell in kernel]))  # fmt: skip
        yield judged(f"{name} lowers accuracy", [cell["base"] for cell in kernel],
                     [cell[name]["accuracy"] for cell in kernel])  # fmt: skip
    for better in ("exact", "first"):
        name = {"exact": "training on every copy", "first": "averaging at layer 4"}[better]
        yield judged(f"LeNet: {name} beats no augmentation",
                     [cell["accuracy"][better] for cell in deep],
                     [cell["accuracy"]["original"] for cell in deep])  # fmt: skip
    for k in range(4):
        after = "first" if k == 3 else f"layer {k + 1}"
        yield judged(f"LeNet: averaging at layer {k + 1} beats averaging at layer {k}",
                     [cell["accuracy"][after] for cell in deep],
                     [cell["accuracy"][f"layer {k}"] for cell in deep])  # fmt: skip

    def error(cell: Any, what: str, part: slice = slice(None)) -> float:
        return float(np.array(cell["kinds"][what])[:, part].sum(1).mean())

    quiet = [np.array(cell["points"]["0.1,1"]).sum(2).mean(0) for cell in linear]
    steps = float(max(np.diff(row).max() for row in quiet))
    yield claim("little noise: the error falls with every step of added points (largest step)",
                round(steps, 4), None, steps < 0)  # fmt: skip
    for a, b, text in (
        ("one operation, 40 points", "and 40 composed", "composed points lower the error further"),
        ("label changed, 40", "nothing", "points whose label changed raise the error"),
    ):
        yield judged(text, [error(c, a) for c in linear], [error(c, b) for c in linear])
    noisy = [np.array(cell["points"]["0.5,1"]).sum(2).mean(0) for cell in linear]
    strong = [np.array(cell["points"]["0.5,4"]).sum(2).mean(0) for cell in linear]
    yield judged("much noise, small penalty: a peak above the error of adding nothing",
                 [row.max() for row in noisy], [row[0] for row in noisy])  # fmt: skip
    yield judged("a larger penalty lowers the peak", [row.max() for row in noisy],
                 [row.max() for row in strong])  # fmt: skip
    base, mixed = "centred, noisy: nothing", "centred, noisy: mixup 400"
    variance, bias = slice(1, 2), slice(0, 1)
    yield judged("mixup lowers the variance", [error(c, base, variance) for c in linear],
                 [error(c, mixed, variance) for c in linear])  # fmt: skip
    yield judged("mixup raises the bias", [error(c, mixed, bias) for c in linear],
                 [error(c, base, bias) for c in linear])  # fmt: skip
    greedy = [np.mean(cell["greedy"]["best first"], axis=0) for cell in linear]
    random = [np.mean(cell["greedy"]["random order"], axis=0) for cell in linear]
    eight = COUNTS.index(8)
    yield judged("8 points taken greedily are better than 40 in random order",
                 [row[-1] for row in random], [row[eight] for row in greedy])  # fmt: skip
    curves = [np.array(cell["neighbours"]) for cell in chain]
    middle = [float(row.max()) for row in curves]
    yield judged("the best strength is better than the weakest", middle, [r[0] for r in curves])
    yield judged("the best strength is better than the strongest", middle, [r[-1] for r in curves])
    yield judged("neighbours disagree less with the kernel after many draws than after few",
                 [cell["disagreement"][0] for cell in chain],
                 [cell["disagreement"][-1] for cell in chain])  # fmt: skip
    best = {name: [RANGES[int(np.argmax(cell[name]))] for cell in evidence] for name in evidence[0]}
    upright, turned = best.values()
    yield judged("evidence: the best range of turned digits is wider than that of upright ones",
                 turned, upright)  # fmt: skip


def rows() -> list[Any]:
    """The rows shown in the guide's tables."""
    kernel, deep = read("kernel"), read("lenet")
    found: list[Any] = []
    for name in KERNEL:
        row: dict[str, Any] = {"operation": name}
        for key in ("uncentred", "centred"):
            gain = paired_difference([cell[name][key] for cell in kernel], [0.0] * len(kernel))
            row |= {key: gain.mean, f"{key} interval": [gain.low, gain.high]}
        change = [cell[name]["accuracy"] - cell["base"] for cell in kernel]
        found.append(row | {"change": float(np.mean(change))})
    times = [123, 94, 41, 40, 30]
    for arm in deep[0]["accuracy"]:
        layer = {"first": 4, "exact": 5}.get(arm, int(arm[-1]) if arm.startswith("layer") else None)
        work = None if layer is None else averaging_cost(times, layer=layer, copies=5)
        found.append({"lenet": arm, "work": work,
                      "accuracy": [cell["accuracy"][arm] for cell in deep]})  # fmt: skip
    return found


def draw() -> None:
    """Draw all figures from the measurements."""
    album, found, kernel = drawings.Album(), rows(), read("kernel")
    runs = {f"{name}, random features": [cell[name]["history"] for cell in kernel]
            for name in ("rotation", "crop", "blur")}  # fmt: skip
    runs["rotation, LeNet"] = [cell["history"] for cell in read("lenet")]
    drawings.draw_approximations(album, runs)
    drawings.draw_alignment(album, kernel, KERNEL)
    drawings.draw_layers(album, {row["lenet"]: row for row in found if "lenet" in row})
    drawings.draw_linear(album, read("linear"), COUNTS)
    drawings.draw_chain(album, read("chain"), STRENGTHS, DRAWS)
    drawings.draw_evidence(album, read("evidence"), RANGES)
    print(drawings.draw_page(album))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--try", dest="tiny", action="store_true", help="tiny sizes, not stored")
    chosen = parser.parse_args()
    if chosen.tiny:
        try_out()
        return
    if not chosen.draw:
        cells = {f"{kind}-{seed}": (kind, seed) for kind in KINDS for seed in range(SEEDS)}
        CELLS.run(measure, cells, jobs=chosen.jobs)
        CELLS.run(measure_scale, cell_names(), jobs=chosen.jobs)
    report("theory-figures", list(claims()), rows())
    if all(cell in CELLS for cell in cell_names()):
        report("theory-scale", list(scale_claims(read)), scale_rows(read))
    draw()


def report(name: str, found: list[Any], measured: list[Any]) -> None:
    """Print and write a result."""
    words = {True: "holds", False: "FAILS", None: "unclear"}
    for made in found:
        print(words[made["holds"]], made["text"], made["value"], made["interval"])
    write_result(name, rows=measured, claims=found, data="mnist", seeds=SEEDS)


if __name__ == "__main__":
    main()
