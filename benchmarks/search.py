"""Which search finds the best policy for its cost, and does the race keep to its time?

Fashion-MNIST with 2,000 labels (1,600 for training, 400 for selection), the whole published test
part, the small CNN, flip-and-crop after every policy. Three parts:

- methods: every search has a budget of 12 plain trainings of 20 epochs (Fast AutoAugment scores as
  many policies as they pay for), and its policy is trained under 5 paired seeds. Each search is run
  once, so the table compares the policies that were found, not everything the searches might find.
- density: 15 random policies from weak to strong: Spearman's correlation of Fast AutoAugment's
  score (both kinds) with the final accuracy (2 seeds each).
- race: `automorph search fashion-mnist --limit 2000 --method race --budget 20m` as a user types it,
  40 epochs, on two cores.

Expected before the run:
- methods: random search is within half a point of the best search; no search is better than
  TrivialAugment beyond chance at this size; all are above the tail alone by 0 to 1 point. The tail
  trained for four times as long is at or below the tail.
- density: correlation of -0.3 to 0.5; an interval that includes zero. Weak policies score highest.
- race: ends within 22 minutes; its policy is better than none with a 95 % interval above zero.

n: methods: 8 searches x 12 trainings, then 13 arms x 5 seeds and the long control; density: 15 x 2;
race: as many as fit. One training of 20 epochs takes about 14 s of one core: methods 40
core-minutes, density 8, race 40 (20 minutes on 2 cores). Hardware: 2 CPU cores.
Finished searches and trainings are lines of results/search-PART.jsonl and are not repeated.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/search.py [methods|density|race] [--seeds 5]
       [--jobs 2] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from automorph.augmenters import as_treatment
from automorph.experiments import (
    Comparison,
    Store,
    Treatment,
    open_executor,
    task_without_test,
)
from automorph.files import folder_lock
from automorph.operations import named_space
from automorph.policies import (
    Mixture,
    Policy,
    Step,
    load_policy,
    policy_from_dict,
    policy_to_dict,
)
from automorph.policies.random_policy import drawn_subpolicies
from automorph.searchers import SearchContext, load_method
from automorph.searchers.budget import Plan
from automorph.searchers.child_training import with_post_policy
from automorph.searchers.fast_autoaugment import FastAutoAugment
from automorph.searchers.runner import SearchRunner
from automorph.training import Task, as_task, task_identity
from cells import WORK, Cells
from record import claim, judged, mean_of, write_result
from trainings import RunLog, compared

SPACE, TAIL = "randaugment", "flip-crop"
TRAININGS = 12
SEARCHES = ("random", "instant", "randaugment", "fast-autoaugment", "dada", "pba", "tanda",
            "autoaugment")  # fmt: skip
STANDING = {
    "none": "none",
    "tail": TAIL,
    "random policy": f"random(space={SPACE}) + {TAIL}",
    "RandAugment": f"randaugment(n=2,m=9) + {TAIL}",
    "TrivialAugment": f"trivialaugment + {TAIL}",
}
LONGER = 4


def fashion(tiny: bool, epochs: int = 20) -> Task:
    """The task of the first two parts."""
    if tiny:
        return as_task("digits", limit=100, model="cnn:4", recipe={"epochs": 2, "defaults": "0.1"})
    return as_task("fashion-mnist", limit=2000, recipe={"epochs": epochs, "defaults": "0.1"})


def setting_of(task: Task, trials: int) -> SearchContext:
    """The search context that every method gets."""
    space, post_policy = named_space(SPACE), load_policy(TAIL)
    return SearchContext(
        task=task_without_test(task), space=space, post_policy=post_policy, trials=trials
    )


def searched(
    cells: Cells, task: Task, name: str, trainings: float, folder: Path, jobs: int
) -> dict[str, Any]:
    """The policy that a search finds as plain data, and its cost; resumes an interrupted one."""
    named = load_method(name)
    trials = min(named.entry.trials(trainings, task), named.entry.max_trials)
    identity = {"task": task_identity(task), "method": named.name, "trials": trials}
    place = folder / "searches" / name
    with folder_lock(place), open_executor("processes", task, place, jobs=jobs) as executor:
        runner = SearchRunner(Store(identity, RunLog(cells, f"search {name}"), verb="search"))
        method = named.build(setting_of(task, trials))
        runner.search(method, executor, Plan(None, 5, LONGER), trials=trials)
        arm, cost = method.result(), runner.cost(task)
        runner.close(place)
    seconds = sum(trial.outcome.seconds for trial in runner.reported)
    print(f"{name}: {arm.name}, {len(runner.reported)} trials, {cost:.1f} trainings", flush=True)
    found = policy_to_dict(arm) if isinstance(arm, Policy) else {"method": arm.name}
    return {"arm": found, "trainings": cost, "seconds": seconds, "trials": len(runner.reported)}


def arm_of(found: dict[str, Any]) -> Treatment:
    """The policy or training method that a search found."""
    return as_treatment(found["method"]) if "method" in found else policy_from_dict(found)


def trained(
    cells: Cells, place: str, task: Task, arms: dict[str, Treatment], options: Any
) -> Comparison:
    """Train the arms under paired seeds; resumes an interrupted run."""
    return compared(
        cells, task, list(arms.values()), seeds=options.seeds, jobs=options.jobs, name=place
    )


def methods(options: argparse.Namespace, cells: Cells, folder: Path) -> None:
    """Final accuracy against the cost of the search."""
    task = fashion(options.tiny)
    trainings = 3 if options.tiny else TRAININGS
    found = {
        name: cells.kept(
            f"search {name}", searched, cells, task, name, trainings, folder, options.jobs
        )
        for name in SEARCHES
    }
    arms: dict[str, Treatment] = {name: load_policy(text) for name, text in STANDING.items()}
    for name, result in found.items():
        arm = with_post_policy(arm_of(result["arm"]), load_policy(TAIL))
        # Two searches may find the same policy; train it only once.
        arms[name] = next((known for known in arms.values() if known.name == arm.name), arm)
    single = {arm.name: arm for arm in arms.values()}
    result = trained(cells, "final", task, single, options)
    longer = task.with_recipe(epochs=LONGER * task.recipe.epochs)
    control = trained(cells, "longer", longer, {"tail": load_policy(TAIL)}, options)
    accuracy = {name: result[arm.name].accuracy.values for name, arm in arms.items()}
    long = f"tail, {LONGER} times as long"
    accuracy[long] = control[TAIL].accuracy.values
    claims = [
        judged(f"{name} is better than {other} (points)", accuracy[name], accuracy[other])
        for name in SEARCHES
        for other in ("none", "tail", "random", "random policy", "TrivialAugment", long)
        if name != other
    ]
    rows = [
        {
            "policy": name,
            "found": arms[name].name if name in arms else TAIL,
            "accuracy": mean_of(values),
            "search": {
                key: found[name][key] for key in ("trainings", "seconds", "trials")
            } if name in found else None,
        }
        for name, values in accuracy.items()
    ]  # fmt: skip
    finish("search-methods", rows, claims, options, epochs=task.recipe.epochs, trainings=trainings)


def spread_policies(count: int) -> list[Mixture]:
    """Random policies from weak to strong: probabilities and magnitudes increase step by step."""
    space = named_space(SPACE)
    made = []
    for number in range(count):
        scale = (number + 1) / count
        subpolicies = tuple(
            tuple(
                Step(step.operation, scale * step.probability, scale * step.magnitude)
                for step in subpolicy
            )
            for subpolicy in drawn_subpolicies(space, 5, 2, 1000 + number)
        )
        label = f"strength {scale:.2f}"
        made.append(Mixture(label=label, operations=space, subpolicies=subpolicies))
    return made


def density(options: argparse.Namespace, cells: Cells, folder: Path) -> None:
    """Measure whether Fast AutoAugment's score predicts how good a policy will be."""
    task = fashion(options.tiny)
    if options.tiny:
        task = task.with_recipe(epochs=12)  # Otherwise all accuracies are at chance level.
    policies = spread_policies(5 if options.tiny else 15)
    scores = cells.kept("scores", scored, task, policies, folder / "scores", options.jobs)
    post_policy = load_policy(TAIL)
    arms = {policy.name: with_post_policy(policy, post_policy) for policy in policies}
    small = argparse.Namespace(seeds=2, jobs=options.jobs)
    result = trained(cells, "density", task, arms, small)
    final = [result[arm.name].accuracy.mean for arm in arms.values()]
    claims = []
    for kind, values in scores.items():
        rho = float(spearmanr(values, final).statistic)
        low, high = bootstrap(values, final)
        text = f"the density-matching score ({kind}) rises with final accuracy (Spearman)"
        claims.append(claim(text, round(rho, 2), [round(low, 2), round(high, 2)], low > 0))
    rows = [
        {"policy": policy.name, "accuracy": accuracy, "any": any_, "loss": loss}
        for policy, accuracy, any_, loss in zip(
            policies, final, scores["any"], scores["loss"], strict=True
        )
    ]
    finish("search-density", rows, claims, options, epochs=task.recipe.epochs)


