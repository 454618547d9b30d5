"""Which objective mends a bird classifier that looks at the background?

Waterbirds (Sagawa et al. 2020): landbirds and waterbirds on land or on water; 95 % of the training
images show a bird on its own kind of background. Images of 64 px at most, official parts, less
those with a face (training 4,714 with 3,427/184/54/1,049 by group, validation 591, test 1,477).
Network: EfficientNet-Lite0, pretrained on ImageNet.

Frozen: images are enlarged to 128 px, features computed once, and the head trained by every
objective for 20 epochs in batches of 128. Every arm has the same budget of tuning: six trials with
seed 100, of which the best by worst-group accuracy on the validation part is used (rates and weight
decays; for jtt and camel their strengths, too). Then five paired seeds, 0 to 4. `camel` has the
renderings of the translator `background`. `dfr` fits to the validation part, as published, and
`dfr, train` to the training part; both refit the tuned erm.
Fine-tuned, at 64 px with the default recipe of fine-tuning for 5 epochs: erm, gdro and camel, three
paired seeds.
Patch: `automorph.patch` on the frozen network with the translator `background`, three seeds: its
time, what it chooses, and whether that is the best of its objectives on the test part.

Expected before the run, worst-group accuracy on the test part: frozen, erm 35 to 60 %; gdro, sgdro,
balanced and lisa 65 to 78 %; dfr on the validation part 68 to 80 % and at most 3 points from the
best of the others; jtt between erm and gdro. gdro and dfr are more than 10 points ahead of erm, as
published (ResNet-50 fine-tuned at 224 px: ERM 72.6, JTT 86.7, group DRO 91.4, DFR 92.9). camel is
at most level with gdro: foregrounds that GrabCut finds at 64 px are rough. The translator passes
its checks (tried before on the validation part: it does, since the first of eight backgrounds that
is as light and dark is taken; one drawn at random failed the inversion). Fine-tuned networks are
ahead of frozen ones by 3 to 10 points, and gdro ahead of erm by more than 10.

n: 54 trials and 45 trainings of heads, 9 fine-tunings, one patch. Hardware: CPU; a head takes 15 to
60 seconds of a core, a fine-tuning 6 minutes (camel 18), in total about 2.5 core-hours. Finished
work is in results/waterbirds.jsonl, and the same command does only what is missing.
Rerun: AUTOMORPH_DATA=... .venv/bin/python benchmarks/waterbirds.py [--jobs 2] [--seeds 5]
       [--arms erm,gdro] [--try] (tiny: does it run?)
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from automorph import patch
from automorph.data import Dataset, load_data
from automorph.robustness import Panel, check_translator, train_robust, translate_part
from automorph.robustness.translators.background import fit_backgrounds
from automorph.robustness.translators.selection import judging_parts
from automorph.training import as_task, head_task
from cells import WORK, Cells, cells_parser
from record import claim, judged, mean_of, write_result

DATA = "parquet:special/waterbirds"
NETWORK = "tf_efficientnet_lite0"
SIDE = 128
TUNING_SEED = 100
RATES = tuple(product((3e-3, 3e-4), (0.01, 3.0, 30.0)))
"""Learning rates and weight decays of most arms: six trials."""
_TWO = ((3e-3, 3.0), (3e-4, 0.01))
ARMS = {
    "erm": [("erm", *one) for one in RATES],
    "balanced": [("balanced", *one) for one in RATES],
    "gdro": [("gdro", *one) for one in RATES],
    "sgdro": [("sgdro", *one) for one in RATES],
    "lisa": [("lisa", *one) for one in RATES],
    "jtt": [(f"jtt(epochs={e})", *one) for e in (1, 3, 6) for one in _TWO],
    "dfr": [("dfr", *one) for one in RATES],
    "dfr, train": [("dfr(part=train)", *one) for one in RATES],
    "camel": [(f"camel(weight={w})", *one) for w in (0.2, 1, 5) for one in _TWO],
}
"""Trials of every arm: objective, rate, weight decay."""
TUNED = ("erm", "gdro", "camel")
"""The arms that are fine-tuned as well."""


def data_of(side: int, tiny: bool) -> Dataset:
    """The data at a size."""
    data = load_data(DATA, label="label", subgroup="place", size=side, leakage="drop")
    if tiny:
        parts = {name: part.take(np.arange(0, len(part), 12)) for name, part in data.parts.items()}
        data = data.replace(**parts)
    return data


_shared: dict[str, Any] = {}


def prepare(work: Path, tiny: bool) -> None:
    """Prepare this process for cells: the translator, and the task on frozen features."""
    if _shared:
        return
    data = data_of(32 if tiny else SIDE, tiny)
    name = "test_efficientnet:untrained" if tiny else NETWORK
    recipe = {"epochs": 3} if tiny else {}
    task = as_task(data, model=f"features:timm:{name}", recipe=recipe, metric="accuracy")
    _shared["task"] = task
    _shared["head"] = head_task(task, epochs=2 if tiny else 20)
    _shared["renderings"] = translate_part(fit_backgrounds(data.train), data.train, folder=work)


def trial(objective: str, lr: float, decay: float, seed: int, test: bool) -> dict[str, Any]:
    """Train a head; the test part is hidden while arms are tuned."""
    task = _shared["head"].with_recipe(lr=lr, weight_decay=decay)
    if not test:
        task = replace(task, data=task.data.without_test())
    renderings = _shared["renderings"] if objective.startswith("camel") else None
    run = train_robust(task, objective, renderings=renderings, seed=seed, progress=False)
    return numbers(run, "test" if test else "validation")


def numbers(run: Any, part: str) -> dict[str, Any]:
    """What is kept of a training."""
    return {
        "validation": run.validation_robust_accuracy,
        "worst": run.robust_accuracy(part),
        "accuracy": run.accuracy(part),
        "groups": run.group_accuracy(part).tolist(),
        "epoch": run.run.chosen,
        "died": run.died,
        "seconds": run.seconds,
    }


def fine_tuned(arm: str, seed: int, work: Path, tiny: bool) -> dict[str, Any]:
    """Fine-tune the whole network at 64 px."""
    data = data_of(32 if tiny else 64, tiny)
    name = "timm:test_efficientnet" if tiny else f"timm:{NETWORK}:pretrained"
    recipe = {"epochs": 1 if tiny else 5}
    task = as_task(data, model=name, recipe=recipe, metric="accuracy")
    renderings = None
    if arm == "camel":
        renderings = translate_part(fit_backgrounds(data.train), data.train, folder=work)
    run = train_robust(task, arm, renderings=renderings, seed=seed, progress=False)
    return numbers(run, "test")


def patched(work: Path, tiny: bool) -> dict[str, Any]:
    """The patch command: its time, its choice, and the best of its objectives in hindsight."""
    found = patch(
        _shared["task"], translator="background", seeds=1 if tiny else 3, maps=False,
        baselines=("erm", "balanced", "gdro", "lisa"), folder=work / "patched",
    )  # fmt: skip
    tested = {row.objective: row.robust_accuracy.mean for row in found.treatments}
    return {
        "seconds": found.seconds,
        "objective": found.objective,
        "verdict": found.verdict.text,
        "hindsight": max(tested, key=lambda name: tested[name]),
        "tested": tested,
        "translator": found.choice.to_dict(),
    }


def checks(work: Path, tiny: bool) -> dict[str, Any]:
    """The checks of the translator at 64 px."""
    data = data_of(32 if tiny else 64, tiny)
    part, judges = judging_parts(data)
    return check_translator(fit_backgrounds(data.train), part, Panel(judges)).to_dict()


def run(cells: Cells, names: list[str], seeds: int, jobs: int, work: Path, tiny: bool) -> Any:
    """All cells: tuning, then the seeds of the best trial of each arm, then the rest."""
    ready = partial(prepare, work, tiny)
    trials = {
        f"tune {objective} lr={lr} decay={decay}": (objective, lr, decay, TUNING_SEED, False)
        for name in names
        for objective, lr, decay in ARMS[name][: 1 if tiny else None]
    }
    if any(cell not in cells for cell in trials):
        ready()  # Renders the training part once; other processes read it.
    cells.run(trial, trials, jobs=jobs, prepare=ready)
    chosen = {
        name: max(
            (given for given in trials.values() if given[:3] in ARMS[name]),
            key=lambda given: cells[_tuning(given)]["validation"],
        )[:3]
        for name in names
    }
    todo = {
        f"{name} seed {seed}": (*chosen[name], seed, True)
        for seed in range(seeds)
        for name in names
    }
    cells.run(trial, todo, jobs=jobs, prepare=ready)
    tuned = [name for name in TUNED if name in names]
    whole = {
        f"fine-tuned {name} seed {seed}": (name, seed, work, tiny)
        for seed in range(min(3, seeds))
        for name in tuned
    }
    cells.run(fine_tuned, whole, jobs=jobs)
    cells.run(patched, {"patch": (work, tiny)}, prepare=ready)
    cells.run(checks, {"checks": (work, tiny)})
    arms = {name: [cells[f"{name} seed {seed}"] for seed in range(seeds)] for name in names}
    for name in tuned:
        count = range(min(3, seeds))
        arms[f"fine-tuned {name}"] = [cells[f"fine-tuned {name} seed {s}"] for s in count]
    return {"arms": arms, "chosen": chosen, "patch": cells["patch"], "checks": cells["checks"]}


def _tuning(given: tuple[Any, ...]) -> str:
    return f"tune {given[0]} lr={given[1]} decay={given[2]}"


def rows_of(arms: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row per arm: the test part."""
    return [
        {
            "arm": name,
            "worst": mean_of([run["worst"] for run in runs]),
            "accuracy": mean_of([run["accuracy"] for run in runs]),
            "groups": np.mean([run["groups"] for run in runs], axis=0).tolist(),
            "died": {seed: run["died"] for seed, run in enumerate(runs) if run["died"]},
            "seconds": mean_of([run["seconds"] for run in runs]),
        }
        for name, runs in arms.items()
    ]


