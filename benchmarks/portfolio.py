"""What does each candidate of the race gain on public sets? The table of its prior.

Every image candidate of the portfolio is trained to the end on ten development sets (CIFAR-10,
Fashion-MNIST and MNIST with 1,000 labels each, and the seven sets of $AUTOMORPH_DATA/suite with at
most 1,000), at 32 px with the current recipe at half of its epochs, under two seeds; every text
candidate on SST-2, TREC and Banking-77 (1,000 texts, those of Banking-77 in equal numbers). The
gain of a candidate is its mean difference from no augmentation in the Brier score of the test part
after temperature scaling, paired by seed and example, as the race measures it on validation parts.
Sets on which a search is judged are left out of its prior (`load_prior(without=...)`). A set has
rows from its first complete seed on.

Expected before the run:
- the best candidate differs between sets: at least four are best somewhere;
- flips lose on traffic_signs and spoken_digits, quarter turns win on satellite_rsscn7;
- crop + randaugment(n=1,m=5) is above none on at least eight of the ten image sets;
- on texts, the spread between candidates is smaller than on images.

n: 10 image sets x 17 candidates x 2 seeds and 3 text sets x 13 candidates x 2 seeds: 418 trainings.
About 50 s of one core each: six hours. Hardware: 1 CPU core. Only the regime `scratch` is measured.
Finished trainings are lines of results/portfolio.jsonl and are not repeated; the table is written
to src/automorph/searchers/prior.json from those sets that are complete.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/portfolio.py [--jobs 1] [--sets NAME ..]
       [--table] (only writes the table) [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from automorph.data import open_test
from automorph.files import write_json
from automorph.operations import named_space
from automorph.searchers.portfolio import portfolio_of
from automorph.searchers.prior import PRIOR
from automorph.searchers.row_scores import row_facts, rows_of
from automorph.training import Task, as_task, train
from cells import Cells, Content
from record import claim, write_result

SUITE = ("apple_leaves", "red_cells", "satellite_rsscn7", "spoken_digits", "steel_defects",
         "textures_dtd10", "traffic_signs")  # fmt: skip
PUBLIC = ("cifar10", "fashion-mnist", "mnist")
TEXTS = {"sst2": "text/sst2", "trec": "text/trec", "banking77": "special/text_banking77"}
LABELS = 1000
SEEDS = 2
NONE, MILD = "none", "crop + randaugment(n=1,m=5)"
TINY = "digits"


@cache
def task_of(source: str) -> Task:
    """The task of a set: half of the epochs of the current recipe."""
    root = Path(os.environ.get("AUTOMORPH_DATA", "."))
    if source == TINY:
        return as_task(source, model="cnn:4", limit=100, recipe={"epochs": 2})
    if source in SUITE:
        where, options = f"parquet:{root / 'suite' / source}", {"label": "label", "size": 32}
    elif source in TEXTS:
        where = f"parquet:{root / TEXTS[source]}"
        options = {"text": "text", "label": "label", "leakage": "drop"}
        if source == "banking77":  # 77 classes: too few of each, otherwise, to divide.
            options["equal_classes"] = True
    else:
        where, options = source, {}
    task = as_task(where, limit=LABELS, **options)
    return as_task(where, limit=LABELS, recipe={"epochs": task.recipe.epochs // 2}, **options)


def candidates(source: str) -> list[Any]:
    """The candidates of the race for a set."""
    space = "texts-wordnet" if source in TEXTS else "randaugment"
    return list(portfolio_of(named_space(space), task_of(source)).treatments)


def trained(source: str, number: int, seed: int) -> Content:
    """Train a candidate; the scaled scores of the test examples, as a race keeps them of others."""
    task = task_of(source)
    result = train(task, candidates(source)[number], seed=seed, progress=False)
    # The race's own function reads the validation part: here that is the test part.
    on_test = replace(task, data=task.data.without_test().replace(validation=open_test(task.data)))
    seen = replace(result, logits={"validation": result.logits["test"]})
    scored = row_facts(on_test, seen)
    return {"scaled": scored["scaled"], "accuracy": result.accuracy["test"]}


def cell_of(source: str, name: str, seed: int) -> str:
    """The name of a training."""
    return f"{source}/{name}/{seed}"


def rows_of_set(cells: Cells, source: str, seeds: int) -> list[dict[str, Any]]:
    """The rows of the table for a set, from its complete seeds; none if there is none."""
    names = [one.name for one in candidates(source)]
    wanted = {(n, s): cell_of(source, n, s) for n in names for s in range(seeds)}
    while seeds and any(wanted[n, seeds - 1] not in cells for n in names):
        seeds -= 1
    if not seeds:
        return []
    task = task_of(source)
    rows = []
    for name in names:
        gaps, points = [], []
        for seed in range(seeds):
            mine, base = cells[wanted[name, seed]], cells[wanted[NONE, seed]]
            gaps.append(rows_of(base, "scaled") - rows_of(mine, "scaled"))
            points.append(100 * (mine["accuracy"] - base["accuracy"]))
        means = np.array([gap.mean() for gap in gaps])
        over_rows = np.mean(gaps, axis=0).std(ddof=1) / np.sqrt(len(gaps[0]))
        over_seeds = means.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else 0.0
        rows.append(
            {
                "candidate": name, "set": source, "domain": task.data.domain,
                "regime": task.regime, "gain": round(float(means.mean()), 5),
                "error": round(float(max(over_rows, over_seeds)), 5), "seeds": seeds,
                "points": round(float(np.mean(points)), 2),
            }
        )  # fmt: skip
    return rows


def claims_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The claims of the header, judged on the sets that are complete."""
    gains = {(row["set"], row["candidate"]): row["gain"] for row in rows}
    images = sorted({row["set"] for row in rows if row["domain"] == "image"})
    best = {
        source: max((name for s, name in gains if s == source), key=lambda n: gains[source, n])
        for source in images
    }
    found = []
    if len(images) == len(SUITE + PUBLIC):
        count = len(set(best.values()))
        found.append(
            claim("candidates that are best on a set (at least 4)", count, None, count > 3)
        )
        mild = sum(gains[source, MILD] > 0 for source in images)
        found.append(
            claim(f"sets on which {MILD} is above none (at least 8)", mild, None, mild > 7)
        )
    for source in ("traffic_signs", "spoken_digits"):
        if source in best:
            gap = gains[source, "flip-crop"] - gains[source, "crop"]
            found.append(claim(f"{source}: flips lose (Brier)", round(gap, 4), None, gap < 0))
    if "satellite_rsscn7" in best:
        turns = best["satellite_rsscn7"]
        holds = turns.startswith("turns")
        found.append(claim(f"satellite_rsscn7: quarter turns win ({turns})", None, None, holds))
    return found


def main() -> None:
    """Do what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--sets", nargs="*", default=[*PUBLIC, *SUITE, *TEXTS])
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    sets, seeds = ([TINY], 1) if options.tiny else (options.sets, SEEDS)
    cells = Cells("portfolio-try" if options.tiny else "portfolio")
    if not options.table:
        # Seed by seed, so that every set has its first rows early.
        work = {
            cell_of(source, one.name, seed): (source, number, seed)
            for seed in range(seeds)
            for source in sets
            for number, one in enumerate(candidates(source))
        }
        cells.run(trained, work, jobs=options.jobs)
    rows = [row for source in sets for row in rows_of_set(cells, source, seeds)]
    if options.tiny:
        print(*rows, sep="\n")
        cells.log.path.unlink()
        return
    write_result("portfolio", rows=rows, claims=claims_of(rows))
    write_json(PRIOR, {"rows": rows})


if __name__ == "__main__":
    main()
