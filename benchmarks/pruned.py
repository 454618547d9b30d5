"""Does a search on an explained space find as good a policy with half the budget?

CIFAR-10 and Fashion-MNIST with 1,250 labels (1,000 for training, 250 for selection), cnn:8, 20
epochs, flip-and-crop after every policy; the whole published test part. Random search over the
catalogue's operations with 12 trials, over the space that `explain` leaves (without harmful
operations, with narrowed ranges), and the same two with 6 trials, which are the first 6 of the 12.
The seed determines the draws and the training of the children; the policy found is trained again
under a different seed, so that a policy selected by luck loses its advantage. Explaining costs no
training; its duration is reported.

Expected before the run:
- 6 trials on the explained space are at least as good as 12 on the whole one (points: 0 to 2);
- 6 trials on the explained space are better than 6 on the whole one;
- CIFAR-10 gains more than Fashion-MNIST, where less of the catalogue is harmful.

n: 2 data sets x 2 spaces x 5 seeds x (12 trials and 2 final trainings) = 280 trainings of about
5 s: 25 minutes of one core. Hardware: CPU, one thread per search.
Rerun: AUTOMORPH_DATA=... OMP_NUM_THREADS=1 .venv/bin/python benchmarks/pruned.py
       [--data cifar10] [--seeds 5] [--jobs 2] [--try] (tiny: does it run?)
Finished searches are lines of results/pruned-DATA.jsonl and are not repeated.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

from automorph.policies import Policy, load_policy
from automorph.searchers import SearchContext
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.defaults import space_of
from automorph.searchers.random_search import RandomSearch
from automorph.training import Task, as_task, train
from cells import Cells
from record import judged, mean_of, write_result

SOURCES = ("cifar10", "fashion-mnist")
SPACES = {"whole": "catalogue", "explained": "explained:catalogue"}
BUDGETS = (6, 12)
FINAL = 1000
"""Added to the seed of a search to give the seed of its final training."""


def task_of(source: str, *, tiny: bool) -> Task:
    if tiny:
        return as_task("digits", limit=200, model="cnn:4", recipe={"epochs": 1, "defaults": "0.1"})
    return as_task(source, limit=1250, model="cnn:8", recipe={"epochs": 20, "defaults": "0.1"})


def name_of(space: str, seed: int) -> str:
    return f"{space}-seed{seed}"


def cell(source: str, space: str, seed: int, tiny: bool) -> dict[str, Any]:
    """Run one search with the largest budget, and the final trainings for every budget."""
    torch.set_num_threads(1)
    task, post_policy = task_of(source, tiny=tiny), load_policy("flip-crop")
    began = time.perf_counter()
    # Explain each data set once: all its searches use the same space.
    operations = space_of(SPACES[space], task, seed=0)
    explained = time.perf_counter() - began
    setting = SearchContext(
        task=task, space=operations, post_policy=post_policy, trials=max(BUDGETS), seed=seed
    )
    policies = RandomSearch(setting).policies
    scores = [accuracy(task, policy, post_policy, seed, "validation") for policy in policies]
    best = {budget: int(np.argmax(scores[:budget])) for budget in BUDGETS}
    final = {
        number: accuracy(task, policies[number], post_policy, FINAL + seed, "test")
        for number in set(best.values())
    }
    return {
        "data": source, "space": space, "seed": seed, "operations": list(operations.names),
        "explained": explained, "scores": scores,
        "test": {str(budget): final[number] for budget, number in best.items()},
    }  # fmt: skip


def accuracy(task: Task, policy: Policy, post_policy: Policy, seed: int, part: Any) -> float:
    """The accuracy on one part of a training with the policy and the post-policy."""
    arm = with_post_policy(policy, post_policy)
    return train(task, arm, seed=seed, parts=(part,), progress=False).accuracy[part]


def judge(source: str, finished: Cells, seeds: int) -> list[dict[str, Any]]:
    """Write results/pruned-DATA.json."""
    cells = {
        (space, seed): finished[name_of(space, seed)] for space in SPACES for seed in range(seeds)
    }
    rows = []
    for space in SPACES:
        for budget in BUDGETS:
            values = [cells[space, seed]["test"][str(budget)] for seed in range(seeds)]
            rows.append({
                "arm": f"{space}, {budget} trials",
                "operations": len(cells[space, 0]["operations"]),
                "accuracy": mean_of(values),
            })  # fmt: skip
    of = {row["arm"]: row["accuracy"]["values"] for row in rows}
    few, many = BUDGETS
    claims = []
    for text, a, b, bar in (
        ("no more than 1 point below", f"explained, {few} trials", f"whole, {many} trials", -1),
        ("better than", f"explained, {few} trials", f"whole, {many} trials", 0),
        ("better than", f"explained, {few} trials", f"whole, {few} trials", 0),
        ("better than", f"explained, {many} trials", f"whole, {many} trials", 0),
    ):
        claims.append(judged(f"{source}: {a} is {text} {b} (points)", of[a], of[b], above=bar))
        print(claims[-1])
    write_result(f"pruned-{source}", rows=rows, claims=claims, data=source, seeds=seeds,
                 explained=cells["explained", 0]["explained"],
                 operations={space: cells[space, 0]["operations"] for space in SPACES})  # fmt: skip
    return claims


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", action="append", choices=SOURCES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    if options.tiny:
        print(cell("cifar10", "explained", 0, tiny=True))
        return
    for source in options.data or SOURCES:
        cells = Cells(f"pruned-{source}")
        wanted = [(space, seed) for seed in range(options.seeds) for space in SPACES]
        cells.run(
            cell,
            {name_of(space, seed): (source, space, seed, False) for space, seed in wanted},
            jobs=options.jobs,
        )
        judge(source, cells, options.seeds)


if __name__ == "__main__":
    main()