def scored(task: Task, policies: list[Mixture], folder: Path, jobs: int) -> dict[str, list[float]]:
    """Both density-matching scores of each policy, by the network of the first fold."""
    search = FastAutoAugment(setting_of(task, 40), folds=1)
    folder.mkdir(parents=True, exist_ok=True)
    with open_executor("processes", task, folder, jobs=jobs) as executor:
        list(executor.run([search.network(0)]))
        outcomes = dict(executor.run([search.child(policy, 0) for policy in policies]))
    facts = [outcomes[place].facts for place in range(len(policies))]
    return {kind: [fact[kind] for fact in facts] for kind in ("any", "loss")}


def bootstrap(a: list[float], b: list[float], draws: int = 2000) -> tuple[float, float]:
    """The 95 % percentile interval of Spearman's correlation."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        rows = rng.integers(0, len(a), len(a))
        if len(set(rows)) > 2:
            found.append(float(spearmanr(np.array(a)[rows], np.array(b)[rows]).statistic))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def race(options: argparse.Namespace, cells: Cells, folder: Path) -> None:
    """Run the command as a user types it, and measure wall-clock time."""
    budget, minutes = ("1m", 1.0) if options.tiny else ("20m", 20.0)
    data = ["digits", "--limit", "100", "--epochs", "2", "--model", "cnn:4"]
    data = data if options.tiny else ["fashion-mnist", "--limit", "2000"]
    out = folder / "race"
    if (out / "search.json").exists():
        print(f"{out} is finished; remove it to measure again")
        return
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "from automorph.cli import main; main()", "search", *data,
         "--method", "race", "--budget", budget, "--jobs", str(options.jobs), "--out", str(out),
         "--controls", "all", "--seeds", "5", "--json"],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    took = (time.monotonic() - began) / 60
    result = json.loads(done.stdout)
    d = result["row"]["difference"]
    gap = None if d is None or d["low"] is None else [100 * d["low"], 100 * d["high"]]
    claims = [
        claim(f"race ends within 10 % of {budget} (minutes)", round(took, 2), None,
              took <= 1.1 * minutes),
        claim("the policy of the race is better than none (points)",
              None if d is None else round(100 * d["mean"], 2), gap,
              gap is not None and gap[0] > 0),
    ]  # fmt: skip
    print(result["verdict"]["text"])
    rows = [result["row"], *result["baselines"]]
    facts = {key: result[key] for key in ("found", "trials", "trainings", "seeds", "longer")}
    finish("search-race", rows, claims, options, budget=budget, **facts)


def finish(
    name: str, rows: list[Any], claims: list[Any], options: argparse.Namespace, **facts: Any
) -> None:
    """Print the claims and write the result, unless this is a trial run."""
    for one in claims:
        print(one["text"], one["value"], one["interval"], one["holds"])
    if not options.tiny:
        facts = {"data": "fashion-mnist", "labelled": 2000, "seeds": options.seeds, **facts}
        write_result(name, rows=rows, claims=claims, **facts)


PARTS = {"methods": methods, "density": density, "race": race}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=PARTS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    for part in options.parts:
        if options.tiny:
            options.seeds, options.jobs = 2, 1
            with TemporaryDirectory() as folder:
                PARTS[part](options, Cells("search", Path(folder)), Path(folder))
        else:
            PARTS[part](options, Cells(f"search-{part}"), WORK / "search")


if __name__ == "__main__":
    main()
