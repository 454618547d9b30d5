"""Where do methods that live inside training help, and at what cost?

Reduced CIFAR-10: 4,000 training images and 1,000 to choose by, the whole published test part of
10,000; paired seeds. Every view gets the same tail (pad-and-crop, flip, Cutout of 16 pixels), so
that arms differ by what comes before it; `none` has no tail. Three regimes:

- short: ResNet-9 of width 16, 30 epochs. The network cannot quite fit its examples.
- long:  the same network, 1,000 of the images for 120 epochs. It learns them by heart.
- wide:  WRN-16-2, 1,000 images for 60 epochs. So does it, with another network.
- large: ResNet-9 of width 16, 40,000 training images, 4 epochs. Nobody overfits.

Equal steps: every arm has the same number of epochs, whatever it costs. Equal compute: the random
composition and RandAugment again, with so many epochs as make up for the forward and backward
passes that scoring four candidates (x 2.33) or training on two views (x 2) costs.

Expected before the run:
- short: `top` is below the random composition (points: -2 to -5), `lowest` is near the tail alone,
  `proportional` within a point of the random composition; `adaptive` at or above the best of these
  and of RandAugment.
- long and wide: the order of `top`, `proportional`, random composition, `lowest` turns: harder is
  better or equal; `adaptive` is at or above `proportional`.
- large: everything that makes views harder costs accuracy against the tail; `adaptive` costs least.
- everywhere: mean loss of what was selected lies in the order lowest, random, proportional, top.
  `adaptive` with cheap scoring (half the side, every second step: 1.17 x the passes of plain
  training) keeps nearly all of what `adaptive` gains. `adversarial` is within a point of `views`,
  its control without learning; both gain about a point from more gradients a step, and less than a
  plain training of as many passes gains.

Power: differences spread by about 1 point from seed to seed. Then five seeds find a true
difference of 1.7 points with a chance of 81 %, of 1 point with 40 %; ten seeds 1 point with 80 %.

n: a regime has its arms (all of them in short, six in the others) times the seeds. Hardware: 2 CPU
cores; one plain training takes 1 to 5 minutes of one core. Finished trainings are kept in
results/online/, and the same call does only what is missing.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/online.py [short|long|wide|large] [--seeds 5]
       [--jobs 2] [--arms adaptive,proportional] [--try] (tiny: does it run?)
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from automorph.comparison import Comparison, compare, paired_difference
from automorph.online import as_arm
from automorph.training import Task, as_task
from record import RESULTS, claim, write_result

TAIL = " + flip-crop + cutout(16)"
ARMS = {
    "none": "none",
    "tail": "flip-crop + cutout(16)",
    "randaugment": f"randaugment(n=2,m=6){TAIL}",
    "trivialaugment": f"trivialaugment-wide{TAIL}",
    "composition": f"composition(n=2){TAIL}",
    "top": f"uncertainty(c=4,s=1,rule=top){TAIL}",
    "proportional": f"uncertainty(c=4,s=1,rule=proportional){TAIL}",
    "lowest": f"uncertainty(c=4,s=1,rule=lowest){TAIL}",
    "adaptive": f"uncertainty(c=4,s=1,rule=adaptive){TAIL}",
    "adaptive-cheap": f"uncertainty(c=4,s=1,rule=adaptive,every=2,size=0.5){TAIL}",
    "adaptive-probe": f"uncertainty(c=4,s=1,rule=adaptive,probe=3){TAIL}",
    "adaptive-randaugment": f"uncertainty(c=4,s=1,rule=adaptive,policy=randaugment(n=2,m=6)){TAIL}",
    "adaptive-mixup": f"uncertainty(c=4,s=1,rule=adaptive){TAIL} + mixup(p=0.5)",
    "views": f"views(m=2,policy=composition(n=2,p=1,levels=10,space=randaugment)){TAIL}",
    "adversarial": f"adversarial(m=2,space=randaugment){TAIL}",
    "adversarial-often": f"adversarial(m=2,every=20,lr=0.01,space=randaugment){TAIL}",
    "augmix-jsd": f"augmix-jsd{TAIL}",
}
PLAIN = ("composition", "randaugment")
"""The arms that are also trained for longer."""
LONGER = {"scoring": 7 / 3, "two views": 2.0}
"""Passes of uncertainty sampling with four candidates, and of two views, over those of plain
training: a forward pass counts one, a backward pass two."""


@dataclass(frozen=True)
class Regime:
    """A network, an amount of data and a length of training."""

    model: str
    limit: int | None
    epochs: int

    def task(self, factor: float = 1.0, *, tiny: bool = False) -> Task:
        """The task, trained ``factor`` times as long."""
        limit, epochs = (250, 2) if tiny else (self.limit, self.epochs)
        recipe = {"epochs": max(1, round(factor * epochs))}
        model = "resnet9:2" if tiny else self.model
        return as_task("cifar10", limit=limit, model=model, recipe=recipe)


REGIMES = {
    "short": Regime("resnet9:16", 5000, 30),
    "long": Regime("resnet9:16", 1250, 120),
    "wide": Regime("wrn-16-2", 1250, 60),
    "large": Regime("resnet9:16", None, 4),
}


def run(
    task: Task, arms: dict[str, str], folder: Path, *, seeds: int, jobs: int
) -> dict[str, tuple[float, ...]]:
    """The test accuracies of every arm, seed by seed; continues where it stopped."""
    names = list(arms)

    def progress(cells: list[Any], done: int) -> Any:
        finished: set[Any] = set()

        def report(cell: Any, share: float) -> None:
            if share >= 1.0 and cell not in finished:
                finished.add(cell)
                print(f"{folder.name}: {names[cell.arm]} seed {cell.seed} "
                      f"({done + len(finished)}/{len(cells)})", flush=True)  # fmt: skip

        return report

    result = compare(
        task, [as_arm(text) for text in arms.values()], seeds=seeds, folder=folder, jobs=jobs,
        progress=progress,
    )  # fmt: skip
    results[folder.name] = result
    return {name: row.accuracy.values for name, row in zip(names, result.rows, strict=True)}


results: dict[str, Comparison] = {}


def judged(regime: str, a: str, b: str, accuracies: dict[str, Any]) -> dict[str, Any] | None:
    """The claim that arm a is better than arm b, and what came of it."""
    if a not in accuracies or b not in accuracies:
        return None
    d = paired_difference(accuracies[a], accuracies[b])
    interval = None if d.low is None else [round(100 * d.low, 2), round(100 * d.high, 2)]
    holds = None if d.low is None else bool(d.low > 0)
    return claim(
        f"{regime}: {a} is better than {b} (points)", round(100 * d.mean, 2), interval, holds
    )


PAIRS = [
    ("composition", "top"),
    ("composition", "lowest"),
    ("proportional", "composition"),
    ("adaptive", "tail"),
    ("adaptive", "composition"),
    ("adaptive", "proportional"),
    ("adaptive", "randaugment"),
    ("adaptive-randaugment", "randaugment"),
    ("adaptive", "composition, compute of scoring"),
    ("adaptive", "randaugment, compute of scoring"),
    ("adaptive", "adaptive-cheap"),
    ("adaptive", "adaptive-probe"),
    ("views", "composition"),
    ("adversarial", "views"),
    ("adversarial-often", "views"),
    ("adversarial-often", "adversarial"),
    ("composition, compute of two views", "views"),
    ("composition, compute of two views", "adversarial"),
]


def measure(name: str, options: argparse.Namespace, folder: Path) -> None:
    """One regime: equal steps, then equal compute."""
    regime, tiny = REGIMES[name], options.tiny
    chosen = {a: text for a, text in ARMS.items() if not options.arms or a in options.arms}
    shared = {"seeds": options.seeds, "jobs": options.jobs}
    accuracies = run(regime.task(tiny=tiny), chosen, folder / name, **shared)
    for what, factor in LONGER.items():
        arms = {f"{a}, compute of {what}": ARMS[a] for a in PLAIN if a in chosen}
        if arms:
            task = regime.task(factor, tiny=tiny)
            place = folder / f"{name}-{what.replace(' ', '-')}"
            accuracies |= run(task, arms, place, **shared)
    claims = [c for a, b in PAIRS if (c := judged(name, a, b, accuracies))]
    for one in claims:
        print(one["text"], one["value"], one["interval"], one["holds"])
    if not tiny:
        rows = [
            {**row, "regime": place}
            for place, result in results.items()
            if place.startswith(name)
            for row in result.to_dict()["rows"]
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("regimes", nargs="*", default=["short"], choices=REGIMES)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--arms", type=lambda text: text.split(","), default=[])
    parser.add_argument("--try", dest="tiny", action="store_true")
    options = parser.parse_args()
    for name in options.regimes:
        if options.tiny:
            options.seeds, options.jobs = 2, 1
            with TemporaryDirectory() as folder:
                measure(name, options, Path(folder))
        else:
            measure(name, options, RESULTS / "online")


if __name__ == "__main__":
    main()
