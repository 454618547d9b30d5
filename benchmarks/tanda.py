"""Does TANDA detect operations that destroy the examples, and is its policy useful?

MNIST and CIFAR-10. The space: TANDA's own operations for the data set (25 and 33), and 8 user
functions that destroy images on purpose (pixels in random order, a blank image, a negative, a
quarter turn, heavy noise, halves swapped, every second row black, one corner enlarged). The method
does not know which ones these are.

1. Generators are learned from 5,000 training images without labels, 400 steps, sequences of 5
   operations, for 5 seeds. Measured: the share of destructive operations in their sequences.
2. A network is trained on few labels (MNIST 600, CIFAR-10 1,000; test: the whole published test
   part) under: none; random sequences; the mean-field generator; the LSTM generator; and random
   sequences of the harmless operations alone, which is what somebody who knew the destructive ones
   would use. Seed s uses the generators of seed s; differences are paired. On CIFAR-10 every arm
   applies flip and crop after its own draw.

3. CIFAR-10: random sequences and those of the LSTM again, under transformation regularisation as
   released for 10 % of the labels (weight 0.1, one pass, ten more images a batch, plain in the last
   6 %). The other images are the 5,000 of the generators, without labels.

Expected before the run:
- the learned share of destructive operations is below a third of the random one (MNIST: 24 %,
  CIFAR-10: 20 %), for both generators;
- both generators are better than random sequences, by several points (two in three random sequences
  contain a destructive operation);
- random sequences are worse than none on CIFAR-10 or MNIST; the generators are not worse than none;
- the generators stay within a point of, or above, random sequences of the harmless operations;
- regularised (written down before its first run): the LSTM under regularisation is better than
  without it, and than random sequences under it; random sequences under it are better than without,
  but not than none, since most of them contain a destructive operation (the paper, without such:
  77.5 over 66.0).

The discriminator's rate, its share of random sequences and the resampling were chosen on
Fashion-MNIST with the same eight functions, by the learned share and the ratio; no network was
trained for that, and neither data set of this benchmark was used.

n: 2 data sets x (2 generators + 5 arms) x 5 seeds, and 2 further arms on CIFAR-10 = 20 learnings
and 60 trainings. Hardware: 2 CPU cores, single-threaded cells in parallel; about 35 core-minutes,
and 25 for the further arms. Finished cells are lines of results/tanda-DATA-edge.jsonl, and the same
command does only the missing ones. (results/tanda-DATA.jsonl: with black borders, as in 0.1.)
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/tanda.py [mnist|cifar10]
       [--seeds 5] [--jobs 2] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from automorph.augmenters import Regularised
from automorph.data import load_data
from automorph.operations import SearchSpace, named_space, operation
from automorph.policies import Policy, Uniform, chained, load_policy, save_policy
from automorph.searchers.tanda import learn_generator
from automorph.training import as_task, train
from cells import WORK, Cells
from record import claim, judged, write_result

UNLABELLED = 5000
LENGTH = 5
NETWORKS = ("mean-field", "lstm")
ARMS = ("none", "random", "mean-field", "lstm", "harmless")
REGULARISED = {"random-tr": "random", "lstm-tr": "lstm"}
"""Arms under transformation regularisation, and what their views are drawn from."""


@operation()
def shuffled(image, value, rng):
    """Pixels in random order."""
    pixels = image.reshape(-1, image.shape[2])
    return pixels[rng.permutation(len(pixels))].reshape(image.shape)


@operation()
def blank(image, value):
    """The mean level everywhere."""
    return np.full_like(image, image.mean())


@operation()
def negative(image, value):
    """255 - v."""
    return 255 - image


@operation()
def quarter_turn(image, value):
    """Turned by 90 degrees."""
    return np.ascontiguousarray(np.rot90(image))


@operation()
def heavy_noise(image, value, rng):
    """Normal noise of deviation 120."""
    return np.clip(image + rng.normal(0, 120, image.shape), 0, 255).astype(np.uint8)


@operation()
def halves_swapped(image, value):
    """The lower half above the upper one."""
    return np.roll(image, image.shape[0] // 2, axis=0)


@operation()
def stripes(image, value):
    """Every second row black."""
    out = image.copy()
    out[::2] = 0
    return out


@operation()
def corner(image, value):
    """The upper left quarter, enlarged."""
    part = image[: image.shape[0] // 2, : image.shape[1] // 2]
    return part.repeat(2, axis=0).repeat(2, axis=1)


DESTRUCTIVE = (
    shuffled, blank, negative, quarter_turn, heavy_noise, halves_swapped, stripes, corner,
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """A data set: its harmless space, network, labels, epochs, and the tail shared by all arms."""

    space: str
    model: str
    labels: int
    epochs: int
    tail: str
    regularised: bool = False

    @property
    def arms(self) -> tuple[str, ...]:
        return (*ARMS, *(REGULARISED if self.regularised else ()))

    def operations(self, *, harmless: bool = False) -> SearchSpace:
        space = named_space(self.space)
        return space if harmless else space.with_operations(*DESTRUCTIVE)


SOURCES = {
    "mnist": Source("tanda-mnist", "cnn", 750, 40, "none"),
    "cifar10": Source("tanda-cifar10", "resnet9:16", 1250, 40, "flip-crop", regularised=True),
}


@dataclass(frozen=True)
class Cell:
    """One learning (``kind`` learn) or one training (``kind`` train)."""

    kind: str
    source: str
    arm: str
    seed: int
    tiny: bool = False

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.arm}-{self.seed}"

    def run(self, folder: Path) -> dict[str, Any]:
        torch.set_num_threads(1)
        began = time.process_time()
        facts = self._learn(folder) if self.kind == "learn" else self._train(folder)
        return {**asdict(self), **facts, "core_seconds": round(time.process_time() - began, 1)}

    def _learn(self, folder: Path) -> dict[str, Any]:
        source = SOURCES[self.source]
        learned = learn_generator(
            unlabelled(self.source), source.operations(), generator=self.arm, length=LENGTH,
            steps=4 if self.tiny else 400, width=8, base=load_policy(source.tail), seed=self.seed,
        )  # fmt: skip
        save_policy(learned.policy, policy_path(folder, self))
        shares = learned.policy.shares.mean(axis=0)
        return {
            "destructive": float(shares[-len(DESTRUCTIVE) :].sum()),
            "shares": dict(zip(learned.policy.space.names, shares.round(4).tolist(), strict=True)),
            "ratio": learned.ratio,
            "best": learned.best.step,
            "history": [asdict(look) for look in learned.history],
        }

    def _train(self, folder: Path) -> dict[str, Any]:
        source = SOURCES[self.source]
        task = as_task(
            self.source, limit=100 if self.tiny else source.labels, model=source.model,
            recipe={"epochs": 1 if self.tiny else source.epochs, "defaults": "0.1"},
            unlabelled=unlabelled(self.source) if self.arm in REGULARISED else None,
        )  # fmt: skip
        own, tail = self._policy(folder), load_policy(source.tail)
        policy: Any = tail if own is None else chained(own, tail) if len(tail.space) else own
        if self.arm in REGULARISED and own is not None:
            policy = Regularised(draws=own).surrounded(before=(), after=(tail,))
        result = train(task, policy, seed=self.seed, parts=("test",), progress=False)
        return {"accuracy": result.accuracy["test"], "labelled": len(task.data.train)}

    def _policy(self, folder: Path) -> Policy | None:
        if self.arm in REGULARISED:
            return replace(self, arm=REGULARISED[self.arm])._policy(folder)
        if self.arm == "none":
            return None
        if self.arm in NETWORKS:
            path = policy_path(folder, self)
            if not path.exists():  # Not part of the repository: learn it again.
                self._learn(folder)
            return load_policy(path, operations=DESTRUCTIVE)
        space = SOURCES[self.source].operations(harmless=self.arm == "harmless")
        return Uniform(operations=space, length=LENGTH, low=1.0)


def unlabelled(source: str) -> np.ndarray[Any, Any]:
    """The images from which generators learn."""
    images = load_data(source).train.data
    return np.ascontiguousarray(images[:: len(images) // UNLABELLED][:UNLABELLED])


def policy_path(folder: Path, cell: Cell) -> Path:
    path = folder / "policies" / f"{cell.source}-{cell.arm}-{cell.seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def work(cell: Cell, folder: Path) -> dict[str, Any]:
    return cell.run(folder)


def read(cells: Cells, source: str, kind: str, arm: str, seeds: int) -> list[dict[str, Any]]:
    return [cells[Cell(kind, source, arm, seed).name] for seed in range(seeds)]


def judge(source: str, cells: Cells, seeds: int) -> Iterator[dict[str, Any]]:
    """Judge the expectations."""
    chance = len(DESTRUCTIVE) / len(SOURCES[source].operations())
    for arm in NETWORKS:
        mass = [cell["destructive"] for cell in read(cells, source, "learn", arm, seeds)]
        text = f"{source}, {arm}: share of destructive operations, of {chance:.3f} at random"
        yield claim(text, round(float(np.mean(mass)), 4), [min(mass), max(mass)],
                    max(mass) < chance / 3)  # fmt: skip
    accuracy = {
        arm: [cell["accuracy"] for cell in read(cells, source, "train", arm, seeds)]
        for arm in SOURCES[source].arms
    }
    pairs = [(arm, other, 0.0) for arm in NETWORKS for other in ("random", "none")]
    pairs += [("none", "random", 0.0), *((arm, "harmless", -1.0) for arm in NETWORKS)]
    if SOURCES[source].regularised:
        pairs += [("lstm-tr", "lstm", 0.0), ("lstm-tr", "random-tr", 0.0)]
        pairs += [("random-tr", "random", 0.0), ("none", "random-tr", 0.0)]
    for a, b, bar in pairs:
        more = f" by no less than {bar:g}" if bar else ""
        text = f"{source}: {a} is better than {b}{more} (points of test accuracy)"
        yield judged(text, accuracy[a], accuracy[b], above=bar)


def measure(source: str, cells: Cells, seeds: int, jobs: int, folder: Path, *, tiny: bool) -> None:
    for kind, arms in (("learn", NETWORKS), ("train", SOURCES[source].arms)):
        todo = [Cell(kind, source, arm, seed, tiny) for seed in range(seeds) for arm in arms]
        cells.run(work, {cell.name: (cell, folder) for cell in todo}, jobs=jobs)
    claims = list(judge(source, cells, seeds))
    for one in claims:
        print(one["text"], one["value"], one["interval"], one["holds"])
    if tiny:
        return
    rows: list[dict[str, Any]] = []
    chance = len(DESTRUCTIVE) / len(SOURCES[source].operations())
    usual = {"random": f"{100 * chance:.1f}", "harmless": "0"}
    usual["random-tr"] = usual["random"]
    for arm in SOURCES[source].arms:
        values = [c["accuracy"] for c in read(cells, source, "train", arm, seeds)]
        learned = read(cells, source, "learn", arm, seeds) if arm in NETWORKS else []
        rows.append(
            {
                "arm": arm,
                "accuracy": values,
                "destructive": [cell["destructive"] for cell in learned],
                "usual": usual.get(arm, ""),
                "ratio": [cell["ratio"] for cell in learned],
            }
        )
    facts = asdict(SOURCES[source])
    write_result(f"tanda-{source}", rows=rows, claims=claims, data=source, seeds=seeds,
                 length=LENGTH, unlabelled=UNLABELLED, outside="edge", **facts)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", nargs="?", choices=SOURCES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    for source in [options.source] if options.source else SOURCES:
        if options.tiny:
            with TemporaryDirectory() as name:
                folder = Path(name)
                measure(source, Cells("tanda", folder), 2, 1, folder, tiny=True)
        else:
            # The former cells had black borders beside moved images.
            cells, folder = Cells(f"tanda-{source}-edge"), WORK / "tanda-edge"
            measure(source, cells, options.seeds, options.jobs, folder, tiny=False)


if __name__ == "__main__":
    main()
