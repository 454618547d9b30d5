"""Does a search pay on data that it has not seen? Each set of the suite, left out of the prior.

Seven public sets at 32 px, and CIFAR-10, Fashion-MNIST and MNIST with 2,000 labels. On each, the
default search runs once, with a prior without that set, at its default cost; its pick is then
trained beside what one would use without a search. The published test part of spoken digits has
other speakers; the four of the training part are too few to divide by. The best fixed candidate is
the one with the best mean on the *other* sets (by the prior's table).

Expected before the run:
- the pick minus flip-crop + trivialaugment, mean over the seven sets of the suite: at least 2
  points, with its 95 % interval above 0 (bootstrap over sets and seeds); on no set worse by more
  than a point; on traffic_signs ahead by at least 2 points, on spoken_digits by at least 5;
- regret to the best arm of equal cost in hindsight: at most 1 point on average (the part
  ``hindsight`` adds all other candidates to the rows);
- against a random policy: ahead, interval above 0;
- against the best fixed candidate on the other sets: ahead or level;
- longer training of flip-crop for the time of search and training together, at most 4 times: level
  or ahead of the pick on some sets, behind on average;
- the search costs at most 8 plain trainings on each set.

One rule of the search was changed after a part of this run. On spoken digits, whose validation part
is saturated, it first chose a policy 1.3 standard errors better than none (arm ``first pick``,
which stays in the rows). Now a saturated part must show two. So spoken digits is no blind test of
this rule, and the average is stated for both rules. (On steel defects, saturated too, the search
ran again by the present rule, and chose the same.)

n: suite: 10 sets x (1 search of 8 trainings + 7 arms x 3 seeds, one of them 4 times as long) = 380
plain trainings of which those of the seven sets (266) come first; hindsight (only if asked for):
all candidates of the portfolio on the seven sets, one seed. Hardware: 2 CPU cores, one thread for
each training; about a minute and a half each with 1,600 images: five hours for the seven sets, two
more for the other three; hindsight four.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/suite.py [PART ..] [--set SET ..] [--jobs 2]
       [--try] (parts: suite, others, hindsight; default: suite)
Finished searches and trainings are lines of results/suite.jsonl and are not repeated. The picks of
complete sets are written to src/automorph/suite/ours.json. ``--try``
runs two arms of one set on a few images, and keeps nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from automorph.augmenters import as_treatment
from automorph.experiments import Treatment
from automorph.files import write_json
from automorph.operations import named_space
from automorph.suite import CONTROLS, LONGER, OURS, SETS, USUAL, Setting, interval, pairs
from automorph.training import Task, train
from cells import Cells, Content
from picks import searched, treatment_of
from record import claim, mean_of, write_result
from suite_figure import draw
from wrong_guess import WHY

SUITE = tuple(name for name, one in SETS.items() if not one.named)
OTHERS = tuple(name for name, one in SETS.items() if one.named)
SEEDS = Setting().seeds
FIRST = "first pick"
"""What a search chose before its rule was changed; its search is the cell ``SET/first/search``."""


@dataclass(frozen=True)
class Cell:
    """A training of an arm; ``tiny`` for a trial."""

    source: str
    arm: str
    seed: int
    found: str = ""
    tiny: bool = False

    @property
    def name(self) -> str:
        """The name of its line."""
        return f"{self.source}/{self.arm}/{self.seed}"


@cache
def task_of(source: str, tiny: bool, times: int = 1) -> Task:
    """Return the task of a set, with a recipe that is ``times`` as long."""
    task = SETS[source].task(limit=300 if tiny else None, epochs=1 if tiny else None)
    return task if times == 1 else task.with_recipe(epochs=times * task.recipe.epochs)


def fixed(source: str) -> str:
    """Return the candidate with the best mean on the other sets; the usual policy without any."""
    from automorph.searchers import prior

    gains = prior.load_prior("image", "scratch", without=(source,))
    return max(gains, key=lambda name: gains[name].mean, default=USUAL)


def found_on(source: str, jobs: int, tiny: bool) -> Content:
    """Return the pick on a set, by a prior that knows nothing of it, and the best fixed policy."""
    return {**searched(task_of(source, tiny), jobs, unseen=(source,)), "fixed": fixed(source)}


def arm_of(cells: Cells, source: str, arm: str) -> Treatment:
    """Return what an arm trains."""
    if arm == "pick":
        return treatment_of(cells[f"{source}/search"]["pick"])
    if arm == "fixed":
        return as_treatment(cells[f"{source}/search"].get("fixed") or fixed(source))
    return as_treatment(CONTROLS[arm][0] if arm in CONTROLS else arm)


def trained(cell: Cell, treatment: Treatment) -> Content:
    """Train and evaluate a cell."""
    task = task_of(cell.source, cell.tiny, LONGER if cell.arm == "longer" else 1)
    result = train(task, treatment, seed=cell.seed, progress=False)
    return {
        "test": result.accuracy["test"], "validation": result.accuracy["validation"],
        "policy": treatment.name, "epochs": len(result.curves), "passes": result.units.passes,
    }  # fmt: skip


def arms_of() -> list[str]:
    """Return the arms of equal cost."""
    return [*(arm for arm in CONTROLS if arm != "longer"), "fixed", "pick"]


def complete(cells: Cells, source: str, arms: Sequence[str]) -> bool:
    """Return whether every training of these arms is there."""
    return all(f"{source}/{arm}/{seed}" in cells for arm in arms for seed in range(SEEDS))


def values_of(cells: Mapping[str, Content], source: str, arm: str) -> list[float]:
    """Return the test accuracies of an arm by seed, in points."""
    names = [f"{source}/{arm}/{seed}" for seed in range(SEEDS)]
    return [100 * cells[name]["test"] for name in names if name in cells]


def gaps(
    cells: Mapping[str, Content], sources: Sequence[str], other: str, pick: str = "pick"
) -> NDArray[np.float64]:
    """Return the pick minus another arm, in points, ``(sets, seeds)``."""
    tests = {
        one: {arm: values_of(cells, one, arm) for arm in (pick, other)} for one in sources
    }  # fmt: skip
    return pairs(tests, pick, other)


def ends_of(values: NDArray[np.float64]) -> list[float]:
    """Return the interval of a mean, rounded."""
    return [round(end, 2) for end in interval(values) or ()]


def on_average(gap: NDArray[np.float64], words: str) -> Content:
    """Judge whether a pick pays on average over sets."""
    mean, ends = round(float(gap.mean()), 2), ends_of(gap)
    text = (
        f"{words} minus {USUAL}, mean over {len(gap)} sets, is at least 2 points, and its interval "
        "is above 0"
    )
    return claim(text, mean, ends, mean >= 2 and ends[0] > 0)


def regret(cells: Mapping[str, Content], source: str) -> float:
    """Return how far the pick is below the best arm of the table, of the same cost, in points."""
    means = {arm: fmean(values_of(cells, source, arm)) for arm in arms_of()}
    return max(means.values()) - means["pick"]


def claims_of(
    cells: Mapping[str, Content], sources: Sequence[str], longer: Sequence[str]
) -> list[Content]:
    """Judge what was expected, over the finished sets and those that trained longer, too."""
    if not sources:
        return []
    usual = gaps(cells, sources, USUAL)
    worst = round(float(usual.mean(1).min()), 2)
    text = f"on no set the pick is more than a point below {USUAL}"
    found = [
        on_average(usual, "the pick"),
        claim(text, worst, None, worst >= -1),
    ]
    changed = [one for one in sources if f"{one}/{FIRST}/0" in cells]
    if changed:
        same = [one for one in sources if one not in changed]
        first = gaps(cells, changed, USUAL, FIRST)
        every = np.concatenate([gaps(cells, same, USUAL), first]) if same else first
        found.append(on_average(every, f"the pick by the first rule ({', '.join(changed)})"))
    for source, goal in (("traffic_signs", 2), ("spoken_digits", 5)):
        for arm in ("pick", FIRST) if source in sources else ():
            if f"{source}/{arm}/0" in cells:
                gap = gaps(cells, [source], USUAL, arm)
                value = round(float(gap.mean()), 2)
                text = f"{source}: the {arm} is at least {goal} points ahead of {USUAL}"
                found.append(claim(text, value, ends_of(gap), value >= goal))
    lost = round(fmean(regret(cells, one) for one in sources), 2)
    found.append(
        claim("regret to the best arm of equal cost, on average, is at most 1 point", lost, None,
              lost <= 1)
    )  # fmt: skip
    rule: Callable[[float, list[float]], bool]
    for arm, of, words, rule in (
        ("random", sources, "a random policy: ahead, interval above 0", lambda _, e: e[0] > 0),
        ("fixed", sources, "the best fixed candidate on the other sets: ahead or level",
         lambda _, e: e[1] >= 0),
        ("longer", longer, f"flip-crop, {LONGER} times as long, on {len(longer)} sets: ahead on "
         "average", lambda mean, _: mean > 0),
    ):  # fmt: skip
        if of:
            gap = gaps(cells, of, arm)
            value, ends = round(float(gap.mean()), 2), ends_of(gap)
            text = f"the pick against {words} (points)"
            found.append(claim(text, value, ends, rule(value, ends)))
    cost = round(max(cells[f"{one}/search"]["trainings"] for one in sources), 2)
    found.append(claim("the search costs at most 8 plain trainings", cost, None, cost <= 8.0))
    return found


def hindsight_names(source: str) -> list[str]:
    """Return the candidates of the portfolio that a set can take."""
    from automorph.searchers.portfolio import portfolio_of

    every = portfolio_of(named_space("randaugment"), task_of(source, tiny=False)).treatments
    return [one.name for one in every]


def rows_of(cells: Mapping[str, Content], sources: Sequence[str]) -> list[Content]:
    """Return one row for each set and arm, and for each candidate that hindsight trained."""
    rows = []
    for source in sources:
        arms = list(dict.fromkeys(
            name.split("/")[1] for name in cells
            if name.startswith(f"{source}/") and not name.endswith("/search")
        ))  # fmt: skip
        for arm in arms:
            values = values_of(cells, source, arm)
            first = cells[f"{source}/{arm}/0"]
            rows.append(
                {
                    "data": source, "arm": arm, "policy": first["policy"],
                    "test": mean_of([value / 100 for value in values]),
                    "search": cells[f"{source}/search"]["trainings"] if arm == "pick" else None,
                    "why": WHY.get(source),
                }
            )  # fmt: skip
    return rows


def run(cells: Cells, source: str, arms: Sequence[str], jobs: int) -> None:
    """Search on a set, then train the arms."""
    cells.kept(f"{source}/search", found_on, source, jobs, False)
    every = [Cell(source, arm, seed) for seed in range(SEEDS) for arm in arms]
    cells.run(trained, {c.name: (c, arm_of(cells, source, c.arm)) for c in every}, jobs=jobs)


def attempt() -> None:
    """Run one tiny search and two arms, and keep nothing."""
    with TemporaryDirectory() as folder:
        found = Cells("suite", Path(folder))
        found.kept("spoken_digits/search", found_on, "spoken_digits", 1, True)
        tried = [
            Cell("spoken_digits", arm, seed, tiny=True)
            for arm in (*arms_of(), "longer")
            for seed in range(SEEDS)
        ]
        found.run(trained, {c.name: (c, arm_of(found, c.source, c.arm)) for c in tried})
        for one in claims_of(found.results, ["spoken_digits"], ["spoken_digits"]):
            print(one["text"], one["value"], one["interval"], one["holds"])
        print(rows_of(found.results, ["spoken_digits"])[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", default=["suite"])
    parser.add_argument("--set", dest="sets", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--try", dest="tiny", action="store_true")
    given = parser.parse_args()
    if given.tiny:
        attempt()
        return
    cells = Cells("suite")
    for part in given.parts:
        chosen = given.sets or (OTHERS if part == "others" else SUITE)
        for source in chosen:
            if part == "hindsight":
                more = {
                    (cell := Cell(source, name, 0)).name: (cell, as_treatment(name))
                    for name in hindsight_names(source)
                }
                cells.run(trained, more, jobs=given.jobs)
            else:
                run(cells, source, arms_of(), given.jobs)
        if part != "hindsight":  # Half of the cost, for one claim: after all else.
            for source in chosen:
                run(cells, source, ["longer"], given.jobs)
    whole = [source for source in (*SUITE, *OTHERS) if complete(cells, source, arms_of())]
    judged = [source for source in whole if source in SUITE]
    longer = [source for source in judged if complete(cells, source, ["longer"])]
    rows = rows_of(cells.results, whole)
    claims = claims_of(cells.results, judged, longer)
    write_result("suite", rows=rows, claims=claims, seeds=SEEDS)
    # The row that `automorph suite` shows beside others.
    picks = {one: [cells[f"{one}/pick/{seed}"]["test"] for seed in range(SEEDS)] for one in whole}
    write_json(OURS, {"sets": picks})
    draw({"rows": rows})


if __name__ == "__main__":
    main()
