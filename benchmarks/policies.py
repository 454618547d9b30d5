"""Do the well-known policies help with few labels, and do they beat a random one?

Two real data sets with 2,000 labelled examples each (1,600 for training, 400 for selection), the
whole published test part; five paired seeds; the default network and recipe of each data set.

Expected before the run:
- CIFAR-10: flip-and-crop gains several points over no augmentation; RandAugment and TrivialAugment
  on top of it gain more, with less certainty; the random policy is within a point of them.
- Fashion-MNIST: gains are small (a point or less), and strong policies may cost accuracy, since
  the network is small and the schedule short.

n: 2 data sets x 8 policies x 5 seeds = 80 trainings. Hardware: 2 CPU cores; about an hour.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/policies.py [fashion-mnist|cifar10]
Finished trainings are lines of results/policies-DATA.jsonl and are not repeated; SEEDS=3 runs
fewer.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from automorph.experiments import Comparison
from automorph.training import as_task
from cells import Cells
from record import judged, write_result
from trainings import compared

SOURCES = ("fashion-mnist", "cifar10")
POLICIES = (
    "none",
    "flip-crop",
    "randaugment(n=1,m=5)",
    "trivialaugment",
    "random",
    "flip-crop + randaugment(n=1,m=5)",
    "flip-crop + trivialaugment",
    "flip-crop + random",
)
SEEDS = int(os.environ.get("SEEDS", "5"))


def run(source: str) -> Comparison:
    """Compare the policies on one source; resumes an interrupted run."""
    task = as_task(source, limit=2000, recipe={"defaults": "0.1"})
    return compared(Cells(f"policies-{source}"), task, POLICIES, seeds=SEEDS, jobs=2)


def claims_of(source: str, result: Comparison) -> list[Any]:
    """Judge the expectations."""
    pairs = [("flip-crop", "none"), ("trivialaugment", "none"), ("randaugment(n=1,m=5)", "none")]
    found = [f"flip-crop + {p}" for p in ("trivialaugment", "randaugment(n=1,m=5)")]
    pairs += [(a, b) for b in ("flip-crop", "flip-crop + random") for a in found]
    return [
        judged(
            f"{source}: {a} is better than {b} (points of test accuracy)",
            result[a].accuracy.values,
            result[b].accuracy.values,
        )
        for a, b in pairs
    ]


def main() -> None:
    chosen = [word for word in sys.argv[1:] if word in SOURCES] or list(SOURCES)
    for source in chosen:
        result = run(source)
        print(result.verdict.text)
        task = as_task(source, limit=2000, recipe={"defaults": "0.1"})
        write_result(
            f"policies-{source}",
            rows=result.to_dict()["rows"],
            claims=claims_of(source, result),
            data=source,
            labelled=2000,
            model=task.model,
            epochs=task.recipe.epochs,
            seeds=SEEDS,
            verdict=result.verdict.text,
        )


if __name__ == "__main__":
    main()
