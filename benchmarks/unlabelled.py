"""What are 20,000 images without labels worth beside 400 with labels, and what does the policy add?

CIFAR-10: 400 labelled images to train on and 100 to decide when training has converged (an even
number of each class, chosen by hash); 20,000 of the other 49,500 training images without labels,
drawn once for all cells. The pool holds none of the 100 validation images and none of the test
part; copies are dropped by content. The whole published test part, opened once per cell. ResNet-9
of width 16 under the default recipe (until converged, 80 epochs at most).

Arms:
- none:           labelled images as they are;
- flip-crop:      labelled images, flipped and cropped;
- policy:         labelled images under flip-crop + randaugment(n=2,m=9) + cutout(16);
- agree-policy:   consistency training (UDA, Xie et al. 2019) with that policy: labelled images and
                  one view of the others are flipped and cropped, the second view gets RandAugment
                  and Cutout, too; seven unlabelled images for each labelled one, temperature 0.4,
                  confidence above 0.8, no signal annealing, as released for CIFAR-10;
- agree-flip-crop: the same with two views that are flipped and cropped only.

Expected before the run:
- policy is better than none, by more than 3 points;
- agree-policy is better than policy, by more than 5 points: most of what the pool can teach is
  learned in some 200,000 views, although the paper trained a hundred times as long;
- agree-policy is better than agree-flip-crop, by more than 2 points: the policy is what makes
  consistency training work (the paper's main claim);
- agree-flip-crop is better than flip-crop.

Not comparable with the paper's 4,000 and 250 labels on WRN-28-2, which trained for 400,000 steps
and more (here: 560 at most).

n: 5 arms x 5 seeds (the same initial weights and order of labelled images); differences are paired
by seed. Three seeds were planned, and run first; their intervals were wider than the effects,
because some trainings stopped after 20 of 80 epochs (100 validation images say when), so two more
were added for every arm. Hardware: one CPU thread for each cell; about 100 CPU-minutes. A cell is a
line of results/unlabelled.jsonl, and the same command trains only the missing ones.
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/unlabelled.py
       [--seeds 5] [--jobs 1] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from automorph.augmenters import as_treatment
from automorph.data import load_data, split, with_unlabelled
from automorph.training import Task, as_task, train
from cells import Cells, Content
from record import claim, judged, mean_of, write_result

LABELS, POOL = 500, 20_000
"""Labelled images, a fifth of them for validation, and images without labels."""
POLICY = "randaugment(n=2,m=9) + cutout(16)"
ARMS = {
    "none": "none",
    "flip-crop": "flip-crop",
    "policy": f"flip-crop + {POLICY}",
    "agree-policy": f"flip-crop + consistency({POLICY})",
    "agree-flip-crop": "flip-crop + consistency(none)",
}
MODEL = "resnet9:16"


@cache
def task_of(tiny: bool) -> Task:
    """Return the task of all cells, with its pool."""
    data = split(load_data("cifar10", limit=100 if tiny else LABELS), seed=0)
    others = load_data("cifar10").train
    labelled = np.concatenate([data.train.digests, data.parts["validation"].digests])
    free = np.flatnonzero(~np.isin(others.digests, labelled))
    count = 300 if tiny else POOL
    rows = np.sort(np.random.default_rng(0).choice(free, count, replace=False))
    data = with_unlabelled(data, others.take(rows))
    return as_task(data, model=MODEL, recipe={"epochs": 1} if tiny else None)


def trained(arm: str, seed: int, tiny: bool) -> Content:
    """Train and evaluate a cell."""
    torch.set_num_threads(1)
    task = task_of(tiny)
    began = time.process_time()
    result = train(task, as_treatment(ARMS[arm]), seed=seed, progress=False)
    return {
        "arm": arm,
        "seed": seed,
        "test": result.accuracy["test"],
        "validation": result.accuracy["validation"],
        "epochs": len(result.curves),
        "converged": result.converged,
        "passes": result.units.passes,
        "last epoch": result.curves[-1].augmenter,
        "core_seconds": round(time.process_time() - began, 1),
    }


def name_of(arm: str, seed: int) -> str:
    """Return the name of the line of a cell."""
    return f"{arm}/{seed}"


def judge(cells: Cells, seeds: int) -> Iterator[dict[str, Any]]:
    """Judge the expectations."""
    test = {arm: [cells[name_of(arm, seed)]["test"] for seed in range(seeds)] for arm in ARMS}
    for mine, theirs, above in (
        ("policy", "none", 3.0),
        ("agree-policy", "policy", 5.0),
        ("agree-policy", "agree-flip-crop", 2.0),
        ("agree-flip-crop", "flip-crop", 0.0),
    ):
        more = f" by more than {above:g} points" if above else ""
        yield judged(f"{mine} is better than {theirs}{more}", test[mine], test[theirs], above=above)
    stopped = [cells[name_of(arm, seed)]["converged"] for arm in ARMS for seed in range(seeds)]
    yield claim("trainings that had converged", sum(map(bool, stopped)), [0, len(stopped)], None)


def measure(cells: Cells, seeds: int, jobs: int, *, tiny: bool) -> None:
    """Train what is missing, judge, and write the result."""
    # Seed by seed, so that an interrupted run has complete pairs.
    todo = {name_of(arm, seed): (arm, seed, tiny) for seed in range(seeds) for arm in ARMS}
    cells.run(trained, todo, jobs=jobs)
    claims = list(judge(cells, seeds))
    for one in claims:
        print(one["text"], one["value"], one["interval"], one["holds"])
    if tiny:
        return
    rows = []
    for arm, policy in ARMS.items():
        found = [cells[name_of(arm, seed)] for seed in range(seeds)]
        rows.append(
            {
                "arm": arm,
                "policy": policy,
                "test": mean_of([one["test"] for one in found]),
                "epochs": [one["epochs"] for one in found],
                "passes": [one["passes"] for one in found],
                "core_seconds": [one["core_seconds"] for one in found],
            }
        )
    task = task_of(tiny)
    write_result(
        "unlabelled", rows=rows, claims=claims, data="cifar10", model=MODEL, seeds=seeds,
        labelled=len(task.data.train), validation=len(task.data.parts["validation"]),
        unlabelled=len(task.data.unlabelled or ()), recipe=task.recipe.to_dict(),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    if options.tiny:
        with TemporaryDirectory() as folder:
            measure(Cells("unlabelled", Path(folder)), 2, 1, tiny=True)
    else:
        measure(Cells("unlabelled"), options.seeds, options.jobs, tiny=False)


if __name__ == "__main__":
    main()
