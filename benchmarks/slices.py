"""Do slices that are discovered without columns find the subgroups that were hidden?

Waterbirds and ISIC with stickers (64 px) on frozen EfficientNet-Lite0 (images enlarged to 128 px);
digits-correlation with a small network (`cnn:8`, 10 epochs). Plain training (erm) on data whose
subgroups are known but not shown; `domino` and `george` search the validation part in the features
of the network. For every group that is at least 10 points worse than the rest of its class, the
precision at 10 is the share of the group among the ten examples that a slice names as nearest to
its centre, of the best slice of that class; its share of the class is what chance would give. Three
seeds of training and search.

Expected before the run: digits-correlation, both above 0.8 (the mark is in the features);
waterbirds, domino above 0.6 for waterbirds on land (chance 0.5) and for landbirds on water, george
0.1 lower; ISIC, stickers are no group that fails (benign lesions are right with them), so that no
group counts there.

n: 3 data sets x 3 seeds, two searches each. Hardware: CPU; about 12 core-minutes, most of it
features. Finished work is in results/slices.jsonl, and the same command does only what is missing.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/slices.py [--jobs 2] [--seeds 3] [--try]
       (tiny: does it run?)
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from automorph.data import Dataset, load_data
from automorph.robustness import discover, grouper_of, train_robust
from automorph.robustness.dfr import features
from automorph.training import Task, as_task, head_task
from cells import Cells, cells_parser
from record import claim, mean_of, write_result

DATA = {
    "waterbirds": ("parquet:special/waterbirds", "place"),
    "isic": ("parquet:isic_artifacts", "patch_colored"),
    "digits-correlation": ("digits-correlation", None),
}
FAILS = 0.1
"""Points by which a group that counts is worse than the rest of its class."""
EXPECTED = {"waterbirds": 0.6, "digits-correlation": 0.8}


def task_of(name: str, tiny: bool) -> Task:
    """The data, and the network whose features are searched."""
    source, column = DATA[name]
    if column is None:
        return as_task(load_data(source), model="cnn:8", recipe={"epochs": 1 if tiny else 10})
    data: Dataset = load_data(
        source, label="label", subgroup=column, size=32 if tiny else 128, leakage="drop"
    )
    if tiny:
        data = data.replace(train=data.train.take(np.arange(0, len(data.train), 20)))
    network = "test_efficientnet:untrained" if tiny else "tf_efficientnet_lite0"
    return head_task(as_task(data, model=f"features:timm:{network}"), epochs=2 if tiny else 20)


def measured(name: str, seed: int, tiny: bool) -> dict[str, Any]:
    """Train plainly, search, and compare the slices with the hidden groups."""
    task = task_of(name, tiny)
    run = train_robust(task, "erm", seed=seed, progress=False)
    part = task.data.parts["validation"]
    grouper = grouper_of(task.data)
    groups, seen = grouper.of(part), run.seen["validation"]
    known = features(run.model, part, encoder=task.encoder)
    failing = {}
    for group, (label, subgroup) in enumerate(grouper.names):
        own = groups == group
        rest = (part.labels == grouper.class_of[group]) & ~own
        if min(own.sum(), rest.sum()) < 10:
            continue
        if seen.correct[rest].mean() - seen.correct[own].mean() >= FAILS:
            failing[f"{label}, {subgroup}"] = (group, label, float(own.sum() / (own | rest).sum()))
    found: dict[str, Any] = {
        "failing": {key: {"chance": chance} for key, (_, _, chance) in failing.items()}
    }
    for method in ("domino", "george"):
        slices = discover(
            known, part.labels, seen.predictions, task.data.classes, method=method,
            permutations=20 if tiny else 1000, seed=seed,
        )  # fmt: skip
        found[method] = {"slices": len(slices), "alarms": sum(one.alarm for one in slices)}
        for key, (group, label, _) in failing.items():
            shares = [
                float((groups[list(one.telling[:10])] == group).mean())
                for one in slices
                if one.class_name == label
            ]
            found["failing"][key][method] = max(shares, default=0.0)
    return found


def rows_of(cells: Cells, seeds: int) -> list[dict[str, Any]]:
    """One row per data set and group that fails under every seed."""
    rows = []
    for name in DATA:
        runs = [cells[f"{name} seed {seed}"]["failing"] for seed in range(seeds)]
        for group in sorted(set.intersection(*map(set, runs))):
            values = {key: mean_of([run[group][key] for run in runs])
                      for key in ("chance", "domino", "george")}  # fmt: skip
            rows.append({"data": name, "group": group, **values})
    return rows


def claims_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge the expectations; of data without a group that fails, there is nothing to find."""
    nothing = [name for name in EXPECTED if name not in {row["data"] for row in rows}]
    return [
        claim(f"{name}: a hidden group fails under every seed", 0, None, False) for name in nothing
    ] + [
        claim(
            f"{row['data']}, {row['group']}: precision at 10 of domino is at least "
            f"{EXPECTED[row['data']]}",
            row["domino"]["mean"], None, row["domino"]["mean"] >= EXPECTED[row["data"]],
        )
        for row in rows
        if row["data"] in EXPECTED
    ]  # fmt: skip


def main() -> None:
    parser = cells_parser(__doc__)
    parser.set_defaults(seeds=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)

    def run(cells: Cells, seeds: int, tiny: bool) -> list[dict[str, Any]]:
        todo = {f"{name} seed {seed}": (name, seed, tiny) for seed in range(seeds) for name in DATA}
        cells.run(measured, todo, jobs=asked.jobs)
        return rows_of(cells, seeds)

    if asked.tiny:
        with TemporaryDirectory() as place:
            print(len(run(Cells("slices", Path(place)), 1, tiny=True)), "rows")
        return
    rows = run(Cells("slices"), asked.seeds, tiny=False)
    write_result("slices", rows=rows, claims=claims_of(rows), seeds=asked.seeds)
    for row in rows:
        print(
            row["data"],
            row["group"],
            {k: round(row[k]["mean"], 2) for k in ("chance", "domino", "george")},
        )


if __name__ == "__main__":
    main()
