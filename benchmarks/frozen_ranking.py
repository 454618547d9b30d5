"""Do frozen features rank policies as fine-tuning does?

Twelve policies, on three suite sets at 96 px: `features:timm:tf_efficientnet_lite0` (a linear head
on frozen features) beside `timm:tf_efficientnet_lite0:pretrained` (the same network, fine-tuned).
Both have the same parts, the same seeds and their default recipes. A policy's rank is by its mean
test accuracy over the seeds. Compared: Spearman's correlation of the two rankings, with a bootstrap
interval (policies are resampled, and seeds within each policy), and what choosing by frozen
features costs: the test accuracy under fine-tuning of the policy with the best validation accuracy
on frozen features, below that of the policy with the best one under fine-tuning.

Expected before the run:
- Spearman's correlation of at least 0.5 on each set, with an interval above 0: harm (vertical flips
  of traffic signs, lost colour) is the same in both regimes; what helps a network to become
  invariant cannot be seen in features that stay as they are;
- choosing by frozen features costs at most 1 point on each set;
- a training on frozen features takes at most a quarter of the processor time of fine-tuning.

n: 3 sets x 12 policies x 2 regimes x 2 seeds = 144 trainings on 320 images (8 of each of 40 traffic
signs), tested on the whole published test part (840 to 1,459 images).
Hardware: 2 CPU cores, one thread for each training; about 2 hours (72 fine-tunings of 20 epochs,
each 6,400 passes there and back: 150 seconds; 72 fits of 8 copies: 15 seconds).
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/frozen_ranking.py [SET ..] [--jobs 2] [--try]
Finished trainings are lines of results/frozen_ranking.jsonl and are not repeated. ``--try`` runs
two policies on a few images, and keeps nothing.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from automorph.experiments import summarise
from automorph.training import Task, as_task, train
from cells import Cells, Content
from record import claim, write_result

SETS = ("satellite_rsscn7", "traffic_signs", "red_cells")
POLICIES = (
    "none",
    "flip",
    "crop",
    "flip-crop",
    "resized-crop",
    "cutout",
    "randaugment",
    "flip-crop + trivialaugment",
    "composition",
    "augmix",
    "mixup",
    "random",
)
REGIMES = {
    "frozen": "features:timm:tf_efficientnet_lite0",
    "fine-tuned": "timm:tf_efficientnet_lite0:pretrained",
}
MANY_CLASSES = ("traffic_signs",)
"""With the shares of its 40 classes, 400 examples have too few of some to split off a fifth."""
SEEDS = 2
DRAWS = 2000
"""Bootstrap draws."""


@dataclass(frozen=True)
class Cell:
    """A training: its data, regime, policy and seed; ``tiny`` for a trial."""

    source: str
    regime: str
    policy: str
    seed: int
    tiny: bool = False

    @property
    def name(self) -> str:
        """The name of its line."""
        return f"{self.source}/{self.regime}/{self.policy}/{self.seed}"


@cache
def task_of(source: str, regime: str, tiny: bool) -> Task:
    """Return the task of a set in a regime."""
    folder = Path(os.environ["AUTOMORPH_DATA"]) / "suite" / source
    return as_task(
        f"parquet:{folder}", label="label", size=32 if tiny else 96, limit=60 if tiny else 400,
        equal_classes=source in MANY_CLASSES, model=REGIMES[regime],
        recipe={"epochs": 1 if tiny else None},
    )  # fmt: skip


def trained(cell: Cell) -> Content:
    """Train and evaluate a cell."""
    task = task_of(cell.source, cell.regime, cell.tiny)
    began = time.process_time()
    result = train(task, cell.policy, seed=cell.seed, validate_every=0, progress=False)
    return {
        "test": result.accuracy["test"],
        "validation": result.accuracy["validation"],
        "passes": result.units.passes,
        "processor": time.process_time() - began,
    }


def values(cells: Cells, source: str, regime: str, key: str) -> NDArray[np.float64]:
    """Return a figure of every policy and seed, ``(policies, seeds)``."""
    return np.array(
        [
            [cells[Cell(source, regime, policy, seed).name][key] for seed in range(SEEDS)]
            for policy in POLICIES
        ]
    )


def agreement(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[float, list[float] | None]:
    """Return Spearman's correlation of the policies' means, and its bootstrap interval."""
    rng = np.random.default_rng(0)
    policies, seeds = one.shape
    drawn = []
    for _ in range(DRAWS):
        rows = rng.integers(policies, size=(policies, 1))
        means = [side[rows, rng.integers(seeds, size=one.shape)].mean(1) for side in (one, other)]
        if all(len(set(side)) > 1 for side in means):
            drawn.append(spearmanr(*means)[0])
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (np.nan, np.nan)
    interval = [round(float(low), 3), round(float(high), 3)] if drawn else None
    return round(float(spearmanr(one.mean(1), other.mean(1))[0]), 3), interval


def claims_of(cells: Cells, source: str) -> list[Content]:
    """Judge what was expected of a set."""
    test = {regime: values(cells, source, regime, "test") for regime in REGIMES}
    chosen = {
        regime: int(values(cells, source, regime, "validation").mean(1).argmax())
        for regime in REGIMES
    }
    rank, interval = agreement(test["frozen"], test["fine-tuned"])
    tuned = 100 * test["fine-tuned"].mean(1)
    loss = round(float(tuned[chosen["fine-tuned"]] - tuned[chosen["frozen"]]), 2)
    work = [float(np.median(values(cells, source, regime, "processor"))) for regime in REGIMES]
    share = round(work[0] / work[1], 3)
    return [
        claim(
            f"{source}: Spearman's correlation of the rankings by frozen features and by "
            "fine-tuning is at least 0.5, and its interval is above 0",
            rank, interval, None if interval is None else rank >= 0.5 and interval[0] > 0,
        ),
        claim(
            f"{source}: the policy chosen on frozen features is at most 1 point below the one "
            "chosen by fine-tuning (test accuracy when fine-tuned)", loss, None, loss <= 1,
        ),
        claim(
            f"{source}: a training on frozen features takes at most a quarter of the processor "
            "time of fine-tuning (ratio of medians)", share, None, share <= 0.25,
        ),
    ]  # fmt: skip


def rows_of(cells: Cells, source: str) -> list[Content]:
    """Return one row for each policy and regime."""
    return [
        {
            "data": source, "policy": policy, "regime": regime, "model": model,
            **{
                key: vars(summarise(list(values(cells, source, regime, key)[place])))
                for key in ("test", "validation", "processor")
            },
        }
        for regime, model in REGIMES.items()
        for place, policy in enumerate(POLICIES)
    ]  # fmt: skip


def cells_of(source: str) -> list[Cell]:
    """Return the trainings of a set, seed by seed; the cheap regime first."""
    return [
        Cell(source, regime, policy, seed)
        for regime in REGIMES
        for seed in range(SEEDS)
        for policy in POLICIES
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sets", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    given = parser.parse_args()
    if given.tiny:
        with TemporaryDirectory() as folder:
            found = Cells("frozen_ranking", Path(folder))
            tried = [Cell(SETS[0], r, p, 0, tiny=True) for r in REGIMES for p in POLICIES[::7]]
            found.run(trained, {cell.name: (cell,) for cell in tried})
            print(found.results)
        return
    cells = Cells("frozen_ranking")
    for source in given.sets or SETS:
        cells.run(trained, {c.name: (c,) for c in cells_of(source)}, jobs=given.jobs)
    whole = [s for s in SETS if all(cell.name in cells for cell in cells_of(s))]
    write_result(
        "frozen_ranking",
        rows=[row for source in whole for row in rows_of(cells, source)],
        claims=[one for source in whole for one in claims_of(cells, source)],
    )


if __name__ == "__main__":
    main()
