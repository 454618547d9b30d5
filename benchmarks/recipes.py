"""Do the default recipes reach what augmentation can give, in the time of the old ones?

The recipes of version 0.1 (SGD, 40 epochs, cosine) beside the current ones (`recipe_table.py`).
Nothing here was tuned on a test part: recipes were chosen on validation parts and on training
images that no cell uses (see docs/guides/training.md).

Expected before the run:
- cifar (1,600 training images, flip-crop + trivialaugment, five seeds, one view at test time): at
  least 76 % in no more than the time of the recipe of 0.1; 78 % at twice, 80 % at four times;
- few (50 images a class, three seeds): at least 60 %, in less than 30 minutes of one thread;
- fashion (1,600 training images, three seeds): at least 89 %;
- suite (each set at 32 or 64 px, three seeds, flip-crop + trivialaugment): current ahead of 0.1 on
  every set, or level within chance;
- sizes (three sets at 64 px, two seeds, flip-crop + trivialaugment): the current default network,
  whose stem has a stride of 2, is level with that of 0.1 or ahead, in less than half its time;
- worth (none, flip-crop, flip-crop + trivialaugment, five seeds): augmentation gains more under the
  current recipe (converged) than under that of 0.1;
- auto: against the fixed length that is best in hindsight (by mean test accuracy over all sets and
  policies), at most 0.5 points below on average, at 1.3 times its passes or less (one seed; `auto`
  itself is the first seed of suite and worth);
- text (SST-2 with 500 texts, TREC, Banking-77; none, three seeds): level with 0.1 or ahead.

Seconds are compared in one process that runs single steps of every recipe in turn (part `cost`):
the ratio of medians, times the steps of a training.

n: see PARTS; 146 cells. Hardware: 2 CPU cores, one thread for each training; about four hours.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/recipes.py [PART ..] [--jobs 2] [--arm ARM]
Finished trainings are lines of results/recipes.jsonl and are not repeated.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.stats import sem, t

from automorph.experiments import summarise
from automorph.training import RunResult, Task, as_task, train
from automorph.training.schedule import longest_stable
from cells import Cells, Content
from record import claim, judged, write_result

STRONG = "flip-crop + trivialaugment"
SUITE = ("satellite_rsscn7", "traffic_signs", "red_cells", "textures_dtd10", "steel_defects",
         "apple_leaves", "spoken_digits")  # fmt: skip
TEXTS = {
    "sst2-500": ("text/sst2", 500),
    "trec": ("text/trec", None),
    "banking77": ("special/text_banking77", None),
}
SIZES = "satellite_rsscn7", "red_cells", "textures_dtd10"
OLD: Content = {"defaults": "0.1"}
LENGTHS = (20, 40, 80, 160)
"""Epochs of the fixed lengths that ``auto`` is compared with: one training, cooled down at each."""


@dataclass(frozen=True)
class Cell:
    """A training: its part, data, policy, recipe and seed."""

    part: str
    arm: str
    source: str
    policy: str
    seed: int
    limit: int | None = None
    model: str | None = None
    recipe: tuple[tuple[str, Any], ...] = ()
    size: int = 32

    @property
    def name(self) -> str:
        """The name of its line."""
        return f"{self.part}/{self.arm}/{self.source}/{self.policy}/{self.seed}"


def cells_of(part: str) -> Iterator[Cell]:
    """Return the trainings of a part."""
    if part == "cifar":
        for arm, model, recipe in FRONTIER:
            for seed in range(5):
                yield Cell(part, arm, "cifar10", STRONG, seed, 2000, model, recipe)
    elif part == "few":
        for arm, model, recipe in FEW:
            for seed in range(3):
                yield Cell(part, arm, "cifar10", STRONG, seed, 625, model, recipe)
    elif part == "fashion":
        for arm, model, recipe in FRONTIER:
            for seed in range(3):
                yield Cell(part, arm, "fashion-mnist", STRONG, seed, 2000, model, recipe)
    elif part == "worth":
        for policy in ("none", "flip-crop", STRONG):
            for arm, recipe in (("old", tuple(OLD.items())), ("new", (("epochs", "auto"),))):
                for seed in range(5):
                    if (arm, policy) != ("old", STRONG):  # That is cifar's arm "old".
                        yield Cell(part, arm, "cifar10", policy, seed, 2000, None, recipe)
    elif part == "suite":
        for source in SUITE:
            for arm, recipe in (("old", tuple(OLD.items())), ("new", (("epochs", "auto"),))):
                for seed in range(3):
                    yield Cell(part, arm, source, STRONG, seed, 2000, None, recipe)
    elif part == "sizes":
        for source in SIZES:
            for arm, recipe in (("old", tuple(OLD.items())), ("new", (("epochs", "auto"),))):
                for seed in range(2):
                    yield Cell(part, arm, source, STRONG, seed, 2000, None, recipe, 64)
    elif part == "auto":
        recipe = (("epochs", LENGTHS[-1]), ("schedule", "stable"))
        for source, policy in AUTO:
            yield Cell(part, "lengths", source, policy, 0, 2000, None, recipe)
    elif part == "text":
        for name in TEXTS:
            for arm, recipe in (("old", tuple(OLD.items())), ("new", ())):
                for seed in range(3):
                    yield Cell(part, arm, name, "none", seed, None, None, recipe)


FRONTIER: tuple[tuple[str, str, tuple[tuple[str, Any], ...]], ...] = (
    ("old", "resnet9:16", tuple(OLD.items())),
    ("1x", "resnet9:16", (("epochs", 38),)),
    ("2x", "resnet9:24", (("epochs", 42),)),
    ("4x", "resnet9:32", (("epochs", 56),)),
)
"""The recipe of 0.1, and the current one at one, two and four times its cost."""
FEW = (
    ("old", "resnet9:16", tuple(OLD.items())),
    ("new", "resnet9:24", (("epochs", 90),)),
)
AUTO = (("cifar10", "none"), ("cifar10", "flip-crop"), ("cifar10", STRONG),
        *((source, STRONG) for source in SUITE))  # fmt: skip
"""Sets and policies on which ``auto`` (part suite or worth) is compared with fixed lengths."""
PARTS = ("cifar", "few", "fashion", "worth", "suite", "sizes", "auto", "text")


@cache
def task_of(cell: Cell) -> Task:
    """Return the task of a cell."""
    recipe = dict(cell.recipe)
    if cell.source in TEXTS:
        source, limit = TEXTS[cell.source]
        return as_task(f"parquet:{source}", text="text", label="label", leakage="drop",
                       limit=limit, recipe=recipe)  # fmt: skip
    if cell.source in SUITE:
        folder = Path(os.environ["AUTOMORPH_DATA"]) / "suite" / cell.source
        # Most sets are larger; 32 px keep a training at a minute.
        return as_task(f"parquet:{folder}", label="label", size=cell.size, limit=cell.limit,
                       model=cell.model, recipe=recipe)  # fmt: skip
    return as_task(cell.source, limit=cell.limit, model=cell.model, recipe=recipe)


def trained(cell: Cell) -> Content:
    """Train and evaluate a cell."""
    task = task_of(cell)
    if cell.arm == "lengths":
        return cooled_down(cell, task)
    began = time.process_time()
    result = train(task, cell.policy, seed=cell.seed, progress=False)
    return facts_of(result, task, time.process_time() - began)


def cooled_down(cell: Cell, task: Task) -> Content:
    """Train once at a constant rate, and cool down at every length."""
    found = {}
    with TemporaryDirectory() as folder:
        for length in LENGTHS:
            stable = longest_stable(task.with_recipe(epochs=length).recipe)
            result = train(
                task, cell.policy, seed=cell.seed, folder=folder, stop_epoch=stable,
                cool_down=True, progress=False,
            )  # fmt: skip
            found[str(length)] = facts_of(result, task, math.nan)
    return found


def facts_of(result: RunResult, task: Task, seconds: float) -> Content:
    """Return what is stored of a training."""
    return {
        "test": result.accuracy["test"],
        "validation": result.accuracy["validation"],
        "epochs": len(result.curves),
        "converged": result.converged,
        "processor": seconds if math.isfinite(seconds) else None,
        "model": task.network,
    }


def costs(rounds: int = 15, steps: int = 6) -> Content:
    """Return the relative cost of a whole training of each arm of the frontier.

    Steps of all arms are run in turn in this process, and the medians per example are compared.
    """
    import torch

    from automorph.training import as_augmenter, find_machine
    from automorph.training.loop import Training

    torch.set_num_threads(1)
    trainings, seconds = {}, dict[str, list[float]]()
    for arm, model, recipe in FRONTIER:
        task = task_of(Cell("cost", arm, "cifar10", STRONG, 0, 2000, model, recipe))
        trainings[arm] = Training(
            task, as_augmenter(STRONG), seed=0, machine=find_machine("cpu"), precision="bf16"
        )
        seconds[arm] = []
    for _ in range(rounds):
        for arm, training in trainings.items():
            training.model.train()
            batches = training.loader.epoch(len(seconds[arm]), training.model)
            began, rows = time.process_time(), 0
            for number, batch in enumerate(batches):
                training.step(batch, 1e-3, len(batch))
                if training.convergence is not None:
                    training.convergence.average.update(training.model, number)
                rows += len(batch)
                if number == steps:
                    break
            seconds[arm].append((time.process_time() - began) / rows)
    median = {arm: statistics.median(values) for arm, values in seconds.items()}
    epochs = {arm: training.recipe.epochs for arm, training in trainings.items()}
    old = median["old"] * epochs["old"]
    return {
        "ratio": {arm: median[arm] * epochs[arm] / old for arm in median},
        "milliseconds per example": {arm: 1000 * value for arm, value in median.items()},
    }


def rows_of(cells: Cells) -> list[Content]:
    """Return one row for each part, arm, source and policy."""
    rows = []
    groups: dict[tuple[str, ...], list[Content]] = {}
    for part in PARTS:
        for cell in cells_of(part):
            if cell.name in cells:
                found = cells[cell.name]
                for arm, result in (found if cell.arm == "lengths" else {cell.arm: found}).items():
                    key = (cell.part, arm, cell.source, cell.policy)
                    groups.setdefault(key, []).append(result)
    for (part, arm, source, policy), results in groups.items():
        rows.append(
            {
                "part": part, "arm": arm, "data": source, "policy": policy,
                "model": results[0]["model"],
                "test": vars(summarise([one["test"] for one in results])),
                "validation": vars(summarise([one["validation"] for one in results])),
                "epochs": [one["epochs"] for one in results],
                "converged": [one["converged"] for one in results],
                "processor": _median(one["processor"] for one in results),
            }
        )  # fmt: skip
    return rows


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _values(rows: list[Content], **wanted: str) -> list[float]:
    for row in rows:
        if all(row[key] == value for key, value in wanted.items()):
            return list(row["test"]["values"])
    return []


def claims_of(rows: list[Content], cost: Content) -> list[Content]:
    """Judge the expectations of which the cells are there."""
    found = []
    ratio = cost.get("ratio", {})
    for arm, goal in (("1x", 76), ("2x", 78), ("4x", 80)):
        values = _values(rows, part="cifar", arm=arm)
        if values:
            mean, price = 100 * float(np.mean(values)), ratio.get(arm)
            fits = price is not None and price <= 1.02 * float(arm[0])
            found.append(
                claim(
                    f"cifar10, 1,600 images: {arm} of the time of 0.1 gives at least {goal} % "
                    f"(its time: {price and round(price, 2)})",
                    round(mean, 2), _interval(values), bool(fits and mean >= goal),
                )
            )  # fmt: skip
    for part, arm, goal in (("few", "new", 60), ("fashion", "1x", 89)):
        values = _values(rows, part=part, arm=arm)
        if values:
            mean = 100 * float(np.mean(values))
            found.append(
                claim(f"{part}: at least {goal} %", round(mean, 2), _interval(values), mean >= goal)
            )
    for part, sources in (("suite", SUITE), ("sizes", SIZES)):
        for source in sources:
            found += _no_worse(rows, part, source)
    gains = {}
    for arm in ("old", "new"):
        none = _values(rows, part="worth", arm=arm, policy="none")
        part = "worth" if arm == "new" else "cifar"
        strong = _values(rows, part=part, arm=arm, policy=STRONG)
        if none and strong:
            n = min(len(none), len(strong))
            gains[arm] = np.array(strong[:n]) - np.array(none[:n])
    if len(gains) == 2:
        text = "augmentation gains more under the current recipe than under that of 0.1 (points)"
        found.append(judged(text, gains["new"].tolist(), gains["old"].tolist()))
    found += _auto_claims(rows)
    for name in TEXTS:
        found += _no_worse(rows, "text", name)
    return found


def _no_worse(rows: list[Content], part: str, source: str) -> list[Content]:
    """Judge that the current recipe is ahead of that of 0.1 on a set, or within chance."""
    new, old = (_values(rows, part=part, arm=arm, data=source) for arm in ("new", "old"))
    if not (new and old):
        return []
    at = " at 64 px" if part == "sizes" else ""
    gap = judged(f"{source}{at}: the current recipe is no worse than that of 0.1", new, old)
    high = gap["interval"][1] if gap["interval"] else None
    return [{**gap, "holds": None if high is None else high >= 0}]


def _auto_claims(rows: list[Content]) -> list[Content]:
    """Compare ``auto`` with the one fixed length that is best over all sets and policies."""
    own = {(r["data"], r["policy"], r["arm"]): r for r in rows if r["part"] == "auto"}
    own |= {
        (r["data"], r["policy"], "auto"): r
        for r in rows
        if r["part"] in ("suite", "worth") and r["arm"] == "new"
    }
    pairs = [p for p in AUTO if all((*p, str(arm)) in own for arm in ("auto", *LENGTHS))]
    if not pairs:
        return []

    def tests(arm: str) -> list[float]:
        return [own[*pair, arm]["test"]["values"][0] for pair in pairs]  # Seed 0.

    best = max(map(str, LENGTHS), key=lambda arm: float(np.mean(tests(arm))))
    passes = [own[*pair, "auto"]["epochs"][0] / int(best) for pair in pairs]
    where = f"{best} epochs, the best fixed length over {len(pairs)} pairs of set and policy"
    lead = judged(f"auto is at most 0.5 points below {where}", tests("auto"), tests(best))
    return [
        {**lead, "holds": lead["value"] >= -0.5},
        claim(f"auto takes at most 1.3 times the passes of {where}",
              round(float(np.mean(passes)), 2), _interval(passes, scale=1),
              bool(np.mean(passes) <= 1.3)),
    ]  # fmt: skip


def _interval(values: Sequence[float], scale: float = 100) -> list[float] | None:
    """Return the 95 % interval of the mean by Student's t."""
    if len(values) < 2 or len(set(values)) == 1:
        return None
    low, high = t.interval(0.95, len(values) - 1, np.mean(values), sem(values))
    return [round(scale * float(low), 2), round(scale * float(high), 2)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=[])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--arm", help="only the trainings of this arm")
    given = parser.parse_args()
    cells = Cells("recipes")
    for part in given.parts or [*PARTS, "cost"]:
        if part == "cost":
            cells.kept("cost", costs)
            continue
        work = {c.name: (c,) for c in cells_of(part) if given.arm in (None, c.arm)}
        cells.run(trained, work, jobs=given.jobs)
    rows = rows_of(cells)
    cost = cells.results.get("cost", {})
    write_result("recipes", rows=rows, claims=claims_of(rows, cost), cost=cost)


if __name__ == "__main__":
    main()
