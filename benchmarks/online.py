"""Where do methods that work inside training help, and at what cost?

Reduced CIFAR-10: 4,000 training images and 1,000 for selection, the whole published test part of
10,000; paired seeds. Every view gets the same tail (pad-and-crop, flip, Cutout of 16 pixels), so
that arms differ only in what comes before it; `none` has no tail. Three regimes:

- short: ResNet-9 of width 16, 30 epochs. The network cannot quite fit its examples.
- wide:  WRN-16-2, 1,000 of the images for 40 epochs. The network memorises them.
- large: ResNet-9 of width 16, 40,000 training images, 4 epochs. No network overfits.

Equal steps: every arm trains for the same number of epochs, whatever it costs. Equal compute: the
random composition and RandAugment again, with more epochs, to match the forward and backward passes
needed to score four candidates (x 2.33; training on two views costs x 2).

Expected before the run:
- short: `top` is below the random composition (points: -2 to -5), `lowest` is near the tail alone,
  `proportional` within a point of the random composition; `adaptive` is at or above the best of
  these and of RandAugment, because it stays near the tail alone.
- wide: harder views are better or equal: `proportional` is at or above the random composition;
  `adaptive` is at or above `proportional` and RandAugment.
- large: everything that makes views harder costs accuracy compared with the tail; `adaptive` costs
  least and is ahead of RandAugment.
- `adaptive-unscored` (a single candidate: the strength is adjusted, nothing is scored, no cost) is
  equal to `adaptive` in short, where both do next to nothing.
- in all regimes, the mean loss of the selected views increases in the order lowest, random,
  proportional, top.
- `adaptive-cheap` (scores at half the side length, every fourth step: 1.08 x the passes of plain
  training; in between it chooses by the scores so far of each operation) takes at most 1.3 x the
  time of plain training and keeps 90 % of the gain of `adaptive` over the random composition.
- `adversarial` is within a point of `views`, its control without learning; both gain about a point
  from having more gradients per step, and less than plain training with as many passes gains.

The adaptive rule was designed after looking at the validation curves of the other arms in short
(two seeds) and at a dozen trainings on 250 to 400 images; the test part had not been looked at.

"At least as good" means that the interval of the paired difference lies above -1 point.

Power: differences vary by about 1 point from seed to seed. Five seeds then detect a true difference
of 1.7 points with probability 81 % and one of 1 point with 40 %; ten seeds detect 1 point with
80 %. After the first run: in wide, differences varied by 1.4 points, and five seeds left the
interval of adaptive against RandAugment (+0.1, -1.6 to 1.8) wider than the margin. These two arms
got five more seeds there; nothing else was changed. Pairs are the seeds that two arms share.

n: arms times seeds in each regime (short has all arms, and equal compute; the others have six).
Hardware: CPU; one plain training takes 1 to 3 minutes of one core, one that scores all candidates
2.5 times as long. Finished trainings are lines of results/online-REGIME.jsonl, and the same
command does only the missing ones. `cost` times epochs of plain and of scored training alternately,
on one thread.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/online.py [short|wide|large|cost]
       [--seeds 5] [--jobs 2] [--arms adaptive,proportional] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from automorph.augmenters import as_treatment
from automorph.experiments import paired_difference
from automorph.training import Task, as_task, train
from cells import Cells
from record import claim, judged, paired, write_result
from trainings import compared

TAIL = " + flip-crop + cutout(16,fill=128)"
ARMS = {
    "none": "none",
    "tail": "flip-crop + cutout(16,fill=128)",
    "randaugment": f"randaugment(n=2,m=6){TAIL}",
    "trivialaugment": f"trivialaugment-wide{TAIL}",
    "composition": f"composition(n=2){TAIL}",
    "top": f"uncertainty(c=4,s=1,rule=top){TAIL}",
    "proportional": f"uncertainty(c=4,s=1,rule=proportional){TAIL}",
    "lowest": f"uncertainty(c=4,s=1,rule=lowest){TAIL}",
    "adaptive": f"uncertainty(c=4,s=1,rule=adaptive){TAIL}",
    "adaptive-unscored": f"uncertainty(c=1,s=1,rule=adaptive){TAIL}",
    "adaptive-cheap": f"uncertainty(c=4,s=1,rule=adaptive,every=4,size=0.5){TAIL}",
    "views": f"views(m=2,policy=composition(n=2,p=1,levels=10,space=randaugment)){TAIL}",
    "adversarial": f"adversarial(m=2,space=randaugment){TAIL}",
}
FEW = ("tail", "randaugment", "composition", "proportional", "adaptive", "adaptive-cheap")
"""The arms of all regimes except short."""
MORE = {"wide": ("randaugment", "adaptive")}
"""Arms that are run with twice as many seeds."""
PLAIN = ("composition", "randaugment")
"""The arms that are also trained for longer in short."""
LONGER = {"scoring": 7 / 3}
"""Passes of uncertainty sampling with four candidates relative to plain training: a forward pass
counts one, a backward pass two."""


@dataclass(frozen=True)
class Regime:
    """A network, an amount of data and a length of training."""

    model: str
    limit: int | None
    epochs: int

    def task(self, factor: float = 1.0, *, tiny: bool = False) -> Task:
        """The task, trained ``factor`` times as long."""
        limit, epochs = (250, 2) if tiny else (self.limit, self.epochs)
        recipe = {"epochs": max(1, round(factor * epochs)), "defaults": "0.1"}
        model = "resnet9:2" if tiny else self.model
        return as_task("cifar10", limit=limit, model=model, recipe=recipe)


REGIMES = {
    "short": Regime("resnet9:16", 5000, 30),
    "wide": Regime("wrn-16-2", 1250, 40),
    "large": Regime("resnet9:16", None, 4),
}


def run(
    cells: Cells, place: str, task: Task, arms: dict[str, str], *, seeds: int, jobs: int
) -> dict[str, tuple[float, ...]]:
    """The test accuracies of every arm, seed by seed; resumes an interrupted run."""
    names = list(arms)
    treatments = [as_treatment(text) for text in arms.values()]
    result = compared(cells, task, treatments, seeds=seeds, jobs=jobs, name=place)
    rows = dict(zip(names, result.to_dict()["rows"], strict=True))
    results.setdefault(place, {}).update(rows)
    return {name: row.accuracy.values for name, row in zip(names, result.rows, strict=True)}


results: dict[str, dict[str, Any]] = {}

BETTER = [
    ("composition", "top"),
    ("composition", "lowest"),
    ("proportional", "composition"),
    ("adaptive", "tail"),
    ("adaptive", "randaugment"),
    ("adaptive", "adaptive-unscored"),
    ("adaptive", "composition, compute of scoring"),
    ("adaptive", "randaugment, compute of scoring"),
    ("views", "composition"),
    ("adversarial", "views"),
    ("composition, compute of scoring", "views"),
    ("composition, compute of scoring", "adversarial"),
]
AS_GOOD = [
    (arm, than)
    for arm in ("adaptive", "adaptive-cheap")
    for than in ("randaugment", "composition", "proportional")
]
MARGIN = 1.0
"""The largest loss, in points, that counts as equal."""
KEPT = 0.9
"""The share of the gain that cheap scoring must keep."""

Accuracies = dict[str, tuple[float, ...]]


def kept(regime: str, accuracies: Accuracies) -> list[dict[str, Any]]:
    """The claim that cheap scoring keeps nearly all of the gain over the random composition."""
    if not {"adaptive", "adaptive-cheap", "composition"} <= accuracies.keys():
        return []
    arms = ("composition", "adaptive", "adaptive-cheap")
    base, full, cheap = map(np.array, paired(*(accuracies[arm] for arm in arms)))
    gain = (full - base).mean()
    d = paired_difference((cheap - base).tolist(), (KEPT * (full - base)).tolist())
    interval = None if d.low is None else [round(100 * d.low, 2), round(100 * d.high, 2)]
    return [
        claim(
            f"{regime}: adaptive-cheap keeps {KEPT:.0%} of the {100 * gain:.2f} points that "
            "adaptive gains over composition (points above that)",
            round(100 * d.mean, 2),
            interval,
            bool(d.mean >= 0) if gain > 0 else None,
        )
    ]


def claims_of(regime: str, accuracies: Accuracies) -> list[dict[str, Any]]:
    """All claims about a regime for the arms that ran."""
    wanted = [(a, b, "better than", 0.0) for a, b in BETTER]
    wanted += [(a, b, "at least as good as", -MARGIN) for a, b in AS_GOOD]
    claims = [
        judged(f"{regime}: {a} is {how} {b} (points)", accuracies[a], accuracies[b], above=above)
        for a, b, how, above in wanted
        if a in accuracies and b in accuracies
    ]
    return [*claims, *kept(regime, accuracies)]


def measure(name: str, options: argparse.Namespace, cells: Cells) -> None:
    """Run one regime: equal steps, then equal compute."""
    regime, tiny = REGIMES[name], options.tiny
    wanted = options.arms or (ARMS if name == "short" else FEW)
    chosen = {a: text for a, text in ARMS.items() if a in wanted}
    shared = {"seeds": options.seeds, "jobs": options.jobs}
    accuracies = run(cells, name, regime.task(tiny=tiny), chosen, **shared)
    if more := {a: text for a, text in chosen.items() if a in MORE.get(name, ())}:
        twice = {**shared, "seeds": 2 * options.seeds}
        accuracies |= run(cells, name, regime.task(tiny=tiny), more, **twice)
    for what, factor in LONGER.items() if name == "short" else ():
        arms = {f"{a}, compute of {what}": ARMS[a] for a in PLAIN if a in chosen}
        if arms:
            task = regime.task(factor, tiny=tiny)
            accuracies |= run(cells, f"{name}-{what}", task, arms, **shared)
    claims = claims_of(name, accuracies)
    for one in claims:
        print(one["text"], one["value"], one["interval"], one["holds"])
    if not tiny:
        rows = [
            {"arm": arm, "regime": place, **row}
            for place, found in results.items()
            if place.startswith(name)
            for arm, row in found.items()
        ]
        write_result(
            f"online-{name}",
            rows=rows,
            claims=claims,
            data="cifar10",
            model=regime.model,
            labelled=regime.limit or 50_000,
            epochs=regime.epochs,
            seeds=options.seeds,
            arms=chosen,
        )


TIMED = ("composition", "adaptive", "adaptive-unscored", "adaptive-cheap")
ROUNDS = 9
CHEAP = 1.3


def time_epochs(*, tiny: bool) -> None:
    """Time of an epoch relative to plain training: arms alternate on one thread."""
    torch.set_num_threads(1)
    # Without a validation loss, scoring starts in the second of the three epochs.
    task = REGIMES["short"].task(tiny=tiny).with_recipe(epochs=3)
    rounds = 2 if tiny else ROUNDS
    seconds: dict[str, list[float]] = {arm: [] for arm in TIMED}
    for number in range(rounds + 1):
        for arm in TIMED:
            spec = as_treatment(ARMS[arm])
            run = train(task, spec, seed=number, parts=(), validate_every=0, progress=False)
            if number:  # The first round is a warm-up.
                seconds[arm].append(run.curves[1].seconds)
    rows = []
    for arm, taken in seconds.items():
        ratios = np.divide(taken, seconds["composition"])
        low, middle, high = np.quantile(ratios, [0.25, 0.5, 0.75]).round(3).tolist()
        rows.append({"arm": arm, "seconds": float(np.median(taken)), "ratio": [low, middle, high]})
        print(arm, rows[-1])
    ratio = rows[-1]["ratio"]
    text = (
        f"adaptive-cheap takes at most {CHEAP} times the time of plain training (median, quartiles)"
    )
    if not tiny:
        claims = [claim(text, ratio[1], [ratio[0], ratio[2]], ratio[1] <= CHEAP)]
        write_result("online-cost", rows=rows, claims=claims, rounds=rounds, images=4000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("regimes", nargs="*", default=["short"], choices=[*REGIMES, "cost"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--arms", type=lambda text: text.split(","), default=[])
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    for name in options.regimes:
        if name == "cost":
            time_epochs(tiny=options.tiny)
        elif options.tiny:
            options.seeds, options.jobs = 2, 1
            with TemporaryDirectory() as folder:
                measure(name, options, Cells("online", Path(folder)))
        else:
            measure(name, options, Cells(f"online-{name}"))


if __name__ == "__main__":
    main()
