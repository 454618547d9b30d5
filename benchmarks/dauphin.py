"""Is the published lead of uncertainty sampling over RandAugment seen, by the released recipe?

Wu et al. (2020), table: CIFAR-10 with WRN-28-10, +0.59 points over RandAugment. The released code
draws from 16 operations and ends every view with a mirrored crop, flip, Cutout and mixup; the
published RandAugment ends with crop, flip and Cutout, so that a part of its lead may be the tail.
Two contrasts, therefore, of `proportional` (four candidates, one drawn by its share of the loss):

- same tail: minus RandAugment under the tail of `dauphin`;
- own tail:  minus RandAugment under its published tail (flip, crop, grey Cutout of 16 pixels).

RandAugment has N and M of its paper's WRN-28-10 (`randaugment:cifar10-wrn-28-10`), in both.

Reduced CIFAR-10: 1,600 training images, 400 to decide when training has converged, the whole
published test part of 10,000. Every arm trains under the default recipe until it has converged, 80
epochs at most (`converged` is stored for every cell). Equal epochs are not equal compute: scoring
four candidates makes a step 2.33 times as long (see benchmarks/online.py for that control).

Expected before the run:
- own tail: ahead by more than 0 (the tail's mixup helps a small network little);
- same tail: between -1 and +1 point, with 0 in its interval;
- neither contrast reaches the published 0.59 with its interval's lower end.

n: ResNet-9 of width 16, pairs are added in blocks of five seeds until the 95 % intervals of both
contrasts have a half-width of 0.5 points, or 25 pairs are done. Stopping looks at the width alone,
never at the mean. Power, for a standard deviation of 1.2 points between pairs: 25 pairs detect a
true 0.59 with probability 66 %, 0.7 with 80 %; the one reached is computed from the spread seen.
Further, three pairs each of narrow networks of the paper's families (wrn-16-1,
shake-shake-26-2x8d, pyramidnet-11-24), which only show the sign. CIFAR-100, where the published
lead is 1.24, cannot be had here and was not measured.

Hardware: CPU, one thread for each cell; about 10 minutes a pair of ResNet-9, 4 hours in all for 25
pairs, and 3 for the other networks. Finished trainings are lines of results/dauphin.jsonl, and the
same command does only the missing ones.
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/dauphin.py
       [--pairs 25] [--jobs 2] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.stats import nct, t

from automorph.augmenters import as_treatment
from automorph.experiments import paired_difference
from automorph.training import Task, as_task, train
from cells import Cells, Content
from record import claim, judged, mean_of, write_result

RANDAUGMENT = "randaugment:cifar10-wrn-28-10"
ARMS = {
    "proportional": "uncertainty(c=4,s=1,rule=proportional,space=dauphin,tail=dauphin)",
    "same tail": f"{RANDAUGMENT} + dauphin",
    "own tail": f"{RANDAUGMENT} + flip-crop + cutout(16,fill=128)",
}
TAILS = {"own tail": "its own tail", "same tail": "the same tail"}
MAIN = "resnet9:16"
OTHERS = ("wrn-16-1", "shake-shake-26-2x8d", "pyramidnet-11-24")
PUBLISHED = 0.59
BLOCK = 5
NARROW = 0.5
"""Pairs are added, a block at a time, until intervals have this half-width in points."""


@cache
def task_of(model: str, tiny: bool) -> Task:
    """The task of all cells of a network."""
    recipe: dict[str, Any] = {"epochs": 1 if tiny else "auto"}
    return as_task("cifar10", limit=120 if tiny else 2000, model=model, recipe=recipe)


def trained(model: str, arm: str, seed: int, tiny: bool) -> Content:
    """Train and evaluate a cell."""
    result = train(task_of(model, tiny), as_treatment(ARMS[arm]), seed=seed, progress=False)
    return {
        "test": result.accuracy["test"],
        "validation": result.accuracy["validation"],
        "epochs": len(result.curves),
        "converged": result.converged,
        "passes": result.units.passes,
    }


def values(cells: Cells, model: str, arm: str) -> list[float]:
    """The test accuracies of the seeds that are finished in all arms, in their order."""
    seeds = 0
    while all(f"{model}/{other}/{seeds}" in cells for other in ARMS):
        seeds += 1
    return [cells[f"{model}/{arm}/{seed}"]["test"] for seed in range(seeds)]


def half_width(cells: Cells, model: str, than: str) -> float:
    """The half-width of the interval of a contrast, in points."""
    found = paired_difference(values(cells, model, "proportional"), values(cells, model, than))
    return float("inf") if found.low is None else 50 * (found.high - found.low)


def power(differences: Any, effect: float = PUBLISHED) -> float:
    """The probability that a two-sided 5 % t-test of these pairs detects an effect in points."""
    n = len(differences)
    shift = effect / (100 * np.std(differences, ddof=1) / np.sqrt(n))
    bound = t.ppf(0.975, n - 1)
    return float(nct.sf(bound, n - 1, shift) + nct.cdf(-bound, n - 1, shift))


def judge(cells: Cells) -> Iterator[dict[str, Any]]:
    """Judge the expectations."""
    for model in (MAIN, *OTHERS):
        arms = {arm: values(cells, model, arm) for arm in ARMS}
        if len(arms["proportional"]) < 2:
            continue
        for than, words in TAILS.items():
            text = f"{model}: proportional is ahead of RandAugment under {words}"
            found = judged(text, arms["proportional"], arms[than])
            low, high = found["interval"]
            yield found if model == MAIN else {**found, "holds": None}
            if model == MAIN:
                gaps = np.subtract(arms["proportional"], arms[than])
                yield claim(
                    f"{model}: the published lead of {PUBLISHED} points lies in the interval "
                    f"({than}, {len(gaps)} pairs, power to detect it {power(gaps):.0%})",
                    found["value"], found["interval"], bool(low <= PUBLISHED <= high),
                )  # fmt: skip


def measure(cells: Cells, pairs: int, jobs: int, *, tiny: bool) -> None:
    """Train what is missing, judge, and write the result."""

    def run(model: str, first: int, end: int) -> None:
        todo = {
            f"{model}/{arm}/{seed}": (model, arm, seed, tiny)
            for seed in range(first, end)
            for arm in ARMS
        }
        cells.run(trained, todo, jobs=jobs)

    for first in range(0, pairs, BLOCK):
        run(MAIN, first, min(first + BLOCK, pairs))
        if max(half_width(cells, MAIN, than) for than in TAILS) <= NARROW:
            break
    for model in OTHERS:
        run(model, 0, min(3, pairs))
    claims = list(judge(cells))
    for one in claims:
        print(one["text"], one["value"], one["interval"], one["holds"])
    if tiny:
        return
    rows = []
    for model in (MAIN, *OTHERS):
        for arm, policy in ARMS.items():
            test = values(cells, model, arm)
            found = [cells[f"{model}/{arm}/{seed}"] for seed in range(len(test))]
            rows.append(
                {
                    "arm": arm, "model": model, "policy": policy, "test": mean_of(test),
                    "epochs": [one["epochs"] for one in found],
                    "converged": [one["converged"] for one in found],
                    "passes": [one["passes"] for one in found],
                }
            )  # fmt: skip
    write_result("dauphin", rows=rows, claims=claims, data="cifar10", labelled=1600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    if options.tiny:
        with TemporaryDirectory() as folder:
            measure(Cells("dauphin", Path(folder)), 2, 1, tiny=True)
    else:
        measure(Cells("dauphin"), options.pairs, options.jobs, tiny=False)


if __name__ == "__main__":
    main()