def claims_of(rows: list[dict[str, Any]], found: dict[str, Any]) -> list[dict[str, Any]]:
    """Judge the expectations."""
    worst = {row["arm"]: row["worst"]["values"] for row in rows}
    claims = []

    def ahead(a: str, b: str, above: float) -> None:
        if a in worst and b in worst:
            by = f"more than {above:g} points ahead of" if above > 0 else "ahead of"
            text = f"{a} is {by} {b}: worst group (points)"
            claims.append(judged(text, worst[a], worst[b], above=above))

    for arm in ("gdro", "dfr", "dfr, train", "lisa"):
        ahead(arm, "erm", 10)
    ahead("fine-tuned gdro", "fine-tuned erm", 10)
    ahead("fine-tuned camel", "fine-tuned gdro", 0)
    ahead("camel", "gdro", 0)
    if "dfr" in worst:
        own = [name for name in worst if not name.startswith(("dfr", "fine-tuned"))]
        best = max(own, key=lambda name: np.mean([r["validation"] for r in found["arms"][name]]))
        level = judged(f"{best}, the best on the validation part, is level with dfr or ahead "
                       "(points)", worst[best], worst["dfr"], above=-2)  # fmt: skip
        claims.append(level)
    passed = bool(found["checks"]["passed"])
    claims.append(claim("the background translator passes its checks", None, None, passed))
    patched = found["patch"]
    same = patched["objective"] == patched["hindsight"]
    claims.append(claim("patch chooses the best of its objectives", None, None, same))
    return claims


def main() -> None:
    parser = cells_parser(__doc__)
    parser.add_argument("--arms", default=None, help="names with a comma between them")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    names = list(ARMS) if asked.arms is None else asked.arms.split(",")
    if asked.tiny:
        with TemporaryDirectory() as place:
            cells = Cells("waterbirds", Path(place))
            found = run(cells, names, 2, asked.jobs, Path(place), tiny=True)
            print(len(claims_of(rows_of(found["arms"]), found)), "claims")
        return
    work = WORK / "waterbirds"
    work.mkdir(parents=True, exist_ok=True)
    found = run(Cells("waterbirds"), names, asked.seeds, asked.jobs, work, tiny=False)
    rows = rows_of(found["arms"])
    write_result(
        "waterbirds", rows=rows, claims=claims_of(rows, found), data="special/waterbirds",
        model=NETWORK, side=SIDE, seeds=asked.seeds, chosen=found["chosen"],
        patch=found["patch"], checks=found["checks"],
    )  # fmt: skip
    for row in rows:
        print(f"{row['arm']:20} worst {100 * row['worst']['mean']:.1f} "
              f"accuracy {100 * row['accuracy']['mean']:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()
