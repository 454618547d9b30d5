"""What do the published searches cost, and what do they gain, when networks train long enough?

CIFAR-10 with 2,000 labels (1,600 for training, 400 for selection) and traffic signs, where the
usual mirror image is wrong; the recipe, the network and the seeds of the suite. Every search runs
once, in the space and with the post-policy of its paper, at the cost of 20 plain trainings; its
policy is then trained with three seeds. Adversarial AutoAugment searches while it trains, and has
no search before. The default search, and all that needs none, are the cells of suite.py, which are
run here too where they are missing.

Expected before the run:
- no published search is ahead of random search at the same cost, on either set (interval above 0);
- RandAugment's grid of two numbers is level with AutoAugment's controller or ahead of it, as its
  paper says, for the same trainings;
- Fast AutoAugment and DADA are level with AutoAugment at the same cost; their papers' ratios (5,000
  GPU hours against 3.5 and 0.1) cannot be seen, since 20 trainings are no full run of AutoAugment;
- on CIFAR-10 every search is within two points of flip-crop + trivialaugment; on traffic signs, all
  but the default search are behind flip-crop, since their post-policy mirrors;
- the default search, at 8 trainings, is level with the best of them or ahead, on both sets.

n: 2 sets x (7 searches of 20 trainings + 8 arms x 3 seeds, of which adversarial costs 8 each), some
380 plain trainings of a minute and a half with those of suite.py: nine hours of one core. Hardware:
2 CPU cores, one thread for each training.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/published_searches.py [--set SET ..]
       [--jobs 2] [--try] (one search of each kind on a few images; keeps nothing)
Finished searches and trainings are lines of results/published-searches.jsonl; the trials of a
search that was interrupted are in benchmarks/work.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from automorph.augmenters import as_treatment
from automorph.experiments import Treatment
from automorph.searchers import load_method, search_alone
from automorph.searchers.child_training import trainings
from automorph.suite import USUAL
from automorph.training import train
from cells import WORK, Cells, Content
from picks import plain, treatment_of
from record import claim, judged, mean_of, write_result
from suite import SEEDS, arms_of, run, task_of, values_of
from suite import Cell as Training

CHOSEN = ("cifar-10", "traffic_signs")
TRIED = "spoken_digits"
"""A set with few classes, for a trial with few examples."""
TRAININGS = 20
SEARCHES = {
    "random": "random",
    "randaugment": "randaugment(by=grid,strength=fixed)",
    "autoaugment": "autoaugment",
    "fast-autoaugment": "fast-autoaugment",
    "pba": "pba",
    "dada": "dada",
    "tanda": "tanda",
}
ADVERSARIAL = "adversarial"
OURS = "pick"
"""The arm of suite.py that the default search picked."""


def found_by(source: str, name: str, folder: Path, jobs: int, tiny: bool) -> Content:
    """Return what a search picks, and its cost in plain trainings; resumes an interrupted one."""
    task, method = task_of(source, tiny), load_method(SEARCHES[name])
    trials = 2 if tiny else method.entry.trials(TRAININGS, task)
    found = search_alone(task, method, trials=trials, folder=folder, jobs=jobs)
    return {
        "pick": plain(found.treatment), "name": found.treatment.name, "trials": trials,
        "trainings": found.trainings,
    }  # fmt: skip


def trained(cell: Training, treatment: Treatment) -> Content:
    """Train and evaluate a cell; ``cost`` in plain trainings."""
    task = task_of(cell.source, cell.tiny)
    result = train(task, treatment, seed=cell.seed, progress=False)
    return {"test": result.accuracy["test"], "cost": trainings(result.units, task)}


def arms_on(cells: Cells, source: str) -> dict[str, Treatment]:
    """Return what is trained here, by arm, as far as searches have finished."""
    found = {
        name: treatment_of(cells[f"{source}/{name}/search"]["pick"])
        for name in SEARCHES
        if f"{source}/{name}/search" in cells
    }
    return {**found, ADVERSARIAL: as_treatment(f"flip-crop + {ADVERSARIAL}")}


def run_set(cells: Cells, source: str, folder: Path, jobs: int, *, tiny: bool = False) -> None:
    """Search, and train what was found, seed by seed."""
    for name in SEARCHES:
        place = folder / source / name
        cells.kept(f"{source}/{name}/search", found_by, source, name, place, jobs, tiny)
        print(f"{source}/{name}/search {cells[f'{source}/{name}/search']['name']}", flush=True)
    every = {
        (cell := Training(source, arm, seed, tiny=tiny)).name: (cell, treatment)
        for seed in range(SEEDS)
        for arm, treatment in arms_on(cells, source).items()
    }
    cells.run(trained, every, jobs=jobs)


def rows_of(cells: Cells, suite: Cells, source: str) -> list[Content]:
    """Return the arms of a set whose three trainings are done."""
    rows = []
    for own, arm in [
        *((suite, arm) for arm in arms_of() if arm != OURS),
        *((cells, arm) for arm in (*SEARCHES, ADVERSARIAL)),
        (suite, OURS),
    ]:
        values = values_of(own, source, arm)
        if len(values) < SEEDS:
            continue
        search = own.results.get(f"{source}/search" if arm == OURS else f"{source}/{arm}/search")
        label = "random policy" if own is suite and arm == "random" else arm
        rows.append(
            {
                "data": source, "arm": "race" if arm == OURS else label,
                "policy": search["name"] if search else None,
                "test": mean_of([value / 100 for value in values]),
                "search": search["trainings"] if search else 0.0,
                "training": own[f"{source}/{arm}/0"]["cost"] if own is cells else 1.0,
            }
        )  # fmt: skip
    return rows


def claims_of(rows: list[Content]) -> list[Content]:
    """Judge what was expected on a set, as far as its arms are there."""
    tests = {row["arm"]: row["test"]["values"] for row in rows}
    if not tests:
        return []
    source, found = rows[0]["data"], list[Content]()
    searched = [name for name in SEARCHES if name in tests]
    level = [(name, "random") for name in searched if name != "random"]
    for name, other in level if "random" in tests else []:
        one = judged(f"{source}: {name} is not ahead of {other} search (points)",
                     tests[name], tests[other])  # fmt: skip
        found.append({**one, "holds": one["interval"] is None or one["interval"][0] <= 0})
    for name in ("randaugment", "fast-autoaugment", "dada"):
        if name in tests and "autoaugment" in tests:
            one = judged(f"{source}: {name} is level with autoaugment or ahead (points)",
                         tests[name], tests["autoaugment"])  # fmt: skip
            found.append({**one, "holds": one["interval"] is None or one["interval"][1] >= 0})
    if USUAL in tests and searched and source == "cifar-10":
        means = {name: 100 * fmean(tests[name]) for name in (*searched, USUAL)}
        worst = max(abs(means[name] - means[USUAL]) for name in searched)
        found.append(claim(f"{source}: every search is within two points of {USUAL}",
                           round(worst, 2), None, worst <= 2))  # fmt: skip
    if "race" in tests and searched:
        best = max(searched, key=lambda name: fmean(tests[name]))
        one = judged(f"{source}: the default search is level with the best of them ({best}) or "
                     "ahead (points)", tests["race"], tests[best])  # fmt: skip
        found.append({**one, "holds": one["interval"] is None or one["interval"][1] >= 0})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--set", dest="sets", action="append", choices=CHOSEN)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    given = parser.parse_args()
    if given.tiny:
        with TemporaryDirectory() as folder:
            cells = Cells("published-searches", Path(folder))
            run_set(cells, TRIED, Path(folder) / "work", 1, tiny=True)
            rows = rows_of(cells, Cells("none", Path(folder)), TRIED)
            for one in (*rows, *claims_of(rows)):
                print(one)
        return
    cells, suite = Cells("published-searches"), Cells("suite")
    for source in given.sets or CHOSEN:
        run(suite, source, arms_of(), given.jobs)
        run_set(cells, source, WORK / "published-searches", given.jobs)
    rows = [row for source in CHOSEN for row in rows_of(cells, suite, source)]
    claims = [
        one
        for source in CHOSEN
        for one in claims_of([row for row in rows if row["data"] == source])
    ]
    write_result("published-searches", rows=rows, claims=claims, seeds=SEEDS, trainings=TRAININGS)


if __name__ == "__main__":
    main()
