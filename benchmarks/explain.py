"""Do the diagnostics of `automorph explain` say which operations help and which harm?

The decisive test of the theory: 27 pairs of an operation and a magnitude on MNIST, Fashion-MNIST
and CIFAR-10. Measured: the change of test accuracy that the operation brings to a small network
trained on 1,000 labelled examples, where it is applied to every other example (probability 1/2).
Predicted: every column of `explain`, from fixed features of the same 1,000 examples, without
training. Compared: Spearman's correlation over the pairs, with a bootstrap interval (pairs are
resampled, and within each pair its seeds).

The combined rank was tuned on Fashion-MNIST only; MNIST and CIFAR-10 are the test of it.

Expected before the run:
- combined rank: Spearman's correlation of 0.8 or more on MNIST and on CIFAR-10;
- every pair that costs more than 2 points has the verdict `drop` or `label risk`;
- no single column reaches what the combined rank reaches on all three.

The measured changes are noisy themselves, so their reliability is told as well: the correlation of
the means over two halves of the seeds, stepped up to all seeds (Spearman and Brown). No prediction
can be expected to correlate better than the square root of it.

n: 3 data sets x (27 pairs + none) x 5 seeds = 420 trainings of 30 epochs, cnn:8; test accuracy on
the whole published test part. Hardware: 1 core of 2, about 50 minutes, and 3 minutes of explaining.
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/explain.py [measure|judge]
       [--data fashion-mnist] [--seeds 5]
Finished trainings are lines in results/explain/DATA.jsonl and are not made again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from automorph.policies import Mixture, Step
from automorph.space import OPERATIONS, SearchSpace
from automorph.training import Task, as_task, train
from record import RESULTS

TUNED_ON = "fashion-mnist"
SOURCES = (TUNED_ON, "cifar10", "mnist")
CHANCE = 0.5
PAIRS: tuple[tuple[str, float], ...] = (
    ("Rotate", 0.1), ("Rotate", 0.33), ("Rotate", 1.0), ("ShearX", 0.2), ("ShearX", 0.7),
    ("TranslateX", 0.15), ("TranslateX", 0.6), ("TranslateY", 0.3), ("HorizontalFlip", 1.0),
    ("VerticalFlip", 1.0), ("PadCrop", 0.3), ("PadCrop", 1.0), ("ResizedCrop", 0.4),
    ("ResizedCrop", 1.0), ("Zoom", 0.4), ("Cutout", 0.5), ("Cutout", 1.0), ("Elastic", 0.3),
    ("Elastic", 1.0), ("Invert", 1.0), ("Solarize", 0.5), ("Brightness", 0.7), ("Contrast", 0.7),
    ("Equalize", 1.0), ("Blur", 0.6), ("Noise", 0.7), ("SamplePairing", 1.0),
)  # fmt: skip
FOLDER = RESULTS / "explain"


def task_of(source: str) -> Task:
    """1,000 labelled examples to train on; the validation part of 250 is not used."""
    return as_task(source, limit=1250, model="cnn:8", recipe={"epochs": 30})


def policy_of(pair: tuple[str, float] | None) -> Mixture | str:
    """One operation at one magnitude, for every other example."""
    if pair is None:
        return "none"
    name, magnitude = pair
    space = SearchSpace(name, (OPERATIONS[name],))
    step = Step(name, CHANCE, magnitude)
    return Mixture(label=arm_of(pair), operations=space, subpolicies=((step,),))


def arm_of(pair: tuple[str, float] | None) -> str:
    """The name of a pair in the files."""
    return "none" if pair is None else f"{pair[0]}@{pair[1]:g}"


def cells_of(path: Path) -> dict[tuple[str, int], float]:
    """The finished trainings: test accuracies by arm and seed."""
    if not path.exists():
        return {}
    cells = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {(cell["arm"], cell["seed"]): cell["accuracy"] for cell in cells}


def measure(source: str, seeds: int) -> None:
    """Make the trainings that are missing, seed by seed."""
    task, path = task_of(source), FOLDER / f"{source}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = cells_of(path)
    for seed in range(seeds):
        for pair in (None, *PAIRS):
            if (arm_of(pair), seed) in done:
                continue
            result = train(
                task, policy_of(pair), seed=seed, parts=("test",), validate_every=0, progress=False
            )
            cell: dict[str, Any] = {
                "arm": arm_of(pair), "seed": seed, "accuracy": result.accuracy["test"],
                "seconds": round(result.seconds, 2),
            }  # fmt: skip
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(cell) + "\n")
            print(source, cell, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("steps", nargs="*", default=["measure"], choices=["measure", "judge"])
    parser.add_argument("--data", action="append", choices=SOURCES)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for source in options.data or SOURCES:
        if "measure" in options.steps:
            measure(source, options.seeds)


if __name__ == "__main__":
    main()
