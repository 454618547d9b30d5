"""Does model patching mend a network fooled by a planted mark, and what does the GAN cost?

MNIST-Correlation (Goel et al. 2021, built exactly): even or odd digits; 99 % of the odd ones have a
zigzag in the training part (9,900/100/100/9,900 by group) and in the validation part; the test part
has every test digit in both forms (20,000). The network is the paper's at half its width
(16-16-pool-32-32-pool-64-2 with dropout, 68 k weights), trained for 10 epochs of 20,000 examples in
batches of 96 with a cosine schedule from a rate of 0.1 (CAMEL: 0.03); the epoch with the best
robust validation accuracy is kept. Five paired seeds.

Dropout matters: `cnn` (no dropout) memorises the 100 images of the rare groups, and balanced
sampling then leaves it at 57 % robust validation accuracy (one trial, seed 101).

Arms: erm; balanced (equally many of every group in every batch); gdro and sgdro (group DRO, over
all groups and within classes); irm; jtt; dfr (which fits its last layer to validation groups);
camel (weight 5, as published) with the exact pairs (both forms of every training image as drawn:
what a perfect translator would produce); camel with a CycleGAN. The CycleGAN is trained ONCE, with
seed 0, on the training part alone (which has 100 images of each rare group), for 2,500 steps of
16 + 16 images, and reused, so differences between seeds do not include its own randomness. The
result includes its checks, failed ones too: here it is used anyway, to measure what it is worth.

Rates were chosen on both forms of the validation images, seed 101, by robust accuracy (%):
                          0.01   0.03   0.1    0.3
balanced                  88.9   89.2   93.4   diverges
gdro                             90.2   92.7   diverges
camel, exact pairs               97.5   94.9   diverges
irm                       92.0   89.8*  92.5*
* after a longer warm-up: the first training diverged. irm has 0.01, where it did not.
For camel they were chosen when its consistency was the mean of the batch, a fourth of the published
sum; four times that weight was tried at a constant 0.01 (90.2 instead of 94.7). By the published
sum, tried after the last run (validation part, seed 101): 0.01, 0.03 and 0.1 give 91.4, 96.0 and
89.2 with exact pairs, 90.2, 97.2 and 84.5 with the masked CycleGAN, so 0.03 remained; seeds differ
by as much as the claims ask for. Three CycleGANs were inspected (1,200 steps, with and without
noise planes; 2,500 steps with a faster discriminator); the one used here differs from the last in
that only half of the discriminators' input is shifted, which was not tried before.

jtt, dfr and camel were measured before by definitions that differed from the published ones, and
erm, gdro and dfr with a seed that predicted one class only. Those cells remain, their rows are
`before` in the result, and they are used for nothing else: corrected methods have cells of their
own, and a dead seed is trained anew, where a training that dies is repeated with a longer warm-up,
and named in its row.

Expected before the first run, robust test accuracy in %: erm 25 to 45; balanced 92 to 95; gdro and
sgdro within 1.5 of balanced; jtt between erm and balanced; dfr 75 to 92; camel with exact pairs 96
to 98; camel with the CycleGAN at least 96 and ahead of balanced with an interval above zero; its
gap of the even class at least 24 times smaller than that of erm; its mutual information at least 4
times smaller than that of balanced.

Of irm, added later, it was expected that it is between erm and balanced.

Of the masked CycleGAN (the default translator of `automorph patch` for such marks), added later, it
was expected that it passes all seven checks, that camel with it is at least at 97 % and level with
the CycleGAN or ahead; of lisa that it is within 2 points of balanced. A trial on the validation
part (1,500 steps) had passed all checks but the class from clean to zigzag (0.062 of 0.047).
Ratios of gaps hold if the lower end of their interval does.

camel with a weight of 1, a fifth of the published one, was added last. Robust validation accuracy
with the seeds 101, 102 and 103 (%), 10 epochs at a rate of 0.03:
weight                       1                   2                   5
exact pairs          98.0 97.7 97.0      97.9 98.3 96.8      96.0 89.1 93.0
masked CycleGAN      97.5 98.6 98.4      98.0 97.8 98.0      97.2 (101 only)
Expected of it, before its run on the test part: at least 97 % with either translator, and ahead of
balanced, with an interval above zero.

n: 13 arms x 5 seeds = 65 trainings and two CycleGANs. Hardware: CPU; a training takes 40 to 110
seconds of a core, a CycleGAN 5 to 8 minutes, about 90 core-minutes in total. Finished trainings are
lines of results/patching.jsonl, and the same command does only the missing ones.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/patching.py [--jobs 2] [--seeds 5]
       [--arms erm,camel/CycleGAN] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import nn

from automorph.data import limited, load_data
from automorph.robustness import (
    CycleRecipe,
    Panel,
    check_translator,
    fit_cyclegan,
    load_method,
    translate_part,
)
from automorph.robustness.patch_notes import only_class
from automorph.robustness.translators.base import exact_pairs
from automorph.robustness.treatments import PatchCell, PatchContext, run_treatments
from automorph.training import Task, as_task
from cells import WORK, Cells
from patching_arms import ARMS, again, cell_of, former_cell
from record import claim, judged, mean_of, write_result

RATE = 0.1
RATES = {"irm": 0.01, **{arm: 0.03 for arm in ARMS if arm.startswith("camel")}}
"""Rates of arms that do not have `RATE`; the header explains how they were chosen."""
GAN = CycleRecipe(steps=2500, hide=0.1, discriminator_lr=4e-4)


def task_of(tiny: bool) -> Task:
    """MNIST-Correlation, the network and the recipe."""
    data = load_data("mnist-correlation")
    if tiny:
        rows = np.arange(0, len(data.train), 40)
        data = limited(data.replace(train=data.train.take(rows)), 400)
        parts = {name: data.parts[name].take(rows[:400]) for name in ("validation", "test")}
        spread = {name: data.parts[name].take(np.arange(0, len(data.parts[name]), 50))
                  for name in parts}  # fmt: skip
        data = data.replace(**spread)
    recipe = {"epochs": 1 if tiny else 10, "batch_size": 96, "warmup_epochs": 0, "defaults": "0.1"}
    return as_task(data, model=paper_cnn, recipe=recipe)


def paper_cnn() -> nn.Module:
    """The paper's network for this data at half the width (Goel et al. 2021, released code)."""
    layers: list[nn.Module] = []
    before = 1
    for width in (16, 32):
        layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(width, width, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)]
        before = width
    head = [nn.Linear(32 * 5 * 5, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 2)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


def translator_of(kind: str | None, task: Task, folder: Path, *, tiny: bool) -> Any:
    """The translator of the arms that use one."""
    if kind is None:
        return None
    if kind == "exact":
        return exact_pairs(task.data)

    def progress(title: str, done: int, steps: int, losses: dict[str, float]) -> None:
        if done % 250 == 0:
            print(f"CycleGAN {done}/{steps}: cycle {losses['cycle']:.3f}", flush=True)

    recipe = CycleRecipe(steps=4, width=4, judge_width=4) if tiny else GAN
    if kind == "masked-cyclegan":
        recipe = replace(recipe, networks="masked")
    return fit_cyclegan(
        task.data.train, recipe=recipe, per_class=False, folder=folder, progress=progress
    )


def checks_of(kind: str, work: Path, tiny: bool) -> dict[str, Any]:
    """The results of a translator's checks on the validation part."""
    task = task_of(tiny)
    translator = translator_of(kind, task, work, tiny=tiny)
    validation = task.data.validation
    assert validation is not None
    return check_translator(translator, validation, Panel(task.data.train)).to_dict()


@dataclass(frozen=True)
class Setting:
    """What all cells share: the arms, and the folder of translators."""

    names: tuple[str, ...]
    work: Path
    tiny: bool


_shared: dict[str | None, PatchContext] = {}


def prepare(setting: Setting) -> None:
    """Prepare this process for the cells of the arms."""
    kinds = {ARMS[name][1] for name in setting.names} - _shared.keys()
    if not kinds:
        return
    task = task_of(setting.tiny)
    for kind in kinds:
        translator = translator_of(kind, task, setting.work, tiny=setting.tiny)
        renderings = None
        if translator is not None:
            renderings = translate_part(translator, task.data.train, folder=setting.work)
        _shared[kind] = PatchContext(task, renderings, Path())


def trained(name: str, seed: int) -> dict[str, Any]:
    """Run one training and return its numbers; its weights are not kept.

    A training that dies is repeated with a longer warm-up; ``died`` then says why.
    """
    objective, kind = ARMS[name]
    cell = PatchCell(objective, seed)
    with TemporaryDirectory() as folder:
        task = _shared[kind].task.with_recipe(lr=RATES.get(name, RATE))
        setting = replace(_shared[kind], task=task, folder=Path(folder))
        return {**run_treatments(setting, [cell])[cell], "repeats": True}


def run(
    cells: Cells, names: list[str], seeds: int, jobs: int, work: Path, *, tiny: bool
) -> dict[str, Any]:
    """All cells of the arms, ``{arm: [numbers by seed]}``, and the checks of the translators."""
    checks = {
        kind: cells.kept(f"checks {kind}", checks_of, kind, work, tiny)
        for kind in ("exact", "cyclegan", "masked-cyclegan")
        if any(ARMS[name][1] == kind for name in names)
    }
    todo = {
        used_cell(cells, name, seed): (name, seed)
        # Seed by seed, so that an interrupted run has complete pairs.
        for seed in range(seeds)
        for name in names
    }
    missing = [name for cell, (name, _) in todo.items() if cell not in cells]
    setting = Setting(tuple(dict.fromkeys(missing)), work, tiny)
    if missing:
        prepare(setting)  # Fits the translators once; other processes read them.
    cells.run(trained, todo, jobs=jobs, prepare=partial(prepare, setting))
    found = {name: [_used(cells, name, seed) for seed in range(seeds)] for name in names}
    return {"cells": found, "checks": checks, "before": rows_before(cells, names, seeds)}


def used_cell(cells: Cells, arm: str, seed: int) -> str:
    """The cell of a training; another one if its network died unnoticed."""
    cell = cell_of(arm, seed)
    return again(cell) if cell in cells and unnoticed(cells[cell]) else cell


def _used(cells: Cells, arm: str, seed: int) -> dict[str, Any]:
    """The result of a training; one that replaces a dead network says so."""
    cell = used_cell(cells, arm, seed)
    first = {} if cell == cell_of(arm, seed) else {"died": "it predicted one class only at first"}
    return {**first, **cells[cell]}


def unnoticed(run: dict[str, Any]) -> bool:
    """Whether a training of an earlier version answered one class only."""
    class_of = np.repeat([0, 1], 2)
    return "repeats" not in run and only_class(run["test"], class_of) is not None


def rows_before(cells: Cells, names: list[str], seeds: int) -> list[dict[str, Any]]:
    """The rows of former definitions, and of means that include a dead seed."""
    former = {}
    for name in names:
        old = [former_cell(name, seed) for seed in range(seeds)]
        now = [used_cell(cells, name, seed) for seed in range(seeds)]
        if old != now and all(cell in cells for cell in old):
            former[name] = [cells[cell] for cell in old]
    return [{**row, "objective": ARMS[row["arm"]][0]} for row in rows_of(former)]


def rows_of(cells: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row per arm: means, standard errors and values of the measurements on the test part."""
    rows = []
    for name, runs in cells.items():
        tests = [run["test"] for run in runs]
        rows.append(
            {
                "arm": name,
                "objective": load_method(ARMS[name][0]).recorded,
                "died": {n: run["died"] for n, run in enumerate(runs) if run.get("died")},
                "robust_accuracy": mean_of([t["robust_accuracy"] for t in tests]),
                "accuracy": mean_of([t["accuracy"] for t in tests]),
                "gap": {y: mean_of([t["gap"][y] for t in tests]) for y in tests[0]["gap"]},
                "mutual_information": mean_of([t["mutual_information"] for t in tests]),
                "groups": [
                    float(np.mean([t["groups"]["right"][g] / t["groups"]["n"][g] for t in tests]))
                    for g in range(len(tests[0]["groups"]["n"]))
                ],
                "seconds": mean_of([run["seconds"] for run in runs]),
            }
        )
    return rows


def claims_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge the expectations."""
    by_arm = {row["arm"]: row for row in rows}
    claims: list[dict[str, Any]] = []

    def values(arm: str, key: str) -> list[float]:
        return list(by_arm[arm][key]["values"])

    def ahead(a: str, b: str) -> None:
        if a in by_arm and b in by_arm:
            text = f"{a} is ahead of {b} (points of robust accuracy)"
            arms = (values(arm, "robust_accuracy") for arm in (a, b))
            claims.append(judged(text, *arms))

    learned = "camel, CycleGAN"
    if learned in by_arm:
        claims.append(_at_least(0.96, learned, by_arm[learned]["robust_accuracy"]))
    ahead(learned, "balanced")
    ahead("camel, exact pairs", "balanced")
    ahead("camel, exact pairs", learned)
    ahead("balanced", "erm")
    ahead("sgdro", "balanced")
    masked, mild = "camel, masked CycleGAN", "camel (weight 1), masked CycleGAN"
    for arm in (masked, mild, "camel (weight 1), exact pairs"):
        if arm in by_arm:
            claims.append(_at_least(0.97, arm, by_arm[arm]["robust_accuracy"]))
    ahead(masked, learned)
    ahead(masked, "balanced")
    ahead(mild, "balanced")
    ahead(mild, "camel (weight 1), exact pairs")
    ahead("camel (weight 1), exact pairs", "balanced")
    ahead("lisa", "balanced")
    for arm in (learned, masked, mild, "camel, exact pairs", "balanced"):
        if arm in by_arm and "erm" in by_arm:
            pairs = [by_arm[x]["gap"]["even"]["values"] for x in ("erm", arm)]
            least = 24 if arm in (learned, masked, mild) else None
            claims.append(_ratio("even gap", "erm", arm, least, pairs))
    if learned in by_arm and "balanced" in by_arm:
        pairs = [values(x, "mutual_information") for x in ("balanced", learned)]
        claims.append(_ratio("mutual information", "balanced", learned, 4, pairs))
    return claims


def _at_least(share: float, arm: str, found: dict[str, Any]) -> dict[str, Any]:
    """The claim that the robust accuracy of an arm is at least a share; two standard errors."""
    ends = [round(100 * (found["mean"] + side * 2 * (found["se"] or 0.0)), 2) for side in (-1, 1)]
    text = f"{arm}: robust accuracy is at least {100 * share:.0f} %"
    return claim(text, round(100 * found["mean"], 2), ends, found["mean"] >= share)


def _ratio(what: str, a: str, b: str, least: float | None, pairs: list[Any]) -> dict[str, Any]:
    """A ratio of means with a bootstrap interval over the paired seeds."""
    x, y = (np.asarray(values, np.float64) for values in pairs)
    draws = np.random.default_rng(0).integers(0, len(x), (4000, len(x)))
    ratios = x[draws].mean(1) / np.maximum(y[draws].mean(1), 1e-9)
    low, high = np.quantile(ratios, [0.025, 0.975])
    value = x.mean() / max(y.mean(), 1e-9)
    text = f"{what}: that of {a} over that of {b}"
    text += "" if least is None else f" is at least {least}"
    holds = None if least is None else bool(low >= least)
    return claim(text, round(value, 2), [round(low, 2), round(high, 2)], holds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--arms", default=",".join(name.replace(", ", "/") for name in ARMS))
    parser.add_argument("--try", dest="tiny", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    names = [word.replace("/", ", ") for word in asked.arms.split(",")]
    if asked.tiny:
        with TemporaryDirectory() as place:
            cells, seeds = Cells("patching", Path(place)), min(asked.seeds, 2)
            found = run(cells, names, seeds, asked.jobs, Path(place), tiny=True)
            print(len(claims_of(rows_of(found["cells"]))), "claims")
        return
    work = WORK / "patching"
    found = run(Cells("patching"), names, asked.seeds, asked.jobs, work, tiny=False)
    rows = rows_of(found["cells"])
    write_result(
        "patching",
        rows=rows,
        claims=claims_of(rows),
        data="mnist-correlation",
        model="half-width paper CNN",
        epochs=10,
        seeds=asked.seeds,
        checks=found["checks"],
        before=found["before"],
    )
    for row in rows:
        print(f"{row['arm']:20} robust {100 * row['robust_accuracy']['mean']:.1f} "
              f"accuracy {100 * row['accuracy']['mean']:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
